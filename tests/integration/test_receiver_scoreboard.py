"""The scoreboard over a real socket: JSON and page, and who may read it."""

import pytest
from sqlalchemy import text
from support.cities import SITE, TOKEN, bucket, running_city

from sync.receiver.credentials import add_node, add_reader
from sync.receiver.page import FIVE, TEXTS


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
        assert answer.headers["www-authenticate"].startswith("Bearer")
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


# The page


def page(city, query=""):
    answer = city.get(f"/{query}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.body.decode()


def test_the_page_never_shows_a_rate_without_its_n(city):
    assert "Chưa có dữ liệu" in page(city)
    assert " %</strong>" not in page(city)
    city.send(bucket(1290, level=5), bucket(193, level=1))
    assert "<strong>87 %</strong> hài lòng (n = 1.483)" in page(city)
    assert "<strong>87 %</strong> satisfied (n = 1,483)" in page(city, "?lang=en")


def test_the_page_is_vietnamese_first_and_complete_in_english(city):
    city.send(
        bucket(3), bucket(1, series="ratings_excluded", labels={"counter": "1", "reason": "lockout"}),
    )  # fmt: skip
    vietnamese, english = page(city), page(city, "?lang=en")
    assert '<html lang="vi">' in vietnamese
    assert '<html lang="en">' in english
    for words in FIVE["vi"]:
        assert words in vietnamese
        assert words not in english
    for words in FIVE["en"]:
        assert words in english
    assert "bấm quá sớm sau lượt trước" in vietnamese
    assert "pressed too soon" in english


def test_both_languages_have_every_text():
    assert TEXTS["vi"].keys() == TEXTS["en"].keys()
    assert all(TEXTS["en"].values())
    assert all(TEXTS["vi"].values())


def test_simulated_figures_say_so(city):
    city.send(bucket(4, simulated=True))
    assert "không phải ý kiến của người dân" in page(city, "?simulated=true")
    assert "(n = 4)" in page(city, "?simulated=true")
    assert "không phải ý kiến của người dân" not in page(city)
    assert "Chưa có dữ liệu" in page(city)


def test_the_page_needs_nothing_from_elsewhere_and_no_script(city):
    html = page(city)
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert city.get("/static/scoreboard.css").status == 200
    assert city.get("/").headers["content-security-policy"] == "default-src 'self'; frame-ancestors 'none'"
