"""`journal verify`: a journal that the writer wrote is good; whatever is changed afterwards is found, and where."""

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database
from support.fake_clock import WRONG_TIME, FakeClock
from support.journals import do, hall_features, press, running_journal

from firmware_py.core.contracts import ReportDevice, StartNode, StopNode, Tick, TrustClock
from firmware_py.core.errors import JournalUnreadable
from firmware_py.core.journal.verify import verify


def verified(folder, **more):
    return verify(folder / "journal.db", hall_features(), **more)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A small journal with a bit of everything."""
    tmp_path, clock = tmp_path_factory.mktemp("untouched"), FakeClock()
    with running_journal(tmp_path, clock) as journal:
        do(journal, StartNode(source="node", version="1"))
        do(journal, TrustClock(source="clock", origin="network"))
        do(journal, ReportDevice(source="panel-1", device="panel-1", available=True))
        for level in (5, 4, 3):
            press(journal, level)
            clock.advance(2)
        press(journal, 5, purpose="test")
        clock.advance(3700)
        do(journal, Tick(source="node"))
        press(journal, 5)
    clock.reboot("boot-2", WRONG_TIME)
    with running_journal(tmp_path, clock) as journal:
        do(journal, StartNode(source="node", version="1"))
        press(journal, 4)
        clock.trust(28_000_000.0)
        do(journal, TrustClock(source="clock", origin="network"))
        do(journal, StopNode(source="node"))
    return tmp_path


@pytest.fixture
def folder(untouched, tmp_path):
    """A copy of it, to tamper with."""
    shutil.copy(untouched / "journal.db", tmp_path)
    return tmp_path


def tamper(folder, sql, *parameters):
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        changed = db.execute(sql, parameters).rowcount
        db.commit()
    assert changed > 0, "nothing was tampered with"


def edit(folder, table, key, values):
    with closing(Database(folder / "journal.db")) as db:
        db.table(table).update(key, values)


def findings(folder):
    return {finding.where: finding.text for finding in verified(folder).findings}


def test_a_journal_that_the_writer_wrote_is_good(folder):
    verdict = verified(folder)
    assert verdict.findings == ()
    assert verdict.events > 12
    assert verdict.buckets > 5


def test_progress_is_told_up_to_the_end(folder):
    told = []
    verdict = verified(folder, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (verdict.events, verdict.events)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("type", "rating.forgotten"),
        ("source", "somebody"),
        ("time", "2026-11-23T01:00:01.000Z"),
        ("uptime_s", 1.0),
        ("boot_id", "x"),
        ("clock_trusted", 0),
        ("epoch", "0" * 32),
        ("simulated", 1),
        ("purpose", "test"),
        ("id", "0"),
        (
            "data",
            '{"counter":"1","definition":1,"level":1,"outcome":"counted","pressed_ago_s":0.0,"reason":null,"ticket":null}',
        ),
        ("hash", "0" * 64),
    ],
)
def test_each_field_of_an_event_that_was_edited_is_found_at_its_event(folder, column, value):
    edit(folder, "event", 4, {column: value})
    assert "hash does not follow" in findings(folder)["event 4"]


def test_an_edited_vote_shows_in_its_buckets_too(folder):
    tamper(folder, "UPDATE event SET data = replace(data, '\"level\":5', '\"level\":1') WHERE seq = 4")
    found = findings(folder)
    assert any(where.startswith('bucket ratings{"counter":"1","level":"1"}') for where in found)


def test_an_event_that_was_taken_out_is_found_where_it_is_missing(folder):
    tamper(folder, "DELETE FROM event WHERE seq = 5")
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        rows = db.execute("SELECT seq FROM event").fetchall()
    assert (5,) not in rows
    texts = [finding.text for finding in verified(folder).findings if finding.where == "event 6"]
    assert any("events 5 to 5 are missing" in text for text in texts)


def test_an_event_that_was_put_in_is_found(folder):
    tamper(
        folder,
        "INSERT INTO event SELECT 1000, id, type, source, time, boot_id, uptime_s, clock_trusted, epoch, simulated, purpose, data, hash FROM event WHERE seq = 4",
    )
    assert "event 1000" in findings(folder)


def test_the_last_events_taken_out_show_in_the_buckets(folder):
    tamper(folder, "DELETE FROM event WHERE seq >= 11")
    assert any(where.startswith("bucket ") for where in findings(folder))


def test_data_that_is_no_json_is_named_and_the_rest_is_still_read(folder):
    tamper(folder, "UPDATE event SET data = '{no json' WHERE seq = 4")
    verdict = verified(folder)
    texts = [finding.text for finding in verdict.findings if finding.where == "event 4"]
    assert any("cannot be folded again" in text for text in texts)
    assert verdict.events > 12


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"value": '{"count":99}'}, '{"count":99}'),
        ({"value": "rubbish"}, "rubbish"),
        ({"revision": 1000}, "but the events give"),
        ({"final": 0}, "but the events give"),
        ({"partial": 1}, "but the events give"),
    ],
)
def test_an_edited_bucket_is_found(folder, changes, told):
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        (id_,) = db.execute("SELECT min(id) FROM bucket WHERE series = 'ratings'").fetchone()
    edit(folder, "bucket", id_, changes)
    found = findings(folder)
    assert len(found) == 1
    (where, text) = found.popitem()
    assert where.startswith("bucket ratings{")
    assert told in text


def test_a_bucket_that_was_taken_out_is_found(folder):
    tamper(folder, "DELETE FROM bucket WHERE series = 'ratings_excluded' OR series = 'ratings_corrected'")
    assert any("is missing" in text for text in findings(folder).values())


def test_a_bucket_that_was_put_in_is_found(folder):
    tamper(
        folder,
        "INSERT INTO bucket (epoch, series, labels, hour, simulated, definition, value, revision) "
        "SELECT epoch, series, '{}', hour, simulated, definition, value, revision FROM bucket LIMIT 1",
    )
    assert any("no event gives it" in text for text in findings(folder).values())


@pytest.mark.parametrize(
    "change",
    [
        "pending_since = NULL",
        "accepted_revision = 9999",
        "pending_since = '2026-11-23T01:00:00.000Z', rejected_code = 'invalid'",
    ],
)
def test_a_bucket_that_would_never_be_sent_is_found(folder, change):
    tamper(folder, f"UPDATE bucket SET {change} WHERE id = (SELECT min(id) FROM bucket WHERE series = 'ratings')")
    assert [text for text in findings(folder).values() if "neither waiting" in text]


def test_what_the_city_accepted_is_no_matter_of_the_events(folder):
    tamper(folder, "UPDATE bucket SET accepted_revision = revision, pending_since = NULL")
    assert verified(folder).findings == ()


def test_a_value_with_its_keys_in_another_order_is_the_same_value(folder):
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        for id_, value in db.execute("SELECT id, value FROM bucket").fetchall():
            backward = dict(reversed(json.loads(value).items()))
            db.execute("UPDATE bucket SET value = ? WHERE id = ?", (json.dumps(backward), id_))
        db.commit()
    assert verified(folder).findings == ()


def test_a_running_node_may_be_verified(folder):
    with running_journal(folder, FakeClock(boot_id="boot-3")) as journal:
        press(journal, 5)
        assert verified(folder).findings == ()


def test_verifying_changes_nothing(folder):
    before = (folder / "journal.db").read_bytes()
    verified(folder)
    assert (folder / "journal.db").read_bytes() == before


@pytest.mark.parametrize("content", [None, b"this is no database at all" * 50, b""])
def test_where_there_is_no_journal_the_error_says_so(tmp_path, content):
    if content is not None:
        (tmp_path / "journal.db").write_bytes(content)
    with pytest.raises(JournalUnreadable, match=r"journal\.db"):
        verified(tmp_path)


STEPS = st.one_of(
    st.tuples(st.just("press"), st.integers(1, 5), st.sampled_from(["1", "2"]), st.booleans()),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 4.0, 7.0, 1700.0, 4000.0])),
    st.tuples(st.just("step"), st.sampled_from([-5000.0, 5000.0])),
    st.tuples(st.sampled_from(["tick", "trust", "restart", "reboot", "stop", "up", "down", "test"])),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=25))
def test_whatever_was_commanded_the_journal_verifies(steps):
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), FakeClock()
        runs = [[]]
        for step in steps:
            runs[-1].append(step)
            if step[0] in ("restart", "reboot"):
                runs.append([])
        for number, run in enumerate(runs):
            with running_journal(folder, clock) as journal:
                do(journal, StartNode(source="node", version="1"))
                for step in run:
                    take(journal, clock, step, number)
        assert verified(folder).findings == ()


def take(journal, clock, step, number):
    match step:
        case ("press", level, counter, simulated):
            press(journal, level, counter, simulated=simulated, pressed_ago_s=0.25)
        case ("advance", seconds):
            clock.advance(seconds)
        case ("step", seconds):
            clock.step(seconds)
        case ("tick",):
            do(journal, Tick(source="node"))
        case ("trust",):
            clock.trust()
            do(journal, TrustClock(source="clock", origin="network"))
        case ("reboot",):
            clock.reboot(f"boot-{number + 2}")
        case ("stop",):
            do(journal, StopNode(source="node"))
        case ("up" | "down" as state,):
            do(journal, ReportDevice(source="panel-1", device="panel-1", available=state == "up"))
        case ("test",):
            press(journal, 5, purpose="test")
