"""A city's file of the first schema is brought up to date when it is opened, and nothing of it is lost."""

import hashlib
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import select
from support.cities import EPOCH, NODE, SITE, TOKEN, bucket, running_city

from sync.receiver.opening import open_engine
from sync.receiver.tables import disputed, setting

HOUR = "2026-11-20T01:00:00Z"
FIRST_SCHEMA = """
CREATE TABLE node (id INTEGER NOT NULL, site VARCHAR(64) NOT NULL, name VARCHAR(64) NOT NULL, token_sha256 VARCHAR(64) NOT NULL,
    last_seen VARCHAR(32), PRIMARY KEY (id), UNIQUE (site, name), UNIQUE (token_sha256));
CREATE TABLE reader (name VARCHAR(64) NOT NULL, token_sha256 VARCHAR(64) NOT NULL, PRIMARY KEY (name), UNIQUE (token_sha256));
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE setting ("key" VARCHAR(64) NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE bucket (id INTEGER NOT NULL, node_id INTEGER NOT NULL, epoch VARCHAR(128) NOT NULL, series VARCHAR(64) NOT NULL,
    labels TEXT NOT NULL, simulated BOOLEAN NOT NULL, definition INTEGER NOT NULL, hour VARCHAR(32) NOT NULL,
    revision BIGINT NOT NULL, final BOOLEAN NOT NULL, partial BOOLEAN NOT NULL, value TEXT NOT NULL, amount BIGINT,
    received_at VARCHAR(32) NOT NULL, PRIMARY KEY (id),
    UNIQUE (node_id, epoch, series, labels, simulated, definition, hour), FOREIGN KEY(node_id) REFERENCES node (id));
CREATE INDEX bucket_of_hour ON bucket (node_id, hour, series);
CREATE TABLE chain_head (node_id INTEGER NOT NULL, head VARCHAR(128) NOT NULL, batch VARCHAR(64) NOT NULL,
    received_at VARCHAR(32) NOT NULL, PRIMARY KEY (node_id, head), FOREIGN KEY(node_id) REFERENCES node (id));
CREATE TABLE total (node_id INTEGER NOT NULL, simulated BOOLEAN NOT NULL, series VARCHAR(64) NOT NULL, labels TEXT NOT NULL,
    definition INTEGER NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (node_id, simulated, series, labels, definition),
    FOREIGN KEY(node_id) REFERENCES node (id));
CREATE TABLE disputed (bucket_id INTEGER NOT NULL, revision BIGINT NOT NULL, value_sha256 VARCHAR(64) NOT NULL,
    value TEXT NOT NULL, batch VARCHAR(64) NOT NULL, received_at VARCHAR(32) NOT NULL,
    PRIMARY KEY (bucket_id, revision, value_sha256), FOREIGN KEY(bucket_id) REFERENCES bucket (id));
INSERT INTO schema_version VALUES (1);
INSERT INTO setting VALUES ('store', 'the-first-store'), ('sealed_before', '2026-01-01T00:00:00Z');
"""
LABELS = '{"counter":"1","level":"5"}'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "city.db"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    seen = "2026-11-20T02:00:00.000Z"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(FIRST_SCHEMA)
        old.execute("INSERT INTO node VALUES (1, ?, ?, ?, ?)", (SITE, NODE, digest, seen))
        for row, simulated, count in ((1, False, 3), (2, True, 9)):
            value = f'{{"count":{count}}}'
            old.execute(
                "INSERT INTO bucket VALUES (?, 1, ?, 'ratings', ?, ?, 1, ?, 7, 1, 0, ?, ?, ?)",
                (row, EPOCH, LABELS, simulated, HOUR, value, count, seen),
            )
            old.execute("INSERT INTO total VALUES (1, ?, 'ratings', ?, 1, ?)", (simulated, LABELS, count))
        old.execute("INSERT INTO disputed VALUES (1, 7, 'abc', '{\"count\":4}', 'batch-0001', ?)", (seen,))
        old.execute("INSERT INTO chain_head VALUES (1, '00ff00ff', 'batch-0001', ?)", (seen,))
        old.commit()
    return path


def test_figures_credentials_and_evidence_stay(file):
    with running_city(file.parent) as city:
        assert city.ratings()["n"] == 3
        assert city.ratings(query="&simulated=true")["n"] == 9
        assert city.ratings(query=f"&from={HOUR}")["n"] == 3
        with city.engine.begin() as connection:
            [row] = connection.execute(select(disputed)).all()
            settings = dict(connection.execute(select(setting.c.key, setting.c.value)).all())
        assert (row.node_id, row.hour, row.labels, row.value) == (1, HOUR, LABELS, '{"count":4}')
        assert settings["sealed_before"] == "2026-01-01T00:00:00Z"
        assert settings["store"] != "the-first-store"  # nobody knows where the old one lived: everything is sent again


def test_buckets_are_found_again_under_their_new_key(file):
    with running_city(file.parent) as city:
        assert city.outcomes(bucket(3, revision=7, final=True)) == [("accepted", 7, None)]
        assert city.outcomes(bucket(2, revision=6), bucket(5, revision=8)) == [
            ("stale", 7, None),
            ("accepted", 8, None),
        ]
        assert city.ratings()["n"] == 5


def test_it_is_done_once_and_leaves_nothing_behind(file):
    for _ in range(2):
        open_engine(f"sqlite:///{file}").dispose()
    with closing(sqlite3.connect(file)) as city:
        tables = {name for (name,) in city.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert not [name for name in tables if name.endswith("_1")]
