"""What a long past costs: the same questions to a node with many events and to one with a hundredth of them.

Both nodes run at the same time, each with its own city, and are asked in turns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from big_journal import build
from figures import Figure, median, ratio_at_most, value_at_most
from real_node import NodeProcess

BUCKETS = "/api/v1/buckets?limit=200"  # fewer than two days have: the first page is the same in both
BACK = 100  # events that a display missed
HTTP_PRESS = "one press over HTTP"  # told only: its commit depends on the disk's mood
AIM = ratio_at_most(1.2)
Ask = Callable[[NodeProcess], float]


@dataclass(frozen=True, slots=True)
class Size:
    """Events of the two journals, and how often each question is asked."""

    many: int
    few: int
    rounds: int


FULL = Size(many=2_000_000, few=20_000, rounds=101)
QUICK = Size(many=200_000, few=20_000, rounds=31)


def scale_figures(size: Size, tell: Callable[[str], None]) -> list[Figure]:
    """Medians of each question at `many` events against `few`."""
    floor = f"{size.few:,} events"
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folders = [Path(name) / "few", Path(name) / "many"]
        for folder, events in zip(folders, (size.few, size.many), strict=True):
            build(folder, events, tell)
        tell(f"journals of {size.few:,} and {size.many:,} events")
        nodes = [stack.enter_context(NodeProcess(folder)) for folder in folders]
        starts = [node.first_press_s() for node in nodes]
        for node in nodes:
            tell(f"the city took everything after {node.wait_all_accepted():.1f} s")
        _all_there(nodes, (size.few, size.many))
        figures = [Figure("start to first press, both at once", starts[1], starts[0], floor, "s")]
        scrapes = [node.first_scrape_s() for node in nodes]
        figures.append(Figure("the first scrape, which adds up the past", scrapes[1], scrapes[0], floor, "s"))
        newest = {node.pid: node.newest_cursor() for node in nodes}
        for question, ask in _questions(newest).items():
            few_s, many_s = _in_turns(ask, nodes, size.rounds)
            aim = None if question == HTTP_PRESS else AIM
            figures.append(Figure(question, many_s * 1000, few_s * 1000, floor, "ms", aim))
        held = [node.memory_bytes()["rss"] / (1 << 20) for node in nodes]
        figures.append(Figure("resident memory with a long past", held[1], held[0], floor, "MiB", value_at_most(100)))
    return figures


def _all_there(nodes: Sequence[NodeProcess], events: Sequence[int]) -> None:
    """A quick answer must also be the right one: every press of the past, and the one that ended the start."""
    for node, past in zip(nodes, events, strict=True):
        if node.city_n() != past + 1:
            raise RuntimeError(f"the city counts {node.city_n()} ratings and not {past + 1}")


def _questions(newest: Mapping[int, str]) -> dict[str, Ask]:
    today = datetime.now(UTC).date().isoformat()
    board = "/v1/scoreboard?simulated=true"
    return {
        "health": lambda node: node.get_s("/api/v1/health"),
        "outbox figures": lambda node: node.get_s("/api/v1/outbox"),
        "/metrics": lambda node: node.get_s("/metrics"),
        "the newest page of buckets": lambda node: node.get_s(f"{BUCKETS}&after={newest[node.pid]}"),
        "the first page of buckets": lambda node: node.get_s(BUCKETS),
        "the city's scoreboard, all time": lambda node: node.get_s(board, city=True),
        "the city's scoreboard, today": lambda node: node.get_s(f"{board}&from={today}&to={today}", city=True),
        "stream start": lambda node: node.stream_s(last_id=None, events=1)[0],
        f"stream resume, {BACK} events back": _resume_s,
        HTTP_PRESS: NodeProcess.press_s,
    }


def _in_turns(ask: Ask, nodes: list[NodeProcess], rounds: int) -> tuple[float, float]:
    """Medians of asking the one, then the other, `rounds` times; the first answers warm up."""
    answers: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for node, into in zip(nodes, answers, strict=True):
            into.append(ask(node))
    few, many = answers
    return median(few[1:]), median(many[1:])


def _resume_s(node: NodeProcess) -> float:
    _, here = node.stream_s(last_id=None, events=1)
    journal_id, seq = here.split(":")
    return node.stream_s(last_id=f"{journal_id}:{int(seq) - BACK}", events=BACK)[0]
