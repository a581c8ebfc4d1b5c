"""The notify protocol of systemd, spoken to a socket of our own."""

import os
import socket

import pytest

from firmware_py.core import watchdog


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_messages_reach_systemd(systemd):
    watchdog.notify("READY=1")
    watchdog.notify("WATCHDOG=1")
    assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


def test_an_abstract_socket_is_reached_too(monkeypatch):
    name = f"nucuoi-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        watchdog.notify("STOPPING=1")
        assert listening.recv(100) == b"STOPPING=1"


def test_where_nobody_listens_nothing_is_said(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    watchdog.notify("READY=1")


def test_it_is_fed_three_times_as_often_as_it_asks(monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert watchdog.interval_s() == 10.0


def test_a_watchdog_of_another_process_or_none_is_not_fed(monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    assert watchdog.interval_s() is None
    monkeypatch.delenv("WATCHDOG_USEC")
    assert watchdog.interval_s() is None


def test_a_socket_that_is_gone_costs_no_node(monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    watchdog.notify("READY=1")
    assert "does not listen" in caplog.text
