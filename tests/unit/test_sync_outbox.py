"""The outbox on a real journal: what is pending, and what each of the city's words changes."""

import pytest
from support.fake_clock import FakeClock
from support.journals import buckets, hall_features, press, running_journal

from firmware_py.core.clock import iso
from firmware_py.core.errors import JournalRefusing
from sync.outbox import BUCKETS, LINKS, PENDING_FIGURES, PENDING_HOURS, REJECTED_FIGURE, Outbox
from sync.protocol import BatchAnswer, BucketResult, WireBucket

BUCKETS_OF_TWO_HOURS = BUCKETS.format(places="('a', 'b'), ('c', 'd')")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def journal(tmp_path, clock):
    with running_journal(tmp_path, clock) as it:
        yield it


@pytest.fixture
def outbox(journal, clock):
    return Outbox(journal, clock)


def answer(load, outcome="accepted", *, store="store-1", code=None, only=None):
    """One word for every bucket of a load, or `only` for those of some series (the others are accepted)."""
    results = []
    for index, item in enumerate(load.buckets):
        word = outcome if only is None or item.wire["series"] == only else "accepted"
        results.append(BucketResult(index=index, outcome=word, revision=item.revision, code=code))
    return BatchAnswer(batch="batch-01", store=store, results=results)


def rows(journal):
    return {
        row[0] + row[1]: row[2:]
        for row in journal.reader().rows(
            "SELECT series, labels, revision, accepted_revision, pending_since, rejected_code FROM bucket"
        )
    }


def test_a_press_is_pending_until_the_city_has_it(journal, outbox, clock):
    assert outbox.load(500) is None
    press(journal, 5)
    clock.advance(200)
    figures = outbox.figures()
    assert (figures.pending, figures.oldest_age_s, figures.last_accepted_at) == (2, 200.0, None)  # a rating, its delay
    load = outbox.load(500)
    for item in load.buckets:
        WireBucket.model_validate(item.wire)
    applied = outbox.apply(load, answer(load))
    assert (applied.accepted, applied.rejected, applied.new_store) == (2, 0, False)
    figures = outbox.figures()
    assert (figures.pending, figures.oldest_age_s, figures.rejected) == (0, None, 0)
    assert figures.last_accepted_at == iso(clock.utc)
    assert outbox.load(500) is None


def test_a_bucket_that_moved_on_meanwhile_stays_pending_since_the_reading(journal, outbox, clock):
    press(journal, 5)
    clock.advance(60)
    load = outbox.load(500)
    read_at = clock.utc
    clock.advance(30)
    press(journal, 5)
    outbox.apply(load, answer(load))
    figures = outbox.figures()
    assert (figures.pending, figures.oldest_age_s) == (2, (clock.utc - read_at).total_seconds())
    again = outbox.load(500)
    assert [item.wire["value"].get("count") for item in again.buckets if item.wire["series"] == "ratings"] == [2]
    outbox.apply(again, answer(again))
    assert outbox.figures().pending == 0


def test_a_late_acceptance_never_goes_back(journal, outbox, clock):
    press(journal, 5)
    old = outbox.load(500)
    clock.advance(60)
    press(journal, 5)
    new = outbox.load(500)
    outbox.apply(new, answer(new))
    outbox.apply(old, answer(old))
    assert outbox.figures().pending == 0
    assert all(row[1] == row[0] for row in rows(journal).values())


def test_stale_means_that_the_city_has_better(journal, outbox):
    press(journal, 5)
    load = outbox.load(500)
    assert outbox.apply(load, answer(load, "stale")).accepted == 2
    assert outbox.figures().pending == 0


@pytest.mark.parametrize(
    ("outcome", "code", "kept"),
    [("conflict", None, "conflict"), ("rejected", "future", "future"), ("rejected", None, "unspecified")],
)
def test_what_the_city_refuses_is_kept_visible_and_tried_again_when_it_changes(
    journal, outbox, clock, outcome, code, kept
):
    press(journal, 5)
    load = outbox.load(500)
    assert outbox.apply(load, answer(load, outcome, code=code, only="ratings")).rejected == 1
    figures = outbox.figures()
    assert (figures.pending, figures.rejected) == (0, 1)
    assert outbox.load(500) is None
    assert [row[3] for name, row in rows(journal).items() if name.startswith("ratings{")] == [kept]
    clock.advance(60)
    press(journal, 5)
    assert (outbox.figures().pending, outbox.figures().rejected) == (2, 0)


def test_a_refusal_of_what_has_changed_meanwhile_is_forgotten(journal, outbox, clock):
    press(journal, 5)
    load = outbox.load(500)
    clock.advance(60)
    press(journal, 5)
    outbox.apply(load, answer(load, "rejected", code="invalid"))
    assert (outbox.figures().pending, outbox.figures().rejected) == (2, 0)


def test_a_relays_word_is_not_the_citys(journal, outbox):
    press(journal, 5)
    load = outbox.load(500)
    applied = outbox.apply(load, answer(load, "relayed"))
    assert (applied.accepted, outbox.figures().pending, outbox.figures().last_accepted_at) == (0, 2, None)
    assert outbox.load(500, applied.relayed) is None
    assert outbox.load(500) is not None


def test_a_restored_city_gets_everything_again_and_the_refused_another_chance(journal, outbox, clock):
    press(journal, 5)
    clock.advance(60)
    press(journal, 1, counter="2")
    load = outbox.load(500)
    outbox.apply(load, answer(load, "rejected", code="unknown_definition", only="rating_delay"))
    clock.advance(600)
    press(journal, 4)
    newest = outbox.load(500)
    applied = outbox.apply(newest, answer(newest, store="store-2"))
    assert applied.new_store
    pending = {item.wire["series"] + item.wire["labels"]["counter"] for item in outbox.load(500).buckets}
    # What this very answer accepted is there already.
    assert pending == {"ratings1", "ratings2", "rating_delay2"}
    assert outbox.figures().rejected == 0
    everything = outbox.load(500)
    assert not outbox.apply(everything, answer(everything, store="store-2")).new_store
    assert outbox.figures().pending == 0


class Watched:
    """The real journal: counts what each job makes pending, and stops taking jobs after so many."""

    def __init__(self, journal, jobs=1_000_000):
        self._journal = journal
        self._jobs = jobs
        self.made_pending = []

    def __getattr__(self, name):
        return getattr(self._journal, name)

    def run(self, job):
        if self._jobs == 0:
            raise JournalRefusing("the power is gone")
        self._jobs -= 1

        def watched(tx):
            before = self._pending(tx)
            done = job(tx)
            self.made_pending.append(self._pending(tx) - before)
            return done

        return self._journal.run(watched)

    @staticmethod
    def _pending(tx):
        return tx.row(PENDING_FIGURES)[0]


@pytest.fixture
def accepted_hours(journal, outbox, clock):
    """Five hours that the city has: ten buckets, one of them rejected; and a load that is pending."""
    for _ in range(5):
        press(journal, 5)
        clock.advance(3600)
    load = outbox.load(500)
    outbox.apply(load, answer(load))
    press(journal, 1, counter="2")
    refused = outbox.load(500)
    outbox.apply(refused, answer(refused, "rejected", code="future", only="ratings"))
    press(journal, 5, counter="1")
    return outbox.load(500)


def test_a_restored_city_does_not_keep_the_writer_from_the_presses(journal, clock, accepted_hours):
    watched = Watched(journal)
    assert (
        Outbox(watched, clock, slice_buckets=3).apply(accepted_hours, answer(accepted_hours, store="store-2")).new_store
    )
    forgotten = [made for made in watched.made_pending if made > 0]
    assert sum(forgotten) == 12
    assert max(forgotten) <= 3


@pytest.mark.parametrize("jobs", range(6))
def test_a_power_cut_while_everything_is_forgotten_is_made_good(journal, clock, accepted_hours, jobs):
    word = answer(accepted_hours, store="store-2")
    with pytest.raises(JournalRefusing):
        Outbox(Watched(journal, jobs), clock, slice_buckets=3).apply(accepted_hours, word)
    assert journal.reader().row("SELECT value FROM sync_state WHERE key = 'store'") == ("store-1",)
    again = Outbox(journal, clock, slice_buckets=3)  # as after a restart: nothing of before is in memory
    assert again.apply(accepted_hours, word).new_store
    assert (again.figures().pending, again.figures().rejected) == (12, 0)
    everything = again.load(500)
    assert not again.apply(everything, answer(everything, store="store-2")).new_store
    assert again.figures().pending == 0


def test_hours_that_a_correction_joined_are_never_split(tmp_path, clock):
    clock.step(
        3598
    )  # two seconds before the hour: the act begins in one hour, the correction's own figures are in the next
    with running_journal(tmp_path, clock, hall_features(correction_s=10)) as journal:
        outbox = Outbox(journal, clock)
        press(journal, 1)
        clock.advance(4)
        assert press(journal, 5) == "corrected"
        hours = {item.hour for item in buckets(journal.reader())}
        assert len(hours) == 2
        load = outbox.load(1)
        assert load.parts == 1
        assert {item.key.hour for item in load.buckets} == hours


class Interrupted:
    """The real journal, in which something is committed right after the pending hours were read, once."""

    def __init__(self, journal, meanwhile):
        self._journal = journal
        self._meanwhile = meanwhile

    def __getattr__(self, name):
        return getattr(self._journal, name)

    def reader(self):
        return self

    def rows(self, sql, parameters=()):
        found = self._journal.reader().rows(sql, parameters)
        if sql == PENDING_HOURS and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        return found


def test_a_correction_that_joins_hours_while_a_batch_is_read_does_not_split_them(tmp_path, clock):
    clock.step(3598)
    with running_journal(tmp_path, clock, hall_features(correction_s=10)) as journal:

        def correct():
            clock.advance(4)
            assert press(journal, 5) == "corrected"

        press(journal, 1)
        load = Outbox(Interrupted(journal, correct), clock).load(500)
        assert len({item.key.hour for item in load.buckets}) == 2


def test_the_oldest_goes_first_and_a_batch_has_its_limit(journal, outbox, clock):
    hours = []
    for _ in range(4):
        press(journal, 5)
        hours.append(iso(clock.utc)[:13])
        clock.advance(3600)
    seen = []
    while load := outbox.load(3):
        assert len(load.buckets) <= 3
        seen += sorted({item.key.hour[:13] for item in load.buckets})
        outbox.apply(load, answer(load))
    assert seen == hours


@pytest.mark.parametrize("sql", [PENDING_FIGURES, REJECTED_FIGURE, PENDING_HOURS, LINKS, BUCKETS_OF_TWO_HOURS])
def test_what_is_read_costs_what_is_pending_and_not_what_is_kept(journal, sql):
    plan = [row[3] for row in journal.reader().rows(f"EXPLAIN QUERY PLAN {sql}")]
    of_buckets = [line for line in plan if "bucket" in line]
    assert of_buckets
    assert sql != BUCKETS_OF_TWO_HOURS or of_buckets[0].startswith("SEARCH"), plan
    # Of 50,000 pending rows only the index is read: 2 and 11 ms instead of 18 and 31, and the disk's pages beside.
    assert sql not in (PENDING_FIGURES, PENDING_HOURS) or "COVERING" in of_buckets[0], plan
    assert all("bucket_pending" in line or "bucket_rejected" in line for line in of_buckets), plan
