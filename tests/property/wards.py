"""What can happen to any ward, whoever reads its figures: the rules that the state machines of this folder share."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from worlds import World


class Ward(RuleBasedStateMachine):
    """Two presses after each other, time, ticks, restarts, power cuts and trust; `world` is made by who inherits."""

    world: World

    @rule(counter=st.sampled_from("12"), pause_s=st.sampled_from([0, 2, 5, 6, 8]))
    def two_presses(self, counter: str, pause_s: float) -> None:
        self.world.press(counter, 1)
        self.world.advance(pause_s)
        self.world.press(counter, 2)

    @rule(seconds=st.sampled_from([1, 4, 9, 600, 3600]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule()
    def tick(self) -> None:
        self.world.tick()

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule()
    def power_cut(self) -> None:
        self.world.power_cut()

    @rule()
    def trust(self) -> None:
        self.world.trust()
