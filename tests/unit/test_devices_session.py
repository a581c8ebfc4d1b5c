from __future__ import annotations

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.panel_frames import LightCode, PanelStatus, Poll, Press, read_poll
from devices.panel_session import (
    POLL_EVERY_S,
    POLL_SILENT_EVERY_S,
    RETRY_REFUSED_S,
    SILENT_POLLS,
    HeldButtons,
    PanelSession,
)
from devices.simulation.panel_firmware import ACKNOWLEDGED_REMEMBERED, FIFO_PRESSES, NODE_SILENT_S, PanelFirmware

NONCE = 0xABCD


def status(sequence: int = 0, *, nonce: int = NONCE, level: int = 5) -> PanelStatus:
    head = Press(nonce, sequence, level, 40) if sequence else None
    return PanelStatus(nonce, frozenset(), int(bool(sequence)), head)


def test_a_head_press_is_submitted_once_while_the_journal_decides():
    session = PanelSession()
    press = session.heard(status(1), 10.0)
    assert press == Press(NONCE, 1, 5, 40)
    assert session.heard(status(1), 10.1) is None


def test_nothing_is_acknowledged_before_the_journal_decided():
    session = PanelSession()
    press = session.heard(status(1), 10.0)
    assert press is not None
    assert (session.poll(LightCode.READY).acked_nonce, session.poll(LightCode.READY).acked_sequence) == (0, 0)
    session.decided(press, 10.01)
    poll = session.poll(LightCode.READY)
    assert (poll.acked_nonce, poll.acked_sequence) == (NONCE, 1)
    assert session.next_poll_s == 10.01  # at once: the panel is waiting


def test_a_lost_acknowledgement_is_repeated_and_the_press_not_submitted_again():
    session = PanelSession()
    press = session.heard(status(1), 10.0)
    assert press is not None
    session.decided(press, 10.0)
    assert session.heard(status(1), 10.1) is None
    assert session.poll(LightCode.READY).acked_sequence == 1
    assert session.next_poll_s == 10.1 + POLL_EVERY_S


def test_a_refused_press_is_not_acknowledged_and_tried_again_a_little_later():
    session = PanelSession()
    press = session.heard(status(1), 10.0)
    assert press is not None
    session.refused(press, 10.0)
    assert session.poll(LightCode.READY).acked_sequence == 0
    assert session.heard(status(1), 10.0 + RETRY_REFUSED_S / 2) is None
    assert session.heard(status(1), 10.0 + RETRY_REFUSED_S) == press


def test_a_panel_that_rebooted_while_the_journal_decided_gets_no_acknowledgement_for_its_new_life():
    session = PanelSession()
    press = session.heard(status(1), 10.0)
    assert press is not None
    session.heard(status(nonce=NONCE + 1), 10.1)
    session.decided(press, 10.2)
    assert session.poll(LightCode.READY).acked_sequence == 0
    assert session.heard(status(1, nonce=NONCE + 1), 10.3) == Press(NONCE + 1, 1, 5, 40)


def test_a_panel_is_silent_after_five_missed_polls_said_once_and_then_asked_seldom():
    session = PanelSession()
    assert [session.missed(1.0 + index / 10) for index in range(8)].count(True) == 1
    assert session.missed_in_a_row == 8 > SILENT_POLLS
    assert session.next_poll_s == 1.7 + POLL_SILENT_EVERY_S
    session.hurry(1.8)
    assert session.next_poll_s == 1.7 + POLL_SILENT_EVERY_S


def test_a_restart_is_another_boot_of_a_panel_that_was_met_before():
    session = PanelSession()
    seen = []
    for nonce in (NONCE, NONCE, NONCE + 1, NONCE + 1, NONCE + 2):
        session.heard(status(nonce=nonce), 10.0)
        seen.append(session.restarts)
    assert seen == [0, 0, 1, 1, 2]


def test_a_line_that_comes_back_is_no_restart_of_its_panels():
    session = PanelSession()
    session.heard(status(), 10.0)
    session.line_lost()
    session.heard(status(), 20.0)
    assert session.restarts == 0


def test_a_panels_memory_of_what_was_acknowledged_is_bounded():
    panel = PanelFirmware(1, 5, lambda: 7, lambda: 0.0)
    for sequence in range(1, ACKNOWLEDGED_REMEMBERED + 11):
        panel.press(1)
        panel.receive(Poll(LightCode.READY, 7, sequence).frame(1).encode())
    assert [one.sequence for one in panel.acknowledged] == list(range(11, ACKNOWLEDGED_REMEMBERED + 11))


def test_on_a_slow_line_a_second_without_answer_is_silence_too():
    session = PanelSession()
    session.heard(status(), 10.0)
    assert session.missed(10.6) is False
    assert session.missed(11.2) is True


def test_one_missed_poll_is_not_silence_however_long_ago_the_last_answer_was():
    session = PanelSession()
    session.heard(status(), 10.0)
    assert session.missed(19.0) is False


def test_a_silent_panel_that_answers_can_become_silent_again():
    session = PanelSession()
    for _ in range(5):
        session.missed(1.0)
    session.heard(status(), 2.0)
    assert [session.missed(2.1) for _ in range(5)] == [False, False, False, False, True]


def test_a_held_button_is_stuck_after_its_time_and_well_when_released():
    held = HeldButtons(stuck_after_s=30)
    assert held.see(frozenset({2, 3}), 100.0) == []
    assert held.see(frozenset({2}), 129.9) == []
    assert held.see(frozenset({2}), 130.0) == [(2, True)]
    assert held.see(frozenset({2}), 140.0) == []
    assert held.see(frozenset(), 141.0) == [(2, False)]


# The whole protocol, panel and node, over a line that loses frames in both directions, with crashes of the node
# before and after its journal kept a press, and panel reboots. The journal is a set of keys, as the real one is.
actions = st.lists(
    st.sampled_from(
        [
            "press",
            "press",
            "poll",
            "poll",
            "poll",
            "lose poll",
            "lose answer",
            "crash before",
            "crash after",
            "refuse",
            "reboot",
        ]
    ),
    max_size=120,
)


@settings(deadline=None)
@given(actions)
def test_what_the_panel_was_told_is_kept_was_kept_and_what_was_kept_was_kept_once(steps):
    now_s = [0.0]
    nonces = iter(range(1, 1000))
    panel = PanelFirmware(1, 5, lambda: next(nonces), lambda: now_s[0])
    session = PanelSession()
    kept: dict[tuple[int, int], int] = {}
    pressed: dict[tuple[int, int], int] = {}

    def exchange(step: str) -> None:
        nonlocal session
        request = session.poll(LightCode.READY).frame(1)
        assert read_poll(request).light is LightCode.READY
        answer = panel.receive(request.encode()) if step != "lose poll" else b""
        if not answer or step == "lose answer":
            session.missed(now_s[0])
            return
        press = session.heard(panel.status(), now_s[0])
        if press is None:
            return
        if step == "refuse":
            session.refused(press, now_s[0])
        elif step == "crash before":
            session = PanelSession()
        else:
            assert kept.setdefault((press.nonce, press.sequence), press.level) == press.level
            if step == "crash after":
                session = PanelSession()
            else:
                session.decided(press, now_s[0])

    def act(step: str) -> None:
        now_s[0] += RETRY_REFUSED_S
        if step == "press":
            one = panel.press(len(pressed) % 5 + 1)
            if one is not None:
                pressed[one.nonce, one.sequence] = one.level
        elif step == "reboot":
            panel.power(on=False)
            panel.power(on=True)
        else:
            exchange(step)

    for step in steps:
        act(step)
        assert {(one.nonce, one.sequence) for one in panel.acknowledged} <= kept.keys()
    for _ in range(2 * FIFO_PRESSES + 2):
        act("poll")
    assert panel.pending == ()
    told = [(one.nonce, one.sequence) for one in panel.acknowledged]
    assert len(told) == len(set(told))
    # All of the last boot arrived; of earlier boots, what the panel was told (and perhaps the answer it did not hear).
    assert {key for key in pressed if key[0] == panel.nonce} <= kept.keys()
    assert all(pressed[key] == level for key, level in kept.items())


def test_the_panel_shows_not_available_when_nobody_asks_it():
    now_s = [0.0]
    panel = PanelFirmware(1, 3, lambda: 7, lambda: now_s[0])
    panel.receive(PanelSession().poll(LightCode.READY).frame(1).encode())
    assert panel.light is LightCode.READY
    now_s[0] += NODE_SILENT_S + 0.1
    assert panel.light is LightCode.UNAVAILABLE


def test_a_full_panel_says_so_and_keeps_the_oldest():
    panel = PanelFirmware(1, 3, lambda: 7, lambda: 0.0)
    panel.receive(PanelSession().poll(LightCode.READY).frame(1).encode())
    kept = [panel.press(1) for _ in range(FIFO_PRESSES)]
    assert panel.press(2) is None
    assert (panel.light, list(panel.pending), panel.dropped_presses) == (LightCode.UNAVAILABLE, kept, 1)


def test_the_panel_keeps_its_presses_when_an_acknowledgement_belongs_to_another_boot():
    panel = PanelFirmware(1, 3, lambda: 7, lambda: 0.0)
    kept = panel.press(1)
    panel.receive(Poll(LightCode.READY, acked_nonce=8, acked_sequence=1).frame(1).encode())
    assert (panel.pending, panel.acknowledged) == ((kept,), deque())
    panel.receive(Poll(LightCode.READY, acked_nonce=7, acked_sequence=1).frame(1).encode())
    assert (panel.pending, panel.acknowledged) == ((), deque([kept]))


def test_the_panel_debounces_its_own_contacts_and_dates_a_press_by_its_first_touch():
    now_s = [100.0]
    panel = PanelFirmware(1, 3, lambda: 7, lambda: now_s[0])
    for _ in range(5):
        panel.contact(2, closed=True)
        now_s[0] += 0.001
        panel.contact(2, closed=False)
        now_s[0] += 0.001
    panel.contact(2, closed=True)
    now_s[0] += 0.05
    answer = panel.status()
    assert answer.head == Press(7, 1, 2, 60)
    assert (answer.held, answer.pending) == (frozenset({2}), 1)


def test_a_press_that_was_over_before_the_next_question_counts():
    now_s = [100.0]
    panel = PanelFirmware(1, 3, lambda: 7, lambda: now_s[0])
    for closed in (True, False, True, False):
        panel.contact(3, closed=closed)
        now_s[0] += 0.05
    assert [(one.level, one.at_s) for one in panel.pending] == [(3, 100.0), (3, 100.1)]


def test_a_button_held_at_boot_is_no_press_of_that_boot():
    now_s = [100.0]
    panel = PanelFirmware(1, 3, lambda: 7, lambda: now_s[0])
    panel.contact(2, closed=True)
    panel.power(on=False)
    panel.power(on=True)
    now_s[0] += 1
    assert panel.status().head is None
    assert panel.status().held == frozenset({2})
