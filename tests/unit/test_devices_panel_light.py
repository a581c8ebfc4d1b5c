from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.panel import PanelLight, light

times = st.floats(0, 1e6)


@settings(deadline=None)
@given(st.booleans(), st.booleans(), times, times)
def test_ready_or_thanks_are_shown_only_while_a_press_would_be_kept(available, accepting, until_s, now_s):
    shown = light(available=available, accepting=accepting, thanks_until_uptime_s=until_s, now_uptime_s=now_s)
    assert (shown == "unavailable") == (not (available and accepting))
    if shown != "unavailable":
        assert (shown == "thanks") == (now_s < until_s)


def test_thanks_last_until_their_time_and_no_longer_than_their_longest():
    panel = PanelLight(thanks_s=2)
    assert panel.thank(11.0, 10.0)
    assert (panel.shows(10.99, available=True), panel.shows(11.0, available=True)) == ("thanks", "ready")
    assert panel.deadline_s(10.5) == 11.0
    assert panel.thank(1e9, 20.0)  # e.g. a deadline reckoned in another boot's uptime
    assert (panel.shows(21.9, available=True), panel.shows(22.0, available=True)) == ("thanks", "ready")


def test_thanks_that_are_over_are_not_shown():
    panel = PanelLight(thanks_s=2)
    assert not panel.thank(9.0, 10.0)
    assert panel.shows(10.0, available=True) == "ready"


def test_a_refused_press_ends_the_thanks_and_shows_not_available_for_a_moment():
    panel = PanelLight(thanks_s=2, retry_s=2)
    panel.thank(12.0, 10.0)
    panel.refuse(10.5)
    assert (panel.shows(10.6, available=True), panel.shows(12.5, available=True)) == ("unavailable", "ready")
    assert panel.deadline_s(11.0) == 12.5


def test_the_next_thanks_end_the_refusal():
    panel = PanelLight(thanks_s=2, retry_s=2)
    panel.refuse(10.0)
    panel.thank(12.0, 10.1)
    assert panel.shows(10.2, available=True) == "thanks"
