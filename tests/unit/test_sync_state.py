"""The sync's health: being alive is not delivering."""

from datetime import UTC, datetime

import pytest

from firmware_py.core.health import Status
from firmware_py.core.ports import OutboxFigures
from sync.state import SyncState, check_result, words_of

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
RECENT = "2026-11-23T00:59:00.000Z"
DOWN = SyncState("unreachable", "Mất kết nối máy chủ thành phố", RECENT, 4, RECENT)


def check(state=SyncState(), pending=0, age_s=None, accepted=RECENT, rejected=0):  # noqa: B008 - frozen
    return check_result(state, OutboxFigures(pending, age_s, accepted, rejected), NOW)


def test_delivered_is_well():
    got = check()
    assert got.status is Status.PASS
    assert got.text == "Thành phố đã nhận đủ dữ liệu (lần cuối 1 phút trước)"


def test_nothing_to_send_yet_is_well():
    assert check(accepted=None).status is Status.PASS


def test_a_lost_connection_says_what_is_kept():
    got = check(DOWN, pending=12, age_s=200)
    assert got.status is Status.WARN
    assert got.text == "Mất kết nối máy chủ thành phố, dữ liệu được giữ lại (12 mục, cũ nhất 3 phút)"
    assert got.figures["pending"] == 12


def test_a_day_without_delivery_fails():
    assert check(DOWN, pending=12, age_s=86_400).status is Status.FAIL


@pytest.mark.parametrize("kind", ["unauthorised", "tls", "refused"])
def test_what_only_a_person_can_mend_is_an_alarm_at_once(kind):
    assert check(SyncState(kind, "x", RECENT, 1, RECENT), pending=1, age_s=1).status is Status.FAIL


def test_old_data_warns_even_if_no_attempt_failed():
    assert check(pending=3, age_s=899).status is Status.PASS
    assert check(pending=3, age_s=900).status is Status.WARN
    assert check(pending=3, age_s=86_400).status is Status.FAIL


def test_rejected_buckets_are_visible():
    got = check(rejected=2)
    assert got.status is Status.WARN
    assert "từ chối 2 mục" in got.text


def test_silence_is_visible_though_nothing_is_pending():
    assert check(accepted="2026-11-21T01:00:00.000Z").status is Status.WARN


def test_durations_in_words():
    assert [words_of(s) for s in (0, 59, 60, 7199, 86_400)] == ["0 giây", "59 giây", "1 phút", "1 giờ", "1 ngày"]
