"""The receiver on PostgreSQL: what only it can get wrong. (Everything else is tested on both databases.)"""

import signal
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, func, select, text
from support.cities import SITE, bucket, eventually, running_city

from sync.receiver import partitions
from sync.receiver.credentials import add_node
from sync.receiver.database import BUSY_TIMEOUT_S, DatabaseUnusable
from sync.receiver.opening import open_engine
from sync.receiver.tables import bucket as bucket_table
from sync.receiver.tables import total

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def name(postgres):
    made = postgres.new_database()
    yield made
    postgres.drop_database(made)


@pytest.fixture
def city(postgres, name):
    with running_city(postgres.url(name), now=lambda: NOW) as it:
        yield it


def months(city):
    with city.engine.begin() as connection:
        return partitions.months_of(connection)


def rows_in(city, table):
    with city.engine.begin() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()


# Opening


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql", "postgres"])
def test_every_usual_spelling_of_the_address_is_understood(postgres, name, scheme):
    engine = open_engine(postgres.url(name, scheme))
    assert engine.dialect.driver == "psycopg"
    engine.dispose()


def test_what_is_wrong_with_the_address_is_said_without_the_password(postgres, name):
    postgres.execute("DROP ROLE IF EXISTS visitor")
    postgres.execute("CREATE ROLE visitor LOGIN PASSWORD 'SECRET'")
    here = f"127.0.0.1:{postgres.port}"
    for address, words in (
        (f"postgresql://nucuoi:SECRET@{here}/{name}", "Give this user's password"),
        (f"postgresql://nucuoi:{postgres.password}@{here}/nowhere", "Make it first: createdb nowhere"),
        (f"postgresql://nucuoi:SECRET@127.0.0.1:1/{name}", "Is PostgreSQL running there"),
        (f"postgresql://visitor:SECRET@{here}/{name}", "should own the database"),
        (f"postgresql+asyncpg://nucuoi:SECRET@{here}/{name}", "is not spoken here"),
        (f"mysql://nucuoi:SECRET@{here}/{name}", "is not spoken here"),
        ("postgresql://nucuoi:SECRET@host:port/x", "address cannot be used"),
    ):
        with pytest.raises(DatabaseUnusable) as raised:
            open_engine(address)
        assert words in str(raised.value)
        assert "SECRET" not in str(raised.value)
        assert postgres.password not in str(raised.value)
        assert raised.value.__cause__ is None  # a traceback would tell it, too
    postgres.execute("DROP ROLE visitor")


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_a_missing_driver_is_said_in_words():
    assert "pip install 'psycopg[binary]'" in run_python(
        "import sys; sys.modules['psycopg'] = None\n"
        "from sync.receiver.database import DatabaseUnusable\n"
        "from sync.receiver.opening import open_engine\n"
        "try: open_engine('postgresql://a:b@127.0.0.1/x')\n"
        "except DatabaseUnusable as error: print(error)"
    )


def test_a_city_on_sqlite_never_imports_the_driver():
    code = "import sys; from sync.receiver import server, upkeep; from sync.receiver.opening import open_engine\n"
    assert run_python(f"{code}open_engine('sqlite://').dispose(); print('psycopg' in sys.modules)") == "False\n"


def test_a_server_that_does_not_wait_for_its_disk_is_made_to(postgres, name):
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    engine = open_engine(postgres.url(name))
    with engine.begin() as connection:
        said = {
            what: connection.exec_driver_sql(f"SHOW {what}").scalar()
            for what in ("synchronous_commit", "transaction_isolation", "lock_timeout")
        }
    assert said == {
        "synchronous_commit": "on",
        "transaction_isolation": "read committed",
        "lock_timeout": f"{BUSY_TIMEOUT_S}s",
    }
    engine.dispose()


def test_a_stronger_promise_of_the_server_is_left_as_it_is(postgres, name):
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = remote_apply")
    engine = open_engine(postgres.url(name))
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "remote_apply"
    engine.dispose()


def test_receivers_that_start_together_make_the_tables_once(postgres, name):
    together, engines, wrong = threading.Barrier(4), [], []

    def start():
        together.wait()
        try:
            engines.append(open_engine(postgres.url(name)))
        except DatabaseUnusable as error:
            wrong.append(error)

    run_together([start] * 4)
    assert wrong == []
    for engine in engines:
        engine.dispose()


def run_together(jobs):
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Months


def test_each_month_has_a_table_that_is_made_when_its_first_bucket_comes(city):
    assert months(city) == []
    hours = ("2026-09-30T23:00:00Z", "2026-10-01T00:00:00Z", "2026-10-31T23:00:00Z", "2026-11-01T00:00:00Z")
    assert city.outcomes(*(bucket(hour=hour) for hour in hours)) == [("accepted", 1, None)] * 4
    assert months(city) == ["2026-09", "2026-10", "2026-11"]
    assert [rows_in(city, f"bucket_2026_{month}") for month in ("09", "10", "11")] == [1, 2, 1]
    assert city.ratings()["n"] == 4


def test_what_is_older_than_the_program_shares_one_table_however_old_it_is(city):
    hours = [f"{year:04}-01-01T00:00:00Z" for year in (1, 1970, 1999, 2025)] + ["2025-12-31T23:00:00Z"]
    assert city.outcomes(*(bucket(hour=hour) for hour in hours)) == [("accepted", 1, None)] * 5
    assert months(city) == []
    assert rows_in(city, partitions.PAST) == 5


def test_an_hour_that_is_refused_makes_no_table(city):
    assert city.outcomes(bucket(hour="2027-03-01T00:00:00Z"), bucket(hour="9999-12-01T00:00:00Z"))[0][2] == "future"
    city.outcomes(bucket(hour="2026-06-01T00:00:00Z", definition=4711))
    assert months(city) == []


def test_december_ends_at_the_new_year(postgres, name):
    with running_city(postgres.url(name), now=lambda: datetime(2027, 1, 5, tzinfo=UTC)) as city:
        city.outcomes(bucket(hour="2026-12-31T23:00:00Z"), bucket(hour="2027-01-01T00:00:00Z"))
        assert months(city) == ["2026-12", "2027-01"]


def test_a_span_reads_its_own_months_only(city):
    city.outcomes(*(bucket(hour=f"2026-{month:02}-10T00:00:00Z") for month in range(1, 11)))
    with city.engine.begin() as connection:
        plan = "\n".join(
            connection.execute(
                text(
                    "EXPLAIN SELECT sum(amount) FROM bucket WHERE node_id = 1 AND hour >= '2026-03-01T00:00:00Z' "
                    "AND hour < '2026-04-01T00:00:00Z'"
                )
            ).scalars()
        )
    assert "bucket_2026_03" in plan
    assert "bucket_2026_02" not in plan
    assert "bucket_2026_04" not in plan


# Many at once


def nodes(city, count):
    """Registered nodes: name -> token."""
    made = {f"node-{number}": f"token-{number}" for number in range(count)}
    for each, token in made.items():
        add_node(city.engine, SITE, each, token)
    return made


def test_many_nodes_at_the_same_moment_make_the_same_months_once(city):
    tokens = nodes(city, 6)
    together, answers = threading.Barrier(len(tokens)), []

    def send(each, token, first):
        together.wait()
        for month in [(first + step) % 10 + 1 for step in range(10)]:
            sent = [bucket(1, hour=f"2026-{number:02}-03T05:00:00Z") for number in (month, month % 10 + 1)]
            answers.append(city.send(*sent, node=each, token=token))

    run_together([lambda pair=pair, first=first: send(*pair, first) for first, pair in enumerate(tokens.items())])
    assert {answer.status for answer in answers} == {200}
    assert len(months(city)) == 10
    assert city.ratings()["n"] == 6 * 10
    assert sums_agree(city)


def sums_agree(city):
    with city.engine.begin() as connection:
        sums = [
            sorted(
                connection.execute(
                    select(table.c.node_id, table.c.series_key, func.sum(table.c.amount)).group_by(
                        table.c.node_id, table.c.series_key
                    )
                ).all()
            )
            for table in (bucket_table, total)
        ]
    return sums[0] == sums[1]


def test_months_come_while_others_are_read_and_written(city):
    """A long question to the scoreboard holds its locks; a new month's table does not wait for it."""
    city.outcomes(bucket(hour="2026-09-10T00:00:00Z"))
    with city.engine.connect() as reader, reader.begin():
        reader.execute(text("SELECT count(*) FROM bucket")).scalar()
        assert city.outcomes(bucket(hour="2026-10-10T00:00:00Z")) == [("accepted", 1, None)]


# The database fails


def waiting_backend(cluster, database):
    """The process of the receiver's backend that waits for a lock in the middle of a batch."""
    found = []

    def look():
        with closing(cluster.connect(database)) as connection:
            found[:] = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'nucuoi-receiver' "
                "AND wait_event_type = 'Lock' AND datname = %s",
                [database],
            ).fetchall()
        return bool(found)

    eventually(look, "a batch waits for the lock")
    return found[0][0]


def sending(city, *buckets):
    """A batch on its way in a thread of its own; its answer is in the list when the thread has ended."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(city.send(*buckets)))
    thread.start()
    return thread, answers


def assert_unavailable(answer):
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"


def test_a_connection_that_is_cut_in_the_middle_of_a_batch_keeps_nothing_and_the_next_one_works(postgres, name, city):
    city.outcomes(bucket(1, revision=1))
    with closing(postgres.connect(name)) as other:
        other.autocommit = False
        other.execute("LOCK TABLE chain_head IN ACCESS EXCLUSIVE MODE")
        thread, answers = sending(city, bucket(5, revision=2), bucket(7, level=1))
        postgres.execute(f"SELECT pg_terminate_backend({waiting_backend(postgres, name)})")
        thread.join()
    assert_unavailable(answers[0])
    assert city.ratings()["n"] == 1
    for _ in range(2):
        assert city.outcomes(bucket(5, revision=2), bucket(7, level=1)) == [
            ("accepted", 2, None),
            ("accepted", 1, None),
        ]
    assert city.ratings()["n"] == 12
    assert sums_agree(city)


def test_a_deadlock_is_told_as_unavailable_and_nothing_is_kept(postgres, name, city):
    """Nothing here locks in two orders; an operator's own session may."""
    with closing(postgres.connect(name)) as other:
        other.autocommit = False
        other.execute("SET deadlock_timeout = '60s'")  # the receiver's shall be the one that is broken off
        other.execute("LOCK TABLE chain_head IN ACCESS EXCLUSIVE MODE")
        thread, answers = sending(city, bucket(5))
        waiting_backend(postgres, name)
        other.execute("UPDATE node SET last_seen = last_seen")  # waits for the batch, which waits for this session
        thread.join()
    assert_unavailable(answers[0])
    assert city.ratings()["n"] == 0
    assert city.outcomes(bucket(5)) == [("accepted", 1, None)]


def test_a_batch_that_waits_too_long_is_told_to_come_again(postgres, name, city):
    city.engine.dispose()  # the connections that are there
    event.listen(city.engine, "connect", lambda connection, _: connection.execute("SET lock_timeout = '200ms'"))
    with closing(postgres.connect(name)) as other:
        other.autocommit = False
        other.execute("SELECT id FROM node FOR UPDATE")
        assert_unavailable(city.send(bucket(5)))
    assert city.outcomes(bucket(5)) == [("accepted", 1, None)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_goes_away_comes_back_without_a_restart_of_the_receiver(own_postgres, how):
    name = own_postgres.new_database()
    with running_city(own_postgres.url(name), now=lambda: NOW) as city:
        store = city.send(bucket(3, revision=1)).json["store"]
        with closing(own_postgres.connect(name)) as other:
            other.autocommit = False
            other.execute("SELECT id FROM node FOR UPDATE")
            thread, answers = sending(city, bucket(4, revision=2))
            waiting_backend(own_postgres, name)
            own_postgres.stop(how)
            thread.join()
        assert_unavailable(answers[0])
        assert_unavailable(city.send(bucket(4, revision=2)))
        assert city.get("/readyz").status == 503
        assert city.get("/livez").status == 200
        own_postgres.start()
        assert city.get("/readyz").status == 200
        assert city.ratings()["n"] == 3
        for _ in range(2):
            assert city.outcomes(bucket(4, revision=2)) == [("accepted", 2, None)]
        assert city.ratings()["n"] == 4
        assert city.send().json["store"] == store  # a crash is no restore
        assert sums_agree(city)
