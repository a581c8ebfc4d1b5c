"""A site file is loaded whole or refused with every problem at once, each at its key and line."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from config.loading import load, loads
from config.problems import ConfigError, Problem
from config.settings import DeviceSettings, Settings


class Panel(DeviceSettings):
    kind: Literal["panel"]
    pins: dict[int, int]
    baud: int = Field(default=19200, ge=1200, le=115200)


class Bell(DeviceSettings):
    kind: Literal["bell"]
    address: int = Field(ge=1, le=247)

    @classmethod
    def problems_together(cls, devices: Sequence[Self]) -> Iterable[tuple[str, str, str]]:
        first: dict[int, str] = {}
        for device in devices:
            if device.address in first:
                yield device.id, "address", f"{device.address} is already {first[device.address]}'s"
            first.setdefault(device.address, device.id)


KINDS: dict[str, type[DeviceSettings]] = {"panel": Panel, "bell": Bell}
SITE = """[site]
id = "s"
name = "S"
mode = "simulation"
[[site.opening]]
days = ["mon"]
spans = ["07:30-11:30", "13:30-17:30"]
[[counter]]
id = "1"
name = "Quầy 1"
"""
PRODUCTION = SITE.replace("simulation", "production")
CITY = '[city]\nurl = "https://city.example"\n'


def problems_of(text: str) -> dict[str, Problem]:
    with pytest.raises(ConfigError) as refused:
        loads(text, "site.toml", KINDS)
    assert len(set(refused.value.problems)) == len(refused.value.problems), "one problem is told once"
    return {problem.key: problem for problem in refused.value.problems}


def only_problem(text: str) -> Problem:
    (problem,) = problems_of(text).values()
    return problem


def device(kind: str = "bell", name: str = "b", more: str = "address = 1", wire: str = "simulated") -> str:
    return f'[[device]]\nid = "{name}"\nkind = "{kind}"\nwire = "{wire}"\n{more}\n'


def test_a_valid_file_gives_each_device_as_its_own_kind() -> None:
    settings = loads(SITE + device("panel", "p", "pins = { 1 = 17, 2 = 4 }") + device(), "site.toml", KINDS)

    assert [type(each) for each in settings.devices] == [Panel, Bell]
    assert isinstance(settings.devices[0], Panel)
    assert settings.devices[0].pins == {1: 17, 2: 4}
    assert settings.counters[0].name == "Quầy 1"
    assert settings.ratings.satisfied_from == 4


def test_a_mark_in_front_as_some_editors_write_it_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE, encoding="utf-8-sig")
    assert load(path, KINDS).site.id == "s"


def test_every_problem_of_a_file_is_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        SITE.replace('id = "s"', "naem = 1")
        + device("panel", "p", "pins = { 1 = 17 }\nbaud = 3")
        + device("bel", "q")
        + device("bell", "r", 'address = "x"\ncounter = "2"', wire="")
        + "[ratings]\nlevels = 9\n"
    )
    with pytest.raises(ConfigError) as refused:
        loads(text, "site.toml", KINDS)

    assert [(problem.line, problem.key) for problem in refused.value.problems] == [
        (1, "site.id"),
        (2, "site.naem"),
        (16, "device[0].baud"),
        (19, "device[1].kind"),
        (25, "device[2].wire"),
        (26, "device[2].address"),
        (27, "device[2].counter"),
        (29, "ratings.levels"),
    ]
    told = str(refused.value).splitlines()
    assert told[2] == "site.toml:16: device[0].baud: must be from 1200 to 115200 (given: 3)"


def test_devices_valid_alone_are_judged_together_although_others_are_broken() -> None:
    text = (
        SITE
        + device(name="a")
        + device("panel", "broken", "")
        + device(name="b")
        + device(name="c", more="address = 2")
    )
    problems = problems_of(text)
    assert set(problems) == {"device[1].pins", "device[2].address"}
    assert problems["device[2].address"].text == "1 is already a's"
    assert problems["device[2].address"].line == 25


@pytest.mark.parametrize(
    ("more", "key", "words"),
    [
        ("[ratings]\nlevles = 5", "ratings.levles", 'is no known key (did you mean "levels"?)'),
        ("[ratings]\nlevels = 5.0", "ratings.levels", "must be a whole number from 3 to 5 (given: 5.0)"),
        ("[ratings]\nlevels = true", "ratings.levels", "must be a whole number from 3 to 5 (given: true)"),
        ('[api]\nport = "8080"', "api.port", 'must be a whole number from 0 to 65535 (given: "8080")'),
        ("[api]\nport = 65536", "api.port", "must be from 0 to 65535 (given: 65536)"),
        ("[api]\nhost = 5", "api.host", "must be a text in quotes (given: 5)"),
        ('[api]\nhost = ""', "api.host", 'must not be empty (given: "")'),
        ("[ratings]\nlockout_s = 601", "ratings.lockout_s", "must be from 0 to 600 s (given: 601)"),
        ("[ratings]\nlockout_s = nan", "ratings.lockout_s", "must be a finite number from 0 to 600 s (given: nan)"),
        (
            "[city]\nread_timeout_s = 0",
            "city.read_timeout_s",
            "must be more than 0 and at most 600 s (given: 0)",
        ),
        (
            '[ratings]\nbinding = "requird"',
            "ratings.binding",
            'must be one of "off", "preferred", "required" (did you mean "required"?) (given: "requird")',
        ),
        (
            '[node]\nroles = ["hub", "counters"]',
            "node.roles[1]",
            'must be one of "hub", "counter", "kiosk", "display", "speaker" (did you mean "counter"?)',
        ),
        ("[node]\nroles = []", "node.roles", "must not be empty"),
        ('[node]\nroles = "hub"', "node.roles", 'must be an array: [ ... ] (given: "hub")'),
        (
            '[node]\nid = "nút 1"',
            "node.id",
            'must have only letters without accents, digits, dots, underscores and hyphens (given: "nút 1")',
        ),
        ('[city]\nca_file = "ca.pem"', "city.ca_file", "must be an absolute path"),
        (
            "[ratings]\nlevels = 3",
            "ratings.satisfied_from",
            "must be from 2 to 3, the number of levels (given: 4)",
        ),
        ("[rating]\nlevels = 3", "rating", 'is no known key (did you mean "ratings"?)'),
        (
            "[[counters]]\nid = '2'",
            "counters",
            'is no known key (did you mean "counter"?)',
        ),
        ("[[devices]]\nid = '2'", "devices", 'is no known key (did you mean "device"?)'),
        ("[device]\nid = '2'", "device", "must be written [[device]], once for each"),
        ("[site.holidays]\ncountry = 'US'", "site.holidays.country", 'must be one of "VN", "" (given: "US")'),
        (
            "[site.holidays]\nclosed = ['2026-01-02']",
            "site.holidays.closed[0]",
            'must be a date such as 2026-09-02, without quotes and without a time (given: "2026-01-02")',
        ),
        (
            "[site.holidays]\nopen = [2026-01-02T00:00:00]",
            "site.holidays.open[0]",
            "must be a date such as 2026-09-02, without quotes and without a time (given: 2026-01-02 00:00:00)",
        ),
        (
            "[site.holidays]\nclosed = [2026-01-01, 2026-01-02]\nopen = [2026-01-02]",
            "site.holidays.open[0]",
            "2026-01-02 is also in closed; take it out of one of the two",
        ),
        (
            '[[counter]]\nid = "1"\nname = "Quầy 2"',
            "counter[1].id",
            '"1" is already the id of counter[0]; ids must differ',
        ),
        ("[[counter]]\nid = '2'", "counter[1].name", "is missing; every file must say it"),
        (device("bel"), "device[0].kind", 'there is no kind "bel" (did you mean "bell"?); kinds: "bell", "panel"'),
        ("[[device]]\nid = 'x'\nwire = 'y'", "device[0].kind", 'is missing; kinds: "bell", "panel"'),
        ("[[device]]\nid = 'x'\nwire = 'y'\nkind = 5", "device[0].kind", "must be a text in quotes"),
        (
            device(more='address = 1\ncounter = "l"'),
            "device[0].counter",
            'there is no counter "l"; counters: "1"',
        ),
        (
            device("panel", more="pins = { 1 = 17, 02 = 3 }"),
            "device[0].pins.02",
            'the key must be a whole number (given: "02")',
        ),
        (device("panel", more="pins = [17]"), "device[0].pins", "must be a table"),
        (
            device(name="http"),
            "device[0].id",
            '"http" is how the node signs its own events; give the device another id',
        ),
        (device(name="node"), "device[0].id", '"node" is how the node signs its own events'),
        (device(name="clock"), "device[0].id", '"clock" is how the node signs its own events'),
        (device() + device(more="address = 2"), "device[1].id", '"b" is already the id of device[0]'),
    ],
)
def test_each_kind_of_mistake_gets_words_that_say_what_to_do(more: str, key: str, words: str) -> None:
    problem = only_problem(SITE + more)
    assert problem.key == key
    assert problem.text.startswith(words)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('timezone = "Asia/Ha_Noi"', None, "site.timezone", "is no known time zone"),
        ('timezone = "Asia/Ho_Chi_Min"', None, "site.timezone", 'did you mean "Asia/Ho_Chi_Minh"?'),
        ('timezone = "Asia"', None, "site.timezone", "is no known time zone"),
        ('timezone = "../x"', None, "site.timezone", "is no known time zone"),
        ('"07:30-11:30"', '"7:30-11:30"', "site.opening[0].spans[0]", 'must be written "HH:MM-HH:MM"'),
        ('"07:30-11:30"', '"11:30-07:30"', "site.opening[0].spans[0]", "must start before it ends"),
        ('"07:30-11:30"', '"07:30-07:30"', "site.opening[0].spans[0]", "must start before it ends"),
        ('"13:30-17:30"', '"13:30-24:01"', "site.opening[0].spans[1]", 'has a time after "24:00"'),
        (
            '"13:30-17:30"',
            '"11:29-12:00"',
            "site.opening[0].spans",
            '"11:29-12:00" overlaps "07:30-11:30" on mon; a minute can be opened only once',
        ),
        ('["mon"]', "[]", "site.opening[0].days", "must not be empty"),
        ('["mon"]', '["monday"]', "site.opening[0].days[0]", 'must be one of "mon", "tue"'),
        ('mode = "simulation"', "", "site.mode", 'is missing; choose one of "simulation", "production"'),
    ],
)
def test_mistakes_in_the_site_table(old: str, new: str | None, key: str, words: str) -> None:
    text = SITE.replace(old, new) if new is not None else SITE.replace("[[site", f"{old}\n[[site", 1)
    problem = only_problem(text)
    assert problem.key == key
    assert words in problem.text


def test_a_day_named_twice_overlaps_across_entries() -> None:
    more = '[[site.opening]]\ndays = ["tue", "mon"]\nspans = ["17:00-18:00"]\n'
    assert only_problem(SITE + more).key == "site.opening[1].spans"


def test_spans_that_only_touch_do_not_overlap() -> None:
    text = SITE.replace('"13:30-17:30"', '"11:30-24:00", "00:00-07:30"')
    assert loads(text, "site.toml", KINDS).site.opening[0].minutes()[1] == (690, 1440)


def test_opening_hours_are_never_assumed() -> None:
    start, end = SITE.index("[[site"), SITE.index("[[counter")
    assert only_problem(SITE[:start] + SITE[end:]).text == "is missing; write [[site.opening]]"


def test_an_empty_file_names_the_missing_table() -> None:
    problem = only_problem("")
    assert (problem.key, problem.line) == ("site", None)


def test_production_refuses_everything_simulated_at_once() -> None:
    text = (
        PRODUCTION
        + '[clock]\ntrust = ["network", "host"]\n'
        + device()
        + device(name="c", more="address = 2", wire="/x")
    )
    assert set(problems_of(text)) == {"city.url", "clock.trust", "device[0].wire"}


def test_production_with_real_wires_and_a_real_city_is_taken() -> None:
    assert loads(PRODUCTION + CITY + device(wire="/dev/x"), "site.toml", KINDS).site.mode == "production"


def test_production_is_judged_although_another_key_of_the_same_table_is_wrong() -> None:
    text = PRODUCTION.replace('id = "s"', 'id = ""') + device()
    assert set(problems_of(text)) == {"site.id", "city.url", "device[0].wire"}


@pytest.mark.parametrize(
    "url",
    [
        "embedded",
        "https://city.example",
        "https://[::1]:8443/x",
        "http://127.0.0.9:1",
        "http://[::1]/",
        "http://localhost:8081",
    ],
)
def test_addresses_a_credential_may_travel_to(url: str) -> None:
    assert loads(f'{SITE}[city]\nurl = "{url}"\n', "site.toml", KINDS).city.url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://city.example",
        "http://192.168.1.5",
        "http://localhost.evil.example",
        "ftp://city.example",
        "city.example",
        "https://",
        "https://city.example:port",
        "https://a b",
        "https://city.example/\\u0000",
        "",
    ],
)
def test_addresses_a_credential_may_not_travel_to(url: str) -> None:
    assert only_problem(f'{SITE}[city]\nurl = "{url}"\n').key == "city.url"


@pytest.mark.parametrize(
    "line",
    [
        'url = "https://user:geheim@city.example"',
        'url = "https://city.example/?token=geheim"',
        'url = "geheim"',
        'token = "geheim"',
        'password = "geheim"',
        'api_key = "geheim"',
    ],
)
def test_a_secret_in_the_site_file_is_refused_and_never_repeated(line: str) -> None:
    problem = only_problem(f"{SITE}[city]\n{line}\n")
    assert "geheim" not in str(problem)
    assert "city_token" in problem.text or line == 'url = "geheim"'


def test_a_value_of_several_lines_stays_on_the_line_of_its_problem() -> None:
    assert len(str(only_problem(SITE + '[api]\nport = "a\\nb"\n')).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "line"), [("a = ", 1), ("\n\na = 1\na = 2\n", 4), ("[x", 1), ("a = 2026-02-30", 1), ("a = 1 2", 1)]
)
def test_a_syntax_error_tells_its_line(text: str, line: int) -> None:
    problem = only_problem(text)
    assert (problem.line, problem.key) == (line, "")
    assert problem.text.startswith("is not valid TOML: ")


def test_a_bottomless_file_is_refused_in_words() -> None:
    assert only_problem("a = " + "[" * 100_000).text == "is nested too deep to be a site file"


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: .*directory") as refused:
        load(tmp_path / name, KINDS)
    assert refused.value.problems[0].file == str(tmp_path / name)


def test_a_file_that_is_not_utf_8_tells_the_line(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(b'[site]\nname = "Ph\xf4"\n')
    with pytest.raises(ConfigError, match=r"site\.toml:2: is not UTF-8 text"):
        load(path, KINDS)


def test_settings_made_without_a_file_keep_the_same_rules() -> None:
    site = loads(SITE, "site.toml", KINDS).site
    with pytest.raises(ValidationError) as refused:
        Settings(site=site, devices=(Bell(id="b", kind="bell", wire="simulated", counter="9", address=1),))
    assert [error["loc"] for error in refused.value.errors()] == [("device", 0, "counter")]


def test_settings_cannot_be_changed() -> None:
    settings = loads(SITE, "site.toml", KINDS)
    with pytest.raises(ValidationError, match="frozen"):
        settings.site.mode = "production"  # type: ignore[misc]


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('ab ạ#["\\\n', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "url", "x"]), inner, max_size=3),
    max_leaves=5,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(sign):08x}" for sign in value if not 0xD800 <= ord(sign) < 0xE000) + '"'
    return str(value).lower().replace("none", "0")


@given(
    st.dictionaries(
        st.sampled_from(["site", "node", "api", "city", "ratings", "clock", "counter", "device", "other"]), JSON_LIKE
    )
)
def test_whatever_stands_in_a_file_it_is_refused_in_words_with_lines(tables: dict[str, object]) -> None:
    text = "".join(f"{name} = {toml(value)}\n" for name, value in tables.items())
    with pytest.raises(ConfigError) as refused:
        loads(text, "site.toml", KINDS)
    for problem in refused.value.problems:
        assert problem.text
        assert "Value error" not in problem.text
        assert "Input should" not in problem.text
        if problem.line is not None:
            assert text.splitlines()[problem.line - 1].startswith(problem.key.split(".")[0].split("[")[0])


@pytest.mark.parametrize("name", ["https://node.hall", "node.hall:8443", "Node.Hall", "*.hall", "node hall", ".hall"])
def test_a_name_of_the_node_is_a_host_name_and_nothing_else(name: str) -> None:
    problem = only_problem(SITE + f'[api]\nnames = ["ok.hall", "{name}"]\n')
    assert problem.key == "api.names[1]"
    assert problem.text.startswith("must be a host name in lower case, without scheme, port and blanks")


def test_names_of_the_node_are_none_unless_they_are_given() -> None:
    assert loads(SITE, "site.toml", KINDS).api.names == ()
    assert loads(SITE + '[api]\nnames = ["node.hall"]\n', "site.toml", KINDS).api.names == ("node.hall",)
