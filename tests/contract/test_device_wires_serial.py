"""The serial line over a real pty, with everything that goes wrong on lines."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from device_rig import GPIO, PATIENT_S, SERIAL, eventually, running, settings

from devices.panel_frames import FrameParser, LightCode, Poll
from devices.simulation.panel_firmware import PanelFirmware
from devices.simulation.pty_bus import PtyBus
from firmware_py.core.contracts import Rejection
from firmware_py.core.worker import Life


@contextmanager
def line_of(*addresses: int) -> Iterator[tuple[PtyBus, dict[int, PanelFirmware], Path]]:
    """A line with panels in a thread of its own, as another process would have it, behind a path that stays."""
    panels = {at: PanelFirmware(at, 5, lambda: secrets.randbits(32), time.monotonic) for at in addresses}
    bus = PtyBus(panels.values())
    link = Path("/dev/shm") / f"nucuoi-test-{os.getpid()}-{secrets.token_hex(4)}"
    link.symlink_to(bus.path)
    life = Life()
    thread = threading.Thread(target=bus.run, args=(life,))
    thread.start()
    try:
        yield bus, panels, link
    finally:
        life.stopping.set()
        bus.wake()
        thread.join(10)
        bus.close()
        link.unlink(missing_ok=True)


def panel_at(path: Path, address: int = 7, **keys: Any) -> Any:
    return settings(SERIAL, wire=str(path), address=address, **keys)


def press(bus: PtyBus, panel: PanelFirmware, level: int) -> tuple[int, int]:
    with bus.lock:
        kept = panel.press(level)
    assert kept is not None
    return kept.nonce, kept.sequence


def test_presses_over_a_real_path_are_kept_acknowledged_and_marked_real():
    with line_of(7) as (bus, panels, path), running(panel_at(path), simulation=False) as rig:
        rig.available()
        identities = [press(bus, panels[7], level) for level in (5, 1, 3)]
        eventually(lambda: len(panels[7].acknowledged) == 3, "all acknowledged")
        assert [(one.nonce, one.sequence, one.level) for one in panels[7].acknowledged] == [
            (*identity, level) for identity, level in zip(identities, (5, 1, 3), strict=True)
        ]
        nonce = identities[0][0]
        assert [one.key for one in rig.journal.ratings] == [f"panel/{nonce:08x}/{n}" for n in (1, 2, 3)]
        assert [one.level for one in rig.journal.ratings] == [5, 1, 3]
        assert not any(one.simulated for one in rig.journal.ratings)


def test_a_lost_acknowledgement_is_said_again_and_the_press_is_submitted_once():
    lost: list[bytes] = []

    def lose_acknowledgements(direction: str, data: bytes) -> bytes:
        acks = [frame for frame, _ in FrameParser().feed(data) if direction == "to_panel" and any(frame.payload[1:])]
        if acks and len(lost) < 4:
            lost.append(data)
            return b""
        return data

    with line_of(7) as (bus, panels, path), running(panel_at(path)) as rig:
        rig.available()
        bus.noise = lose_acknowledgements
        press(bus, panels[7], 4)
        eventually(lambda: panels[7].acknowledged, "acknowledged in the end")
        assert len(lost) == 4
        assert len(rig.journal.ratings) == 1


def test_answers_that_are_lost_or_said_twice_leave_each_press_counted_once():
    turn = iter(range(10**9))

    def lose_and_double(direction: str, data: bytes) -> bytes:
        return data * (next(turn) % 3) if direction == "to_node" else data

    with line_of(7) as (bus, panels, path), running(panel_at(path)) as rig:
        rig.available()
        bus.noise = lose_and_double
        for level in (1, 2, 3, 4, 5):
            press(bus, panels[7], level)
        eventually(lambda: len(panels[7].acknowledged) == 5, "all acknowledged")
        assert [one.level for one in rig.journal.ratings] == [1, 2, 3, 4, 5]


def test_garbage_broken_and_half_written_frames_harm_nothing_and_are_counted():
    turn = iter(range(10**9))

    def spoil(direction: str, data: bytes) -> bytes:
        if direction == "to_panel":
            return data
        match next(turn) % 4:
            case 0:
                return b"\x00\xff:01" + os.urandom(20).replace(b":", b"") + data  # noise, then the answer
            case 1:
                return data[:11]  # half a frame
            case 2:
                return data.replace(b"0", b"8", 1)  # wrong checksum
            case _:
                return data

    with line_of(7) as (bus, panels, path), running(panel_at(path, poll_timeout_s=0.005)) as rig:
        rig.available()
        bus.noise = spoil
        for level in (1, 2, 3):
            press(bus, panels[7], level)
        eventually(lambda: len(panels[7].acknowledged) == 3, "all acknowledged")
        assert [one.level for one in rig.journal.ratings] == [1, 2, 3]
        damaged = rig.rack.self_tests()[0].figures["line_frames_damaged"]
        assert isinstance(damaged, int)
        assert damaged > 0


def test_frames_of_a_stranger_are_counted_and_passed_over():
    with line_of(7) as (bus, panels, path), running(panel_at(path)) as rig:
        rig.available()
        stranger = PanelFirmware(9, 5, lambda: 99, time.monotonic)
        stranger.press(1)
        bus.noise = lambda direction, data: (
            stranger.receive(Poll(LightCode.READY).frame(9).encode()) + data if direction == "to_node" else data
        )
        press(bus, panels[7], 2)
        eventually(lambda: panels[7].acknowledged, "acknowledged")
        assert [one.level for one in rig.journal.ratings] == [2]
        assert rig.rack.self_tests()[0].figures["line_frames_of_strangers"]


def test_a_press_that_the_journal_refuses_stays_in_the_panel_and_counts_when_it_can():
    with line_of(7) as (bus, panels, path), running(panel_at(path)) as rig:
        rig.available()
        rig.journal.refusing = True
        press(bus, panels[7], 3)
        eventually(lambda: panels[7].light is LightCode.UNAVAILABLE, "not available")
        eventually(lambda: len(rig.journal.ratings) >= 2, "asked again")
        assert not panels[7].acknowledged
        assert len(panels[7].pending) == 1
        assert rig.status().light == "unavailable"
        rig.journal.refusing = False
        eventually(lambda: panels[7].acknowledged, "acknowledged")
        kept = [key for key in rig.journal.kept if key[1] and key[1].startswith("panel/")]
        assert len(kept) == 1
        assert rig.journal.ratings[-1].pressed_ago_s > 0.9  # the finger's time, not the retry's


def test_nothing_is_acknowledged_while_the_journal_has_not_decided():
    with line_of(7) as (bus, panels, path), running(panel_at(path)) as rig:
        rig.available()
        rig.journal.held = []
        press(bus, panels[7], 3)
        eventually(lambda: rig.journal.held, "submitted")
        exchanges = rig.rack.self_tests()[0].figures["line_exchanges"]
        eventually(lambda: rig.rack.self_tests()[0].figures["line_exchanges"] >= exchanges + 5, "polls meanwhile")
        assert not panels[7].acknowledged
        assert len(rig.journal.ratings) == 1
        rig.journal.held[0].set_result(Rejection("unknown_level", "no such level"))
        eventually(lambda: panels[7].acknowledged, "acknowledged")


def test_a_press_that_a_rule_rejects_is_acknowledged_so_that_it_does_not_block_the_next():
    with line_of(7) as (bus, panels, path), running(panel_at(path)) as rig:
        rig.available()
        rig.journal.rejection = Rejection("unknown_level", "no such level")
        press(bus, panels[7], 5)
        eventually(lambda: panels[7].acknowledged, "acknowledged")
        rig.journal.rejection = None
        press(bus, panels[7], 1)
        eventually(lambda: len(panels[7].acknowledged) == 2, "the next one")
        figures = rig.rack.self_tests()[0].figures
        assert (figures["presses_rejected"], figures["last_rejection"]) == (1, "unknown_level")


def test_a_restarted_node_submits_the_unacknowledged_press_under_the_same_key():
    with line_of(7) as (bus, panels, path):
        with running(panel_at(path)) as first:
            first.available()
            first.journal.held = []
            press(bus, panels[7], 2)
            eventually(lambda: first.journal.ratings, "submitted")
        with running(panel_at(path)) as second:
            eventually(lambda: panels[7].acknowledged, "acknowledged after the restart")
            assert [one.key for one in second.journal.ratings] == [one.key for one in first.journal.ratings]


def test_an_unplugged_adapter_takes_all_its_panels_and_brings_them_back_under_another_path():
    with line_of(7, 8) as (bus, panels, path), running(panel_at(path), panel_at(path, 8, id="second")) as rig:
        rig.available()
        rig.available("second")
        bus.unplug_adapter()
        path.unlink()
        for device in ("panel", "second"):
            assert "RS-485" in rig.unavailable(device)
        press(bus, panels[8], 4)
        bus.plug_adapter()
        path.symlink_to(bus.path)
        rig.available()
        rig.available("second")
        eventually(lambda: panels[8].acknowledged, "the press made meanwhile")
        assert [one.level for one in rig.journal.ratings] == [4]


def test_a_silent_panel_does_not_slow_the_others():
    with line_of(7) as (bus, panels, path), running(panel_at(path), panel_at(path, 8, id="absent")) as rig:
        rig.available()
        eventually(lambda: "địa chỉ 8" in rig.status("absent").reason, "the absent one is silent")
        before = rig.rack.self_tests()[0].figures["line_exchanges"]
        started_s = time.monotonic()
        eventually(lambda: rig.rack.self_tests()[0].figures["line_exchanges"] >= before + 20, "twenty exchanges")
        # Twenty polls at 33 a second take 0.6 s, and at most one of them waits for the absent panel each second.
        assert time.monotonic() - started_s < 2
        started_s = time.monotonic()
        press(bus, panels[7], 1)
        eventually(lambda: panels[7].acknowledged, "acknowledged")
        assert time.monotonic() - started_s < 0.5


def test_the_silent_panel_is_available_when_it_comes():
    with line_of(7) as (bus, _, path), running(panel_at(path), panel_at(path, 8, id="late")) as rig:
        eventually(lambda: "địa chỉ 8" in rig.status("late").reason, "silent")
        bus.add(PanelFirmware(8, 5, lambda: 8, time.monotonic))
        rig.available("late")


def test_a_port_that_another_program_uses_is_unavailable_and_says_so():
    with line_of(7) as (_, _, path), running(panel_at(path)) as first:
        first.available()
        with running(panel_at(path)) as second:
            assert "chương trình khác" in second.status().reason
            assert second.status().available is False
        assert first.status().available


@pytest.mark.parametrize(
    ("wire", "words"), [("/dev/nucuoi-not-there", "không có thiết bị"), ("/dev/null", "Không mở được")]
)
def test_a_port_that_cannot_be_opened_says_why(wire, words):
    with running(settings(SERIAL, wire=wire)) as rig:
        assert words in rig.status().reason


def test_the_snapshot_shows_frames_with_direction_and_time_and_folds_repeats():
    with running(settings(SERIAL), settings(SERIAL, id="other", address=8)) as rig:
        rig.available()
        rig.far_end().press(2, hold_s=0.05)
        eventually(lambda: rig.journal.ratings, "the press")
        frames = rig.far_end().snapshot()["frames"]
        assert {one["direction"] for one in frames} == {"to_panel", "to_node"}
        assert all(one["text"].startswith(":07") for one in frames)
        assert len(frames) <= 20
        assert any(one["times"] > 1 for one in frames)


def test_a_held_button_is_seen_at_the_far_end():
    with running(settings(SERIAL)) as rig:
        rig.available()
        finger = threading.Thread(target=rig.far_end().press, args=(2,), kwargs={"hold_s": 0.3})
        finger.start()
        eventually(lambda: rig.far_end().snapshot()["buttons"] == {"1": False, "2": True, "3": False}, "held")
        finger.join()
        assert not any(rig.far_end().snapshot()["buttons"].values())


def test_many_panels_of_both_kinds_press_at_once_and_each_counts_once():
    gpio_2 = GPIO | {"buttons": {"1": 16, "2": 20, "3": 21}, "ready_led": 7, "thanks_led": 8, "detect_pin": 9}
    gpio_2["unavailable_led"] = 11
    devices = [
        settings(GPIO, id="g1", debounce_s=PATIENT_S),
        settings(gpio_2, id="g2", debounce_s=PATIENT_S),
        settings(SERIAL, id="s1", address=1),
        settings(SERIAL, id="s2", address=2),
    ]
    with running(*devices) as rig:
        fingers = []
        for one in devices:
            rig.available(one.id)
            for level in (1, 2, 3):
                finger = threading.Thread(
                    target=rig.far_end(one.id).press, args=(level,), kwargs={"bounces": 3, "hold_s": 3 * PATIENT_S}
                )
                fingers.append(finger)
        for finger in fingers:
            finger.start()
        for finger in fingers:
            finger.join()
        eventually(lambda: len(rig.journal.ratings) >= 12, "all presses")
        seen = sorted((one.source, one.level) for one in rig.journal.ratings)
        assert seen == sorted((one.id, level) for one in devices for level in (1, 2, 3))
