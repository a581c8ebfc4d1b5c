from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.debounce import Button, ButtonRules, Fault, Faulted, Outcome, Pressed, Recovered

RULES = ButtonRules(debounce_s=0.02, stuck_after_s=30, chatter_edges=200, chatter_window_s=2)
START_S = 1000.0

Edges = list[tuple[float, bool]]


def burst(start_s: float, to: bool, gaps_s: list[float]) -> Edges:
    """The edges of one contact movement: to the new state, then `gaps_s` pairs of bounces, ending in the new state."""
    edges: Edges = [(start_s, to)]
    for gap_s in gaps_s:
        edges.append((edges[-1][0] + gap_s, not to))
        edges.append((edges[-1][0] + gap_s, to))
    return edges


def play(edges: Edges, *, until_s: float, timely: bool, rules: ButtonRules = RULES) -> list[Outcome]:
    """What a button makes of the edges: looked at exactly at each deadline, or only when the next edge comes."""
    button = Button(rules, pressed=False, uptime_s=START_S)
    outcomes: list[Outcome] = []
    for at_s, pressed in edges:
        while timely and button.deadline_s is not None and button.deadline_s < at_s:
            outcomes += button.settle(button.deadline_s)
        outcomes += button.edge(at_s, pressed=pressed)
    while button.deadline_s is not None and button.deadline_s <= until_s:
        outcomes += button.settle(button.deadline_s)
    return outcomes


bounce_gaps = st.lists(st.floats(0.0001, 0.0095), max_size=6)
fingers = st.lists(
    st.tuples(bounce_gaps, st.floats(0.021, 5), bounce_gaps, st.floats(0.021, 5)), min_size=1, max_size=8
)


def edges_of(presses: list[tuple[list[float], float, list[float], float]]) -> tuple[Edges, list[float]]:
    edges: Edges = []
    touched_s: list[float] = []
    at_s = START_S + 1
    for closing, hold_s, opening, rest_s in presses:
        touched_s.append(at_s)
        edges += burst(at_s, True, closing)
        edges += burst(edges[-1][0] + hold_s, False, opening)
        at_s = edges[-1][0] + rest_s
    return edges, touched_s


@settings(deadline=None)
@given(fingers, st.booleans())
def test_n_presses_with_any_bounces_are_n_presses_at_their_first_touch(presses, timely):
    edges, touched_s = edges_of(presses)
    rules = ButtonRules(0.02, 30, chatter_edges=10_000, chatter_window_s=2)
    outcomes = play(edges, until_s=edges[-1][0] + 1, timely=timely, rules=rules)
    assert outcomes == [Pressed(at_s) for at_s in touched_s]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.0001, 40), st.booleans()), max_size=80))
def test_what_happened_does_not_depend_on_how_late_it_is_looked_at(moves):
    at_s, edges = START_S, []
    for gap_s, pressed in moves:
        at_s += gap_s
        edges.append((at_s, pressed))
    rules = ButtonRules(0.02, 30, chatter_edges=20, chatter_window_s=2)
    timely = play(edges, until_s=at_s + 100, timely=True, rules=rules)
    late = play(edges, until_s=at_s + 100, timely=False, rules=rules)
    assert timely == late


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.0001, 40), st.booleans()), max_size=120))
def test_a_press_needs_a_contact_that_was_still_and_no_two_touch(moves):
    at_s, edges = START_S, []
    for gap_s, pressed in moves:
        at_s += gap_s
        edges.append((at_s, pressed))
    presses = [one for one in play(edges, until_s=at_s + 100, timely=True) if isinstance(one, Pressed)]
    closing = {at for at, pressed in edges if pressed}
    assert all(one.at_s in closing for one in presses)
    assert all(later.at_s - earlier.at_s >= RULES.debounce_s for earlier, later in pairwise(presses))


def test_a_touch_shorter_than_the_debounce_time_is_a_glitch_and_counted():
    button = Button(RULES, pressed=False, uptime_s=START_S)
    outcomes = button.edge(START_S + 1, pressed=True) + button.edge(START_S + 1.005, pressed=False)
    outcomes += button.settle(START_S + 2)
    assert (outcomes, button.glitches) == ([], 1)


def test_a_press_is_reported_as_soon_as_the_contact_was_still_and_not_before():
    button = Button(RULES, pressed=False, uptime_s=START_S)
    button.edge(START_S + 1, pressed=True)
    deadline_s = button.deadline_s
    assert deadline_s is not None
    assert deadline_s == START_S + 1 + 0.02
    assert button.settle(deadline_s - 1e-6) == []
    assert button.settle(deadline_s) == [Pressed(START_S + 1)]


def test_a_hold_is_one_press_and_after_its_time_stuck_until_released():
    outcomes = play([(START_S + 1, True), (START_S + 100, False)], until_s=START_S + 200, timely=True)
    assert outcomes == [Pressed(START_S + 1), Faulted(Fault.STUCK), Recovered()]


def test_a_stuck_button_works_again_after_its_release():
    edges = [(START_S + 1, True), (START_S + 100, False), (START_S + 101, True), (START_S + 101.2, False)]
    assert play(edges, until_s=START_S + 200, timely=True)[-1] == Pressed(START_S + 101)


def test_a_button_that_is_down_at_the_start_is_never_a_press_but_is_stuck():
    button = Button(RULES, pressed=True, uptime_s=START_S)
    assert button.deadline_s == START_S + 30
    assert button.settle(START_S + 29.9) == []
    assert button.settle(START_S + 30) == [Faulted(Fault.STUCK)]
    assert button.edge(START_S + 40, pressed=False) == []
    assert button.settle(START_S + 41) == [Recovered()]
    button.edge(START_S + 42, pressed=True)
    assert button.settle(START_S + 43) == [Pressed(START_S + 42)]


def chatter(start_s: float, edges: int, gap_s: float = 0.001) -> Edges:
    return [(start_s + index * gap_s, index % 2 == 0) for index in range(edges)]


def test_exactly_the_allowed_number_of_edges_is_still_a_button():
    allowed = chatter(START_S + 1, RULES.chatter_edges)
    assert play(allowed, until_s=START_S + 50, timely=True) == []


def test_one_edge_more_cuts_it_off_without_a_press_until_it_was_quiet_for_the_window():
    edges = chatter(START_S + 1, RULES.chatter_edges + 1)
    edges.append((edges[-1][0] + 0.5, False))  # it ended closed; a chattering button that stays down stays cut off
    outcomes = play(edges, until_s=START_S + 50, timely=True)
    assert outcomes == [Faulted(Fault.CHATTERING), Recovered()]


def test_a_press_while_cut_off_does_not_count_and_one_after_recovery_does():
    edges = chatter(START_S + 1, RULES.chatter_edges + 2)
    edges += [(START_S + 2, True), (START_S + 2.2, False)]  # within the window after the chatter
    edges += [(START_S + 10, True), (START_S + 10.2, False)]
    outcomes = play(edges, until_s=START_S + 50, timely=True)
    assert outcomes == [Faulted(Fault.CHATTERING), Recovered(), Pressed(START_S + 10)]


def test_slow_edges_are_no_chatter():
    assert Faulted(Fault.CHATTERING) not in play(
        chatter(START_S + 1, 1000, gap_s=0.015), until_s=START_S + 50, timely=True
    )


def test_an_edge_that_arrives_with_an_older_time_never_moves_time_backwards():
    button = Button(RULES, pressed=False, uptime_s=START_S)
    button.edge(START_S + 1, pressed=True)
    button.edge(START_S + 0.5, pressed=False)
    button.edge(START_S + 1.001, pressed=True)
    assert button.settle(START_S + 2) == [Pressed(START_S + 1)]
