"""A month's backlog of one node, sent to the city as the node sends it: the product's own client, gzip, a real socket, a real
receiver process, PostgreSQL that waits for the disk (and SQLite, told only)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from figures import Figure, ratio_at_most, value_at_most
from real_node import DEADLINE_S, memory_bytes
from support.postgres import Cluster

from firmware_py.core.clock import iso_hour
from firmware_py.core.events import canonical_json
from sync.answers import Answered
from sync.city_client import CityClient

HOURS, SERIES = 720, 60  # 43,200 buckets: 30 days of a node with 12 counters and 5 levels
BATCH = 500
SITE, NODE, TOKEN = "bench", "hub", "a-token-for-the-bench"
EPOCH = "0123456789abcdef" * 2
MIB = 1 << 20
Wire = dict[str, Any]

BARE_TABLE = """CREATE TABLE bare (node_id int, hour text COLLATE "C", epoch text, series_key text, series text, labels text,
    simulated boolean, definition int, revision bigint, final boolean, partial boolean, value text, amount bigint,
    received_at text, PRIMARY KEY (node_id, hour, epoch, series_key))"""
BARE_UPSERT = """INSERT INTO bare VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (node_id, hour, epoch, series_key) DO UPDATE SET revision = excluded.revision, final = excluded.final,
    partial = excluded.partial, value = excluded.value, amount = excluded.amount, received_at = excluded.received_at"""


class Sent(NamedTuple):
    """Seconds until all of it was accepted, and what the receiver held then, after a tenth, and before: bytes."""

    lasted_s: float
    rss_end: int
    rss_tenth: int
    rss_start: int


def city_figures(rounds: int, tell: Callable[[str], None]) -> list[Figure]:
    """The fastest of some rounds, each in turn with its floor: what the neighbours take is nobody's figure."""
    batches = list(_batches())
    count = sum(map(len, batches))
    sent, floor, sqlite = list[Sent](), list[float](), list[Sent]()
    with Cluster(fsync=True) as cluster, tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            with cluster.database() as url:
                sent.append(_send(url, batches, Path(folder) / "receiver.log"))
            floor.append(_bare(cluster, batches))
            sqlite.append(_send(f"sqlite:///{folder}/city-{number}.db", batches, Path(folder) / "receiver.log"))
            tell(
                f"{count:,} buckets: {sent[-1].lasted_s:.2f} s, bare {floor[-1]:.2f} s, SQLite {sqlite[-1].lasted_s:.2f} s"
            )
    best, bare_s, plain = min(sent), min(floor), min(sqlite)
    bare = "executemany, no HTTP"
    return [
        Figure(f"{count:,} buckets to the city", best.lasted_s, bare_s, bare, "s", value_at_most(5)),
        Figure("buckets to the city", count / best.lasted_s, count / bare_s, bare, "/s"),
        Figure("receiver's memory, all of it sent", best.rss_end / MIB, best.rss_tenth / MIB, "a tenth sent", "MiB", ratio_at_most(1.1)),
        Figure("receiver's memory, a tenth sent", best.rss_tenth / MIB, best.rss_start / MIB, "nothing sent", "MiB"),
        Figure("the same buckets, city on SQLite", plain.lasted_s, bare_s, bare, "s"),
        Figure("receiver's memory on SQLite, all sent", plain.rss_end / MIB, plain.rss_tenth / MIB, "a tenth sent", "MiB"),
    ]  # fmt: skip


def _batches() -> Iterator[list[Wire]]:
    first = datetime.now(UTC) - timedelta(hours=HOURS)
    wires = [
        {
            "epoch": EPOCH,
            "series": "ratings",
            "labels": {"counter": str(number // 5 + 1), "level": str(number % 5 + 1)},
            "hour": iso_hour(first + timedelta(hours=hour)),
            "revision": hour * SERIES + number + 1,
            "definition": 1,
            "final": True,
            "partial": False,
            "simulated": False,
            "value": {"count": (hour * 7 + number) % 40},
        }
        for hour in range(HOURS)
        for number in range(SERIES)
    ]
    for start in range(0, len(wires), BATCH):
        yield wires[start : start + BATCH]


def _send(database: str, batches: Sequence[list[Wire]], log: Path) -> Sent:
    with _receiver(database, log) as (url, pid):
        client = CityClient(url, TOKEN, site=SITE, node=NODE, connect_timeout_s=5, read_timeout_s=60)
        try:
            _deliver(client, [])  # the connection stands, and the receiver has answered once
            held = [memory_bytes(pid)["rss"]]
            began, looking_s = time.perf_counter(), 0.0
            for number, batch in enumerate(batches, start=1):
                _deliver(client, batch)
                if number in (len(batches) // 10, len(batches)):
                    looked = time.perf_counter()
                    held.append(memory_bytes(pid)["rss"])
                    looking_s += time.perf_counter() - looked
            lasted_s = time.perf_counter() - began - looking_s
        finally:
            client.close()
    start, tenth, end = held
    return Sent(lasted_s, end, tenth, start)


def _deliver(client: CityClient, batch: list[Wire]) -> None:
    outcome = client.send("00ff00ff00ff", batch)
    if not isinstance(outcome, Answered):
        raise RuntimeError(f"the city did not answer: {outcome}")  # noqa: TRY004 - no wrong type, a wrong answer
    refused = [result for result in outcome.answer.results if result.outcome != "accepted"]
    if refused:
        raise RuntimeError(f"the city did not accept: {refused[:3]}")


@contextmanager
def _receiver(database: str, log: Path) -> Iterator[tuple[str, int]]:
    """`nucuoi receiver` as a process: its address and pid."""
    command = [sys.executable, "-m", "firmware_py", "receiver", "--port", "0", "--database", database]
    environment = {**os.environ, "NUCUOI_RECEIVER_NODES": f"{SITE}/{NODE}={TOKEN}"}
    with log.open("w") as words:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, text=True, env=environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the receiver did not start: {log.read_text()[-2000:]}")
        yield line.split()[1], process.pid
    finally:
        process.terminate()
        process.wait(DEADLINE_S)
        if process.stdout is not None:
            process.stdout.close()


def _bare(cluster: Cluster, batches: Sequence[list[Wire]]) -> float:
    """Seconds of the same rows without a line of ours: one prepared statement, 500 rows a transaction, each on the disk."""
    name = cluster.new_database()
    rows = [[_row(wire) for wire in batch] for batch in batches]
    try:
        with closing(cluster.connect(name)) as connection:
            connection.execute(BARE_TABLE)
            connection.autocommit = False
            began = time.perf_counter()
            for batch in rows:
                _insert(connection, batch)
            return time.perf_counter() - began
    finally:
        cluster.drop_database(name)


def _insert(connection: psycopg.Connection[Any], rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(BARE_UPSERT, rows)
    connection.commit()


def _row(wire: Wire) -> tuple[Any, ...]:
    labels = canonical_json(wire["labels"])
    count = wire["value"]["count"]
    return (
        *(1, wire["hour"], wire["epoch"], labels, wire["series"], labels, wire["simulated"], wire["definition"]),
        *(wire["revision"], wire["final"], wire["partial"], canonical_json(wire["value"]), count, wire["hour"]),
    )
