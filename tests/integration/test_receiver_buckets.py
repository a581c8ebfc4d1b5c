"""The receiver over a real socket: what it keeps, what it answers, and whom it believes."""

import random
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from support.cities import NODE, SITE, TOKEN, bucket, running_city

from sync.receiver.credentials import add_node, add_reader, nodes_from_variable
from sync.receiver.database import DatabaseUnusable, writing
from sync.receiver.home import renew_store
from sync.receiver.opening import SCHEMA_VERSION, open_engine
from sync.receiver.retention import seal
from sync.receiver.tables import chain_head, disputed, setting, total


@pytest.fixture
def city(database):
    with running_city(database) as it:
        yield it


def count_of(city, table):
    with city.engine.begin() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar()


def test_a_bucket_is_counted_once_however_often_it_comes(city):
    assert city.outcomes(bucket(count=3, revision=7)) == [("accepted", 7, None)]
    assert city.outcomes(bucket(count=3, revision=7)) == [("accepted", 7, None)]
    assert city.ratings()["n"] == 3


def test_the_highest_revision_wins_in_any_order(city):
    assert city.outcomes(bucket(count=5, revision=9)) == [("accepted", 9, None)]
    assert city.outcomes(bucket(count=3, revision=7)) == [("stale", 9, None)]
    assert city.outcomes(bucket(count=4, revision=12)) == [("accepted", 12, None)]
    assert city.ratings()["n"] == 4


def test_the_same_revision_with_other_content_is_recorded_and_changes_nothing(city):
    city.outcomes(bucket(count=5, revision=9))
    for _ in range(2):
        assert city.outcomes(bucket(count=6, revision=9)) == [("conflict", 9, None)]
    assert city.ratings()["n"] == 5
    assert count_of(city, disputed) == 1


def test_one_bad_bucket_does_not_hinder_the_others(city):
    got = city.outcomes(
        bucket(1),
        {"nonsense": True},
        bucket(1, level=4, definition=4711),
        bucket(1, level=3),
        bucket(1, level=2, revision=0),
    )
    assert got == [
        ("accepted", 1, None),
        ("rejected", None, "invalid"),
        ("rejected", None, "unknown_definition"),
        ("accepted", 1, None),
        ("rejected", None, "invalid"),
    ]
    assert city.ratings()["n"] == 2


def test_the_same_key_twice_in_one_batch_ends_with_the_higher_revision(city):
    got = city.outcomes(bucket(2, revision=5), bucket(1, revision=4), bucket(3, revision=6), bucket(9, revision=6))
    assert [outcome for outcome, _, _ in got] == ["accepted", "stale", "accepted", "conflict"]
    assert city.ratings()["n"] == 3


def test_epochs_add_up_and_a_correction_of_an_older_one_takes_off(city):
    city.outcomes(bucket(4, level=1), bucket(6, level=5))
    city.outcomes(bucket(-1, level=1, epoch="ffff0000"), bucket(1, level=5, epoch="ffff0000"))
    assert city.ratings()["by_level"] == {"1": 3, "2": 0, "3": 0, "4": 0, "5": 7}


def test_scales_stand_beside_each_other_in_one_hour(city):
    assert city.outcomes(bucket(2, level=3), bucket(5, level=3, definition=8)) == [("accepted", 1, None)] * 2
    got = city.ratings()
    assert (got["n"], got["satisfied"]) == (7, 5)


def test_a_partial_bucket_never_replaces_a_whole_one(city):
    city.outcomes(bucket(9, revision=5))
    assert city.outcomes(bucket(2, revision=8, partial=True)) == [("stale", 5, "partial")]
    assert city.ratings()["n"] == 9
    assert city.outcomes(bucket(2, level=4, partial=True)) == [("accepted", 1, None)]


def test_an_hour_far_in_the_future_is_refused(database):
    with running_city(database, now=lambda: datetime(2026, 11, 19, tzinfo=UTC)) as city:
        assert city.outcomes(bucket(hour="2026-11-20T01:00:00Z")) == [("rejected", None, "future")]
        assert city.outcomes(bucket(hour="2026-11-20T00:00:00Z")) == [("accepted", 1, None)]


def test_a_sealed_hour_takes_nothing_new_and_the_seal_never_moves_back(city):
    city.outcomes(bucket(3, revision=7))
    seal(city.engine, "2026-11-20T02:00:00Z")
    assert city.outcomes(bucket(4, revision=8), bucket(1, hour="2026-11-20T02:00:00Z")) == [
        ("rejected", 7, "sealed"),
        ("accepted", 1, None),
    ]
    assert city.outcomes(bucket(3, revision=7)) == [("accepted", 7, None)]
    with pytest.raises(ValueError, match="never moves back"):
        seal(city.engine, "2026-11-20T00:00:00Z")


def test_every_series_of_the_node_is_taken(city):
    values = {
        "ratings_corrected": ({"counter": "1"}, {"count": 2}),
        "ratings_excluded": ({"counter": "1", "reason": "lockout"}, {"count": 3}),
        "rating_delay": ({"counter": "1"}, {"bounds_s": [0.1, 1.0], "counts": [1, 0, 2], "sum_s": 7.5}),
        "open_seconds": ({"state": "up"}, {"seconds": 3599.5}),
        "device_seconds": ({"device": "p1", "state": "available"}, {"seconds": 60}),
    }
    sent = [bucket(series=name, labels=labels, value=value) for name, (labels, value) in values.items()]
    assert city.outcomes(*sent) == [("accepted", 1, None)] * len(sent)
    [line] = city.get("/v1/scoreboard").json["sites"]
    assert line["open_seconds"] == {"up": 3599.5}
    assert (line["ratings"]["n"], line["ratings"]["corrected"], line["ratings"]["excluded"]) == (0, 2, {"lockout": 3})


def test_labels_as_long_as_the_protocol_allows_are_kept_and_summed(city):
    """More than an index of PostgreSQL takes; random, for it would compress others."""
    randomness = random.Random(1)
    labels = {
        f"name-{number}": "".join(map(chr, randomness.choices(range(0x4E00, 0x9000), k=128))) for number in range(16)
    }
    for count, revision in ((3, 1), (7, 2)):
        sent = bucket(series="tea_served", labels=labels, value={"count": count}, revision=revision)
        assert city.outcomes(sent) == [("accepted", revision, None)]
    assert city.outcomes(bucket(series="tea_served", labels=labels, value={"count": 8}, revision=2)) == [
        ("conflict", 2, None)
    ]
    with city.engine.begin() as connection:
        assert connection.execute(select(total.c.amount).where(total.c.series == "tea_served")).scalar() == 7


def test_what_was_corrected_is_added_over_both_definitions(city):
    taken_back = {"series": "ratings_corrected", "value": {"count": 2}}
    assert city.outcomes(
        bucket(**taken_back, labels={"counter": "1"}, definition=1),
        bucket(**taken_back, labels={"counter": "1", "level": "2"}, definition=2),
        bucket(**taken_back, labels={"counter": "1", "level": "2"}, definition=3),
    ) == [("accepted", 1, None), ("accepted", 1, None), ("rejected", None, "unknown_definition")]
    [line] = city.get("/v1/scoreboard").json["sites"]
    assert line["ratings"]["corrected"] == 4


def test_the_store_id_stays_until_it_is_renewed(city):
    first = city.send(bucket()).json["store"]
    assert city.send(bucket()).json["store"] == first
    new = renew_store(city.engine)
    assert city.send(bucket()).json["store"] == new != first


def test_chain_heads_are_kept_with_their_first_arrival(city):
    for head in ("aaaaaaaa", "bbbbbbbb", "aaaaaaaa"):
        city.send(bucket(), chain_head=head)
    with city.engine.begin() as connection:
        heads = [row.head for row in connection.execute(select(chain_head).order_by(chain_head.c.received_at))]
    assert heads == ["aaaaaaaa", "bbbbbbbb"]


def test_an_empty_batch_is_a_sign_of_life(city):
    [before] = city.get("/v1/scoreboard").json["sites"]
    assert (before["last_seen"], before["data_age_s"]) == (None, None)
    assert city.send().json["results"] == []
    [after] = city.get("/v1/scoreboard").json["sites"]
    assert after["last_seen"] is not None
    assert after["data_age_s"] >= 0


def test_batches_of_one_node_at_the_same_time_lose_nothing(city):
    """Each thread raises its own level; a lost update or a locked database would show."""
    wrong = []

    def raise_level(level):
        for revision in range(1, 11):
            got = city.send(
                bucket(revision, level=level, revision=revision), bucket(revision, level=5, revision=revision)
            )
            if got.status != 200:
                wrong.append(got.body)

    threads = [threading.Thread(target=raise_level, args=(level,)) for level in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert city.ratings()["by_level"] == {"1": 10, "2": 10, "3": 10, "4": 10, "5": 10}


def test_what_was_answered_survives_a_restart(database):
    with running_city(database) as city:
        store = city.send(bucket(3)).json["store"]
    with running_city(database) as city:
        assert city.ratings()["n"] == 3
        assert city.send(bucket(3)).json["store"] == store


def test_a_database_of_another_version_is_refused_in_words(database):
    engine = open_engine(database)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version = 99")
    engine.dispose()
    with pytest.raises(DatabaseUnusable, match=f"has schema 99, this program needs {SCHEMA_VERSION}"):
        open_engine(database)


def test_an_sqlite_file_is_as_durable_as_it_promises(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'c.db'}")
    with engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


# Whom it believes


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dDp0", "Bearer wrong", f"Token {TOKEN}"])
def test_without_a_known_credential_nothing_is_taken(city, header):
    headers = {} if header is None else {"Authorization": header}
    answer = city.request("POST", f"/v1/nodes/{NODE}/buckets", b"{}", headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_credential_speaks_for_its_own_node_only(city):
    add_node(city.engine, SITE, "kiosk", "token-of-kiosk")
    add_node(city.engine, "ward-2", NODE, "token-of-ward-2")
    assert city.send(bucket(), token="token-of-kiosk").status == 403
    assert city.send(bucket(), token="token-of-ward-2").status == 403  # the same node name at another site
    assert city.send(bucket(), node="kiosk").status == 403
    assert city.ratings()["n"] == 0
    assert city.send(bucket(2), token="token-of-ward-2", site="ward-2").status == 200
    assert (city.ratings()["n"], city.ratings("ward-2")["n"]) == (0, 2)


def test_a_new_token_ends_the_old_one(city):
    add_node(city.engine, SITE, NODE, "token-2")
    assert city.send(bucket()).status == 401
    assert city.send(bucket(), token="token-2").status == 200


def test_two_nodes_cannot_share_a_token(city):
    with pytest.raises(ValueError, match="another node's"):
        add_node(city.engine, SITE, "kiosk", TOKEN)


def test_tokens_are_not_in_the_database(tmp_path):
    with running_city(tmp_path) as city:
        add_reader(city.engine, "mayor", "token-of-mayor")
        city.send(bucket())
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert TOKEN.encode() not in stored
    assert b"token-of-mayor" not in stored


@pytest.mark.parametrize("token", ["", "with blank", "line\nbreak", "mật-mã"])
def test_a_token_that_fits_no_header_is_refused(city, token):
    with pytest.raises(ValueError, match="printable ASCII"):
        add_node(city.engine, SITE, "kiosk", token)


def test_nodes_of_the_environment():
    assert nodes_from_variable(" a/b=t=1, c/d=u ,") == [("a", "b", "t=1"), ("c", "d", "u")]
    assert nodes_from_variable("") == []
    for text in ("a/b", "a=SECRET", "/b=SECRET", "a/=SECRET", "a/b=t,c/d="):
        with pytest.raises(ValueError, match="is not of the form") as raised:
            nodes_from_variable(text)
        assert "SECRET" not in str(raised.value)


def test_the_seal_and_the_store_live_in_the_database(city):
    seal(city.engine, "2026-01-01T00:00:00Z")
    with city.engine.begin() as connection:
        assert {"store", "home", "sealed_before"} <= {row.key for row in connection.execute(select(setting))}
