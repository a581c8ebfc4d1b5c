"""The command line: its exit codes, and words that say what to do."""

import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass

import pytest
from support.calendars import AlwaysOpen
from support.fake_clock import FakeClock
from support.journals import do, press, running_journal

from config.loading import load
from config.opening import OpeningHours
from devices.kinds import settings_by_kind
from firmware_py.app import node_features
from firmware_py.cli import main
from firmware_py.cli.options import site_file
from firmware_py.core.contracts import StartNode, Tick, TrustClock
from firmware_py.features.ratings.feature import Ratings
from firmware_py.features.timekeeping import Timekeeping
from firmware_py.folder import FolderLock

BROKEN = """
[site]
id = "s"
name = "Phường"
mode = "simulaton"
[[site.opening]]
days = ["mon"]
spans = ["07:30-25:30"]
[ratings]
levls = 5
[[counter]]
id = "1"
name = "Quầy 1"
[[device]]
id = "p"
kind = "rating_panel_gpoi"
wire = "simulated"
counter = "1"
"""


@dataclass
class Ended:
    code: int
    out: str
    err: str


pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def nucuoi(monkeypatch, capsys, tmp_path):
    """Run the command line as the script does."""
    for name in ("NUCUOI_DATA", "STATE_DIRECTORY", "NUCUOI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["nucuoi", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        told = capsys.readouterr()
        return Ended(caught.value.code or 0, told.out, told.err)

    return call


@pytest.mark.parametrize(
    "words",
    [
        ["runn"],
        ["run", "--prot", "8080"],
        ["run", "--port", "eighty"],
        ["run", "--port", "70000"],
        ["run", "--host", ""],  # would be every address of the computer
        ["run", "surplus"],
        ["config"],
        ["config", "chek"],
        ["receiver", "--port", "-1"],
        [],
    ],
)
def test_a_wrong_command_line_exits_64_and_shows_how(nucuoi, words):
    ended = nucuoi(*words)
    assert ended.code == 64
    assert "Usage: nucuoi" in ended.err + ended.out


def test_an_option_without_its_value_exits_64(nucuoi):
    assert nucuoi("journal", "verify", "--data").code == 64


def test_a_mistyped_command_or_option_is_told_its_nearest(nucuoi):
    assert "--port" in nucuoi("run", "--prot", "1").err


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["run", "--help"], ["journal", "verify", "-h"], ["--version"]])
def test_help_and_version_exit_0(nucuoi, words):
    ended = nucuoi(*words)
    assert ended.code == 0
    assert "nucuoi" in ended.out


class TestConfigCheck:
    def test_a_good_file_exits_0(self, nucuoi):
        ended = nucuoi("config", "check")
        assert (ended.code, ended.err) == (0, "")
        assert "default.toml: good: 4 counters, 4 devices" in ended.out

    def test_a_broken_file_exits_2_after_naming_every_problem(self, nucuoi, tmp_path):
        (tmp_path / "site.toml").write_text(BROKEN)
        ended = nucuoi("config", "check", tmp_path / "site.toml")
        assert ended.code == 2
        assert ended.out == ""
        for problem in ("simulaton", "25:30", "levls", "rating_panel_gpoi"):
            assert problem in ended.err, ended.err
        assert "4 problems; nothing was started" in ended.err

    @pytest.mark.parametrize("command", [["config", "check"], ["config", "show"], ["run", "--config"]])
    def test_a_file_that_is_not_there_exits_2_and_is_named(self, nucuoi, command):
        ended = nucuoi(*command, "nowhere.toml")
        assert ended.code == 2
        assert "nowhere.toml" in ended.err
        assert "1 problem; nothing was started" in ended.err

    def test_the_site_file_may_come_from_the_environment(self, nucuoi, tmp_path, monkeypatch):
        (tmp_path / "site.toml").write_text(BROKEN)
        monkeypatch.setenv("NUCUOI_CONFIG", str(tmp_path / "site.toml"))
        assert nucuoi("journal", "verify").code == 2

    def test_nothing_is_started_with_a_broken_file(self, nucuoi, tmp_path):
        (tmp_path / "site.toml").write_text(BROKEN)
        assert nucuoi("run", "--config", tmp_path / "site.toml", "--data", tmp_path / "data").code == 2
        assert not (tmp_path / "data").exists()


def test_config_show_fills_in_the_defaults_and_masks_the_secret(nucuoi, monkeypatch):
    monkeypatch.setenv("NUCUOI_CITY_TOKEN", "very-secret-token-of-the-ward")
    ended = nucuoi("config", "show")
    assert ended.code == 0
    assert "very-secret" not in ended.out + ended.err
    assert "read_timeout_s" in ended.out


class TestJournalVerify:
    @pytest.fixture
    def data(self, tmp_path):
        site = load(site_file(None), settings_by_kind())
        clock, folder = FakeClock(), tmp_path / "data"
        folder.mkdir()
        with running_journal(folder, clock, node_features(site, OpeningHours(site.site))) as journal:
            do(journal, StartNode(source="node", version="1"))
            do(journal, TrustClock(source="clock", origin="host"))
            press(journal, 5)
            clock.advance(4000)
            do(journal, Tick(source="node"))
        return folder

    def test_a_good_journal_exits_0(self, nucuoi, data):
        ended = nucuoi("journal", "verify", "--data", data)
        assert (ended.code, ended.err) == (0, "")
        assert "the chain holds and the buckets equal the events" in ended.out

    def test_a_journal_that_was_tampered_with_exits_1_and_says_where(self, nucuoi, data):
        with closing(sqlite3.connect(data / "journal.db")) as db:
            db.execute(
                "UPDATE event SET data = replace(data, '\"level\":5', '\"level\":4') WHERE type = 'rating.given'"
            )
            db.commit()
        ended = nucuoi("journal", "verify", "--data", data)
        assert ended.code == 1
        assert "event 3: its hash does not follow" in ended.err
        assert 'bucket ratings{"counter":"1","level":"4"}' in ended.err
        assert "findings" in ended.out

    @pytest.mark.parametrize("content", [None, b"no database" * 100])
    def test_no_journal_exits_1_and_is_named(self, nucuoi, tmp_path, content):
        (tmp_path / "data").mkdir()
        if content:
            (tmp_path / "data" / "journal.db").write_bytes(content)
        ended = nucuoi("journal", "verify", "--data", tmp_path / "data")
        assert ended.code == 1
        assert "journal.db" in ended.err

    def test_the_data_folder_may_come_from_the_environment(self, nucuoi, data, monkeypatch):
        monkeypatch.setenv("STATE_DIRECTORY", str(data))
        assert nucuoi("journal", "verify").code == 0

    def test_a_journal_may_be_verified_after_the_site_got_another_scale(self, nucuoi, data, tmp_path):
        """Folding asks no settings: what was counted with five levels stays what it was."""
        text = (
            site_file(None)
            .read_text()
            .replace("levels = 5", "levels = 3")
            .replace("satisfied_from = 4", "satisfied_from = 2")
        )
        three = "\n".join(line for line in text.splitlines() if "buttons" not in line)
        (tmp_path / "three.toml").write_text(three[: three.index("[[device]]")])
        assert nucuoi("journal", "verify", "--data", data, "--config", tmp_path / "three.toml").code == 0


class TestRun:
    def test_a_folder_in_use_is_told_and_nothing_is_started(self, nucuoi, tmp_path):
        lock = FolderLock(tmp_path / "data")
        ended = nucuoi("run", "--data", tmp_path / "data", "--port", "0")
        lock.release()
        assert ended.code == 1
        assert "another node already runs in" in ended.err
        assert "--data" in ended.err
        assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["node.lock"]

    def test_a_folder_that_cannot_be_made_is_told(self, nucuoi, tmp_path):
        (tmp_path / "file").write_text("")
        ended = nucuoi("run", "--data", tmp_path / "file" / "data")
        assert ended.code == 1
        assert "cannot use the data folder" in ended.err

    def test_a_damaged_journal_is_told(self, nucuoi, tmp_path):
        (tmp_path / "journal.db").write_bytes(b"this is no database" * 100)
        ended = nucuoi("run", "--data", tmp_path, "--port", "0")
        assert ended.code == 1
        assert "cannot be used as a journal" in ended.err
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", [["devices"], ["outbox"], ["outbox", "--json"]])
def test_without_a_running_node_there_is_nobody_to_ask(nucuoi, tmp_path, command):
    ended = nucuoi(*command, "--data", tmp_path)
    assert ended.code == 1
    assert str(tmp_path) in ended.err
    assert "Traceback" not in ended.err


def test_the_clock_places_a_boot_before_its_ratings_are_placed():
    """Ratings look up the placement that timekeeping wrote: in the other order they would wait for ever."""
    site = load(site_file(None), settings_by_kind())
    assert [type(feature) for feature in node_features(site, AlwaysOpen())] == [Timekeeping, Ratings]


def test_machines_get_json(nucuoi, tmp_path, monkeypatch):
    from firmware_py.cli import commands  # noqa: PLC0415 - the seam below

    figures = {"pending": 2, "oldest_age_s": 3.4, "last_accepted_at": None, "rejected": 0}
    monkeypatch.setattr(commands, "_ask", lambda folder, path: figures)
    assert json.loads(nucuoi("outbox", "--json", "--data", tmp_path).out) == figures
    assert nucuoi("outbox", "--data", tmp_path).out == (
        "2 waiting, the oldest for 3 s; 0 rejected by the city\nlast accepted: never\n"
    )


def test_a_store_is_renewed_and_months_are_sealed_by_hand(nucuoi, tmp_path):
    there = ["--database", f"sqlite:///{tmp_path / 'city.db'}"]
    first, second = (nucuoi("receiver", "renew-store", *there) for _ in range(2))
    assert first.code == second.code == 0
    assert first.out != second.out
    assert "every node sends everything again" in first.out
    assert (
        nucuoi("receiver", "seal", "2026-02", "--drop", *there).out
        == "sealed before 2026-02; dropped: nothing was there\n"
    )
    earlier = nucuoi("receiver", "seal", "2026-01", *there)
    assert earlier.code == 1
    assert "never moves back" in earlier.err
    assert nucuoi("receiver", "seal", "January", *there).code == 1


def test_a_database_that_cannot_be_opened_is_said_without_its_password(nucuoi):
    ended = nucuoi("receiver", "renew-store", "--database", "postgresql://city:SECRET@127.0.0.1:1/city")
    assert ended.code == 1
    assert "Is PostgreSQL running there" in ended.err
    assert "SECRET" not in ended.err
