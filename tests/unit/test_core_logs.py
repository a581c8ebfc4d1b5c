"""Logs: lines for people, JSON for systemd's journal."""

import json
import logging

import pytest

from firmware_py import logs

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


def test_systemd_gets_one_json_object_a_line_with_vietnamese_kept(monkeypatch, capsys):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.set_up()
    logging.getLogger("devices").warning("mất %s\nở quầy", "nút")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {
        "level": "WARNING",
        "logger": "devices",
        "thread": "MainThread",
        "message": "mất nút\nở quầy",
    }
    assert "mất" in line


def test_an_error_carries_its_traceback(monkeypatch, capsys):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.set_up()
    try:
        int("hỏng")
    except ValueError:
        logging.getLogger("x").exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal for int() with base 10: 'hỏng'" in json.loads(line)["error"]


def test_a_terminal_gets_plain_lines(monkeypatch, capsys):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    logs.set_up()
    logging.getLogger("x").info("hello")
    assert capsys.readouterr().err.endswith("INFO    x: hello\n")


def test_details_are_logged_only_when_asked_for(monkeypatch, capsys):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    logs.set_up()
    logging.getLogger("x").debug("detail")
    assert capsys.readouterr().err == ""
    logs.set_up(verbose=True)
    logging.getLogger("x").debug("detail")
    assert "detail" in capsys.readouterr().err


def test_setting_up_twice_logs_once(monkeypatch, capsys):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    logs.set_up()
    logs.set_up()
    logging.getLogger("x").info("hello")
    assert capsys.readouterr().err.count("hello") == 1
