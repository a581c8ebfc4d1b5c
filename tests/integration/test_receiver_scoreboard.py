"""The scoreboard over a real socket: JSON and page, and who may read it."""

import base64
import http.client

import pytest
from sqlalchemy import text
from support.cities import SITE, TOKEN, bucket, running_city

from sync.receiver.credentials import add_node, add_reader


@pytest.fixture
def city(database):
    with running_city(database) as it:
        yield it


def test_the_json_has_the_agreed_shape(city):
    city.send(bucket(3, level=5), bucket(1, level=2))
    answer = city.get(f"/v1/scoreboard?site={SITE}").json
    [line] = answer["sites"]
    assert line["site"] == SITE
    assert line["ratings"]["n"] == 4
    assert line["ratings"]["by_level"] == {"1": 0, "2": 1, "3": 0, "4": 0, "5": 3}
    assert line["ratings"]["satisfaction_rate"] == 0.75
    assert line["last_seen"].endswith("Z")
    assert 0 <= line["data_age_s"] < 20
    assert [node["node"] for node in line["nodes"]] == ["hub"]


def test_a_site_without_data_is_there_without_a_rate(city):
    ratings = city.ratings()
    assert (ratings["n"], ratings["satisfaction_rate"]) == (0, None)


def test_an_unknown_site_is_an_empty_list(city):
    assert city.get("/v1/scoreboard?site=elsewhere").json["sites"] == []


def test_simulated_and_real_are_never_added(city):
    city.send(bucket(2), bucket(5, simulated=True))
    assert city.ratings()["n"] == 2
    assert city.ratings(query="&simulated=false")["n"] == 2
    assert city.ratings(query="&simulated=true")["n"] == 5


def test_an_interval_takes_the_hours_it_touches(city):
    city.send(*(bucket(1, hour=f"2026-11-{day:02}T{hour:02}:00:00Z") for day in (19, 20) for hour in (0, 16, 17, 23)))
    assert city.ratings(query="&from=2026-11-20T00:00:00Z")["n"] == 4
    assert city.ratings(query="&to=2026-11-20T00:00:00Z")["n"] == 4
    assert city.ratings(query="&from=2026-11-19T16:30:00Z&to=2026-11-19T17:00:01Z")["n"] == 2
    assert city.ratings(query="&from=2026-11-20&to=2026-11-20")["n"] == 4  # 17:00 to 17:00 UTC is the day in Vietnam
    assert city.ratings(query="&from=2026-11-20T07:00:00%2B07:00&to=2026-11-20T08:00:00%2B07:00")["n"] == 1
    assert city.get("/v1/scoreboard?from=2026-11-20&to=2026-11-20").json["hours"] == {
        "from": "2026-11-19T17:00:00Z",
        "to": "2026-11-20T17:00:00Z",
    }


def test_sites_stand_apart(city):
    add_node(city.engine, "ward-2", "hub", "token-2")
    city.send(bucket(2))
    city.send(bucket(7), token="token-2", site="ward-2")
    assert [line["ratings"]["n"] for line in city.get("/v1/scoreboard").json["sites"]] == [2, 7]


# Who may read


def test_on_loopback_reading_is_open_until_a_reader_is_registered(city):
    assert city.get("/v1/scoreboard").status == 200
    add_reader(city.engine, "mayor", "token-of-mayor")
    assert city.get("/v1/scoreboard").status == 401
    assert city.get("/v1/scoreboard", "token-of-mayor").status == 200
    assert city.get("/").status == 401
    assert city.get("/", "token-of-mayor").status == 200
    assert city.get("/v1/scoreboard", TOKEN).status == 401  # a node's token does not read


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"Host": "city.example"}, {"Host": "[x"}],
)
def test_what_came_through_a_proxy_or_under_another_name_is_not_local(city, headers):
    assert city.request("GET", "/v1/scoreboard", headers=headers).status == 401
    assert city.request("GET", "/", headers=headers).status == 401


def test_without_the_loopback_rule_reading_needs_a_credential(tmp_path):
    with running_city(tmp_path, open_on_loopback=False) as city:
        answer = city.get("/v1/scoreboard")
        assert answer.status == 401
        assert city.get("/livez").status == 200
        assert city.get("/readyz").status == 200


def test_a_database_that_fails_is_a_503_in_words_and_livez_stays(city):
    with city.engine.begin() as connection:
        connection.execute(text("ALTER TABLE setting RENAME TO elsewhere"))
    answer = city.get("/readyz")
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"
    assert city.send(bucket()).status == 503
    assert city.get("/livez").status == 200


# A person in a browser


def basic(name, token):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()}


def test_a_person_reads_with_the_readers_name_and_its_token(city):
    add_reader(city.engine, "mayor", "token-of-mayor")
    add_reader(city.engine, "clerk", "token-of-clerk")
    assert city.request("GET", "/", headers=basic("mayor", "token-of-mayor")).status == 200
    assert city.request("GET", "/v1/scoreboard.csv", headers=basic("clerk", "token-of-clerk")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        basic("mayor", "token-of-clerk"), basic("clerk", "token-of-mayor"), basic("mayor", ""), basic("", "token-of-mayor"),
        basic("mayor", "a token"), basic("mayor", "không phải"), basic("thị trưởng", "token-of-mayor"),
        {"Authorization": "Basic"}, {"Authorization": "Basic %%%"}, {"Authorization": "Basic bWF5b3I="},
        {"Authorization": "Digest x"},
    ],
)  # fmt: skip
def test_another_readers_name_or_token_opens_nothing(city, headers):
    add_reader(city.engine, "mayor", "token-of-mayor")
    add_reader(city.engine, "clerk", "token-of-clerk")
    for path in ("/", "/sites/ward-1", "/v1/scoreboard", "/v1/scoreboard.csv", "/v1/sites/ward-1/days.csv"):
        assert city.request("GET", path, headers=headers).status == 401


def test_a_refusal_offers_a_line_for_programs_and_one_for_browsers(city):
    add_reader(city.engine, "mayor", "token-of-mayor")
    connection = http.client.HTTPConnection(city.url.removeprefix("http://"))
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        offered = [value for name, value in answer.getheaders() if name.lower() == "www-authenticate"]
    finally:
        connection.close()
    assert offered == ['Bearer realm="nucuoi"', 'Basic realm="nucuoi", charset="UTF-8"']
    sent = city.request("POST", "/v1/nodes/hub/buckets", b"{}")
    assert sent.headers["www-authenticate"].startswith("Bearer")  # a node is no person


def test_a_nodes_credential_is_no_password(city):
    add_reader(city.engine, "mayor", "token-of-mayor")
    assert city.request("GET", "/", headers=basic("hub", TOKEN)).status == 401


# What stands behind the figures


def seconds(series, state, amount, **changes):
    labels = {"state": state} | ({"device": "panel-1", "counter": "1"} if series == "device_seconds" else {})
    return bucket(series=series, labels=labels, value={"seconds": amount}, **changes)


def test_the_json_says_how_long_devices_worked_and_what_each_counter_did(city):
    city.send(
        bucket(3), bucket(1, level=2), seconds("open_seconds", "up", 3000), seconds("open_seconds", "unknown", 600),
        seconds("device_seconds", "available", 2970), seconds("device_seconds", "unavailable", 30),
    )  # fmt: skip
    [line] = city.get(f"/v1/scoreboard?site={SITE}").json["sites"]
    assert line["availability"] == {"available_s": 2970, "unavailable_s": 30, "ratio": 0.99}
    assert line["open_seconds"] == {"up": 3000, "unknown": 600}
    assert [(counter["counter"], counter["ratings"]["n"]) for counter in line["counters"]] == [("1", 4)]
    [device] = line["devices"]
    assert (device["node"], device["device"], device["counter"]) == ("hub", "panel-1", "1")
    assert line["days"] is None  # all time is not told day by day


def test_the_days_of_a_site_in_json_and_csv(city):
    city.send(bucket(2, final=True), bucket(1, hour="2026-11-23T01:00:00Z", final=True, revision=2))
    query = "from=2026-11-19&to=2026-11-23"
    answer = city.get(f"/v1/sites/{SITE}/days?{query}").json
    assert (answer["site"], answer["simulated"]) == (SITE, False)
    assert [(day["day"], day["ratings"]["n"], day["status"] is None) for day in answer["days"]] == [
        ("2026-11-19", 0, True), ("2026-11-20", 2, False), ("2026-11-21", 0, False), ("2026-11-22", 0, False),
        ("2026-11-23", 1, False),
    ]  # fmt: skip
    text = city.get(f"/v1/sites/{SITE}/days.csv?{query}")
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert text.headers["content-disposition"] == f'attachment; filename="{SITE}-days.csv"'
    assert len(text.body.splitlines()) == 6


@pytest.mark.parametrize(
    "path", ["/v1/sites/elsewhere/days", "/v1/sites/a%00b/days.csv", "/sites/elsewhere", "/sites/%C3%A9"]
)
def test_an_unknown_sites_own_pages_are_not_found(city, path):
    assert (city.get(path).status, city.get(path).json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    ["period=year", "period=7d&from=2026-11-01", "site=a%00b", "sort=worst", "from=31/02/2026"],
)
def test_an_argument_that_says_nothing_is_refused(city, query):
    for path in ("/", "/v1/scoreboard", "/v1/scoreboard.csv"):
        answer = city.get(f"{path}?{query}")
        assert (answer.status, answer.json["code"]) == (400, "argument"), path


def test_a_period_too_long_is_not_told_day_by_day(city):
    for query in ("period=all", "from=2020-01-01", "to=2026-11-20"):
        assert city.get(f"/v1/sites/{SITE}/days?{query}").status == 400
        assert city.get(f"/sites/{SITE}?{query}").status == 200  # the page shows the newest days, and says so


def test_an_unknown_language_is_refused(city):
    assert city.get("/?lang=fr").status == 400
