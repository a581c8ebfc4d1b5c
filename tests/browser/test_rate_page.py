"""The touch page in a real browser over the real node: what a citizen touches, sees, and is never told."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect
from support.browsers import (
    KIOSKS,
    PHONE,
    TV,
    VIETNAMESE,
    WAIT_MS,
    accessible,
    chromium,
    needs_chromium,
    open_page,
    shown_text,
)
from support.nodes import Node, running_node
from support.workers import until

pytestmark = needs_chromium

SITE = Path(__file__).parents[2] / "config" / "default.toml"
COUNTERS = 40
TOUCH_PX = 75.6  # 20 mm at 96 dpi
SIZES = [*KIOSKS, PHONE, TV]
QUESTION = "Ông/bà có hài lòng với sự phục vụ ở quầy này không?"
THANKS = "Cảm ơn ông/bà!"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated centre with a counter without buttons for each test, so that no test's window closes another's."""
    text = re.sub(r"^lockout_s = \d+$", "lockout_s = 1", SITE.read_text(), flags=re.MULTILINE)
    more = "".join(f'\n[[counter]]\nid = "t{n}"\nname = "Quầy {n} - Chứng thực"\n' for n in range(COUNTERS))
    path = tmp_path_factory.mktemp("site") / "site.toml"
    path.write_text(text + more)
    return path


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("node") / "data", "--config", str(site), "--receiver-port", "0") as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def counter(numbers: Iterator[int]) -> str:
    return f"t{next(numbers)}"


Visit = Callable[..., AbstractContextManager[Page]]


@pytest.fixture
def visit(browser: Browser, node: Node, counter: str) -> Visit:
    """Opens this test's counter, and waits for the question."""

    @contextmanager
    def visit(size: tuple[int, int] = KIOSKS[0], query: str = "", **more: Any) -> Iterator[Page]:
        with open_page(browser, f"{node.url}/rate/{counter}{query}", size, **more) as page:
            expect(page.locator("body")).to_have_attribute("data-state", "question")
            yield page

    return visit


def tile(page: Page, level: int) -> Locator:
    return page.locator(f".tile[data-level='{level}']")


def heading(page: Page) -> str:
    return page.locator("h1").inner_text().strip()


def in_state(page: Page, *states: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", re.compile("|".join(states)), timeout=WAIT_MS)


def n_of(node: Node, counter: str) -> int:
    cards = node.ask("GET", "/api/v1/today")[1]["counters"]
    return int(next(card["n"] for card in cards if card["counter"] == counter))


def buckets_of(node: Node, counter: str) -> dict[str, int]:
    """What the node will tell the city of this counter: level -> count, over epochs."""
    with closing(sqlite3.connect(f"file:{node.folder}/journal.db?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT labels, value FROM bucket WHERE series = 'ratings'").fetchall()
    found: dict[str, int] = {}
    for labels, value in ((json.loads(labels), json.loads(value)) for labels, value in rows):
        if labels["counter"] == counter:
            found[labels["level"]] = found.get(labels["level"], 0) + value["count"]
    return {level: n for level, n in found.items() if n}


def sent(page: Page) -> list[tuple[str, int]]:
    """The ratings that the page sends from now on, as (key, level)."""
    found: list[tuple[str, int]] = []

    def note(request: Request) -> None:
        if request.url.endswith("/api/v1/ratings"):
            found.append((request.headers["idempotency-key"], request.post_data_json["level"]))

    page.on("request", note)
    return found


@pytest.mark.parametrize("level", [1, 5])
def test_a_touch_is_thanked_after_commit_and_counts_once(visit: Visit, node: Node, counter: str, level: int) -> None:
    with visit() as page:
        assert heading(page) == QUESTION
        tile(page, level).click()
        in_state(page, "thanks")
        assert n_of(node, counter) == 1
        assert heading(page) == THANKS
        assert buckets_of(node, counter) == {str(level): 1}


def test_whatever_was_chosen_the_page_looks_the_same_afterwards(visit: Visit) -> None:
    """The officer stands beside it."""
    looks: list[str] = []
    with visit() as page:
        for level in (1, 5):
            tile(page, level).click()
            in_state(page, "thanks")
            expect(page.locator(".tile.down")).to_have_count(0)
            assert page.evaluate("document.activeElement === document.body")
            looks.append(re.sub(r"<span data-seconds.*?</span>", "", page.locator("body").inner_html()))
            in_state(page, "question")
    assert looks[0] == looks[1]


def test_a_wrong_touch_is_corrected_within_the_time_and_counted_once(visit: Visit, node: Node, counter: str) -> None:
    with visit() as page:
        tile(page, 1).click()
        in_state(page, "thanks")
        expect(page.locator(".words p")).to_contain_text("Bấm nhầm? Bấm lại trong")
        assert int(page.locator("[data-seconds]").inner_text()) in (4, 5)
        tile(page, 5).click()
        until(lambda: buckets_of(node, counter) == {"5": 1}, "the newest answer counts")
        assert heading(page) == THANKS
        in_state(page, "done")
        expect(tile(page, 1)).to_be_hidden()  # too late to correct: nothing that pretends to work
        assert heading(page) == THANKS
        in_state(page, "question")
    assert n_of(node, counter) == 1


def test_an_answer_that_is_lost_after_the_commit_is_asked_for_again_and_counts_once(
    visit: Visit, node: Node, counter: str
) -> None:
    with visit() as page:
        asked = sent(page)
        cut: list[int] = []

        def cut_the_first_answer(route: Route) -> None:
            answer = route.fetch()  # the node has committed
            if not cut:
                cut.append(answer.status)
                route.abort("connectionreset")
            else:
                route.fulfill(response=answer)

        page.route("**/api/v1/ratings", cut_the_first_answer)
        tile(page, 4).click()
        in_state(page, "thanks", "done")
    assert cut == [201]
    assert len(asked) == 2
    assert asked[0] == asked[1]
    assert buckets_of(node, counter) == {"4": 1}


def test_while_the_node_does_not_answer_nobody_is_thanked_and_it_keeps_trying(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    options = ("--config", str(site), "--receiver-port", "0")
    with running_node(tmp_path / "data", *options) as first, open_page(browser, f"{first.url}/rate/1") as page:
        in_state(page, "question")
        page.route("**/readyz", lambda route: route.fulfill(status=200, json={"status": "ready"}))
        asked = sent(page)
        first.kill()
        tile(page, 2).click()
        in_state(page, "sending")
        assert heading(page) == "Đang ghi nhận…"
        in_state(page, "late")
        assert heading(page) == "Chưa ghi nhận được. Xin báo cán bộ."
        expect(tile(page, 2)).to_be_hidden()
        accessible(page)
        with running_node(tmp_path / "data", *options, "--port", first.url.rpartition(":")[2]) as second:
            in_state(page, "thanks", "done")
            assert n_of(second, "1") == 1
    assert len({key for key, _ in asked}) == 1


def test_a_node_that_goes_and_comes_back_is_said_and_found_by_itself(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    options = ("--config", str(site), "--receiver-port", "0")
    with running_node(tmp_path / "data", *options) as first, open_page(browser, f"{first.url}/rate/1") as page:
        in_state(page, "question")
        first.kill()
        in_state(page, "away")
        assert heading(page) == "Tạm thời không nhận đánh giá"
        expect(tile(page, 5)).to_be_hidden()
        with running_node(tmp_path / "data", *options, "--port", first.url.rpartition(":")[2]):
            in_state(page, "question")
            expect(tile(page, 5)).to_be_visible()


def test_a_node_that_takes_nothing_shows_no_faces(visit: Visit) -> None:
    with visit() as page:
        page.route("**/readyz", lambda route: route.fulfill(status=503, json={"code": "not_ready"}))
        in_state(page, "away")
        expect(tile(page, 5)).to_be_hidden()
        page.keyboard.press("5")
        accessible(page)
        assert heading(page) == "Tạm thời không nhận đánh giá"
        page.unroute("**/readyz")
        in_state(page, "question")


def test_a_rating_that_is_refused_is_not_thanked_for_and_the_page_is_fetched_anew(visit: Visit) -> None:
    """The site file has changed since it was opened: other levels, or no such counter."""
    with visit() as page:
        page.evaluate("window.old = true")
        page.route("**/api/v1/ratings", lambda route: route.fulfill(status=422, json={"code": "unknown_counter"}))
        tile(page, 5).click()
        in_state(page, "failed")
        assert heading(page) == "Chưa ghi nhận được. Xin báo cán bộ."
        in_state(page, "question")
        assert page.evaluate("window.old") is None


def test_a_double_touch_is_one_answer(visit: Visit, node: Node, counter: str) -> None:
    with visit() as page:
        asked = sent(page)
        tile(page, 5).dblclick()
        in_state(page, "thanks")
        tile(page, 5).click()
        in_state(page, "done")
    assert len(asked) == 1
    assert buckets_of(node, counter) == {"5": 1}


def test_of_two_quick_touches_the_newest_counts(visit: Visit, node: Node, counter: str) -> None:
    """While the first is on its way the second waits: it corrects."""
    with visit() as page:
        held: list[Route] = []
        page.route("**/api/v1/ratings", lambda route: held.append(route), times=1)  # noqa: PLW0108 - a built-in cannot be marked
        tile(page, 1).click()
        until(
            lambda: page.evaluate("1") and held, "the first is on its way"
        )  # asking the page lets the route be called
        tile(page, 4).click()
        held[0].continue_()
        in_state(page, "thanks")
        until(lambda: buckets_of(node, counter) == {"4": 1}, "the newest counts")
    assert n_of(node, counter) == 1


def test_a_long_touch_counts_too(visit: Visit, node: Node, counter: str) -> None:
    with visit() as page:
        tile(page, 3).hover()
        page.mouse.down()
        expect(tile(page, 3)).to_have_class(re.compile("down"))
        page.wait_for_timeout(900)
        page.mouse.up()
        in_state(page, "thanks")
    assert buckets_of(node, counter) == {"3": 1}


def test_a_finger_that_slides_to_another_face_chooses_none(visit: Visit) -> None:
    with visit() as page:
        asked = sent(page)
        tile(page, 5).hover()
        page.mouse.down()
        tile(page, 1).hover()
        page.mouse.up()
        expect(page.locator(".tile.down")).to_have_count(0)
        page.keyboard.press("4")
        in_state(page, "thanks")
    assert [level for _, level in asked] == [4]


@pytest.mark.parametrize("key", ["Digit2", "Numpad2"])
def test_a_numeric_keypad_answers(visit: Visit, node: Node, counter: str, key: str) -> None:
    with visit() as page:
        expect(tile(page, 2).locator(".digit")).to_have_text("2")
        page.keyboard.press("9")
        page.keyboard.press("0")
        page.keyboard.press(key)
        in_state(page, "thanks")
    assert buckets_of(node, counter) == {"2": 1}


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_alone_is_enough(visit: Visit, node: Node, counter: str, key: str) -> None:
    with visit() as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(tile(page, 4)).to_be_focused()
        outline = tile(page, 4).evaluate("tile => getComputedStyle(tile).outlineStyle")
        assert outline == "solid"
        page.keyboard.press(key)
        in_state(page, "thanks")
    assert buckets_of(node, counter) == {"4": 1}


def test_english_is_complete_and_goes_back_by_itself(visit: Visit) -> None:
    with visit() as page:
        page.clock.install()
        page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        for state in ("starting", "question", "sending", "late", "failed", "thanks", "done", "away"):
            page.evaluate("state => { document.body.dataset.state = state }", state)
            text = shown_text(page).replace("Tiếng Việt", "")
            left = [line for line in text.splitlines() if VIETNAMESE.search(line)]
            assert left == [page.locator(".place").inner_text()]  # the counter's own name
            assert len(heading(page)) > 8
        page.evaluate("document.body.dataset.state = 'question'")
        page.clock.run_for(61_000)
        expect(page.locator("html")).to_have_attribute("lang", "vi")
        assert heading(page) == QUESTION


def test_low_reach_brings_the_faces_down_and_goes_back_by_itself(visit: Visit) -> None:
    with visit(KIOSKS[2]) as page:
        page.clock.install()
        page.get_by_role("button", name="Hạ thấp các nút").click()
        for box in (one.bounding_box() for one in page.locator(".tile").all()):
            assert box is not None
            assert box["y"] > 1280 * 0.42
        accessible(page)
        page.clock.run_for(61_000)
        expect(page.get_by_role("button", name="Hạ thấp các nút")).to_be_visible()


def test_a_kiosk_can_always_be_low(visit: Visit) -> None:
    with visit(query="?reach=low") as page:
        page.clock.install()
        expect(page.locator("body")).to_have_class(re.compile("low"))
        page.mouse.click(5, 5)
        page.clock.run_for(61_000)
        expect(page.locator("body")).to_have_class(re.compile("low"))


@pytest.mark.parametrize("query", ["", "?lang=en", "?reach=low"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_it_fits_without_scrolling_and_a_face_is_as_large_as_a_finger(
    browser: Browser, node: Node, size: tuple[int, int], query: str
) -> None:
    with open_page(browser, f"{node.url}/rate/4{query}", size) as page:
        in_state(page, "question")
        width, height = size
        places = set()
        for state in ("question", "thanks", "sending", "late", "done"):
            page.evaluate("state => { document.body.dataset.state = state }", state)
            fits = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            assert fits[0] <= width
            assert fits[1] <= height
            words = page.locator(".words").bounding_box()
            first = page.locator(".tile").first.bounding_box()  # None: no faces in this state
            assert words is not None
            places |= {(first["x"], first["y"])} if first else set()
            assert first is None or words["y"] + words["height"] <= first["y"] + 1, f"{state}: words over the faces"
            assert page.locator(".words").evaluate("box => box.scrollHeight <= box.clientHeight + 1")
        assert len(places) == 1, "the faces stay where they are, whatever the words say"
        page.evaluate("document.body.dataset.state = 'question'")
        boxes = [box for one in page.locator(".tile").all() if (box := one.bounding_box())]
        assert len(boxes) == 5
        for box in boxes:
            assert min(box["width"], box["height"]) >= TOUCH_PX
            assert box["x"] >= 0
            assert box["y"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["y"] + box["height"] <= page.locator(".ways").bounding_box()["y"] + 1  # type: ignore[index]
        faces = [one.bounding_box() for one in page.locator(".tile .face").all()]
        side = "x" if height > width else "y"
        assert len({round(box[side]) for box in faces if box}) == 1, "the faces stand on one line"
        for one in page.locator(".tile").all():
            assert one.evaluate("tile => tile.scrollWidth <= tile.clientWidth")
            lines = one.locator(".word").evaluate(
                "word => word.getBoundingClientRect().height / parseFloat(getComputedStyle(word).lineHeight)"
            )
            assert lines < 1.5


def test_axe_finds_nothing_while_asking_and_thanking(visit: Visit) -> None:
    with visit() as page:
        accessible(page)
        tile(page, 5).click()
        in_state(page, "thanks")
        accessible(page)
        in_state(page, "done")
        accessible(page)


def test_nothing_on_it_can_be_selected_opened_or_zoomed_by_a_double_tap(visit: Visit) -> None:
    with visit() as page:
        assert page.evaluate("getComputedStyle(document.body).userSelect") == "none"
        assert page.evaluate("getComputedStyle(document.body).touchAction") == "manipulation"
        assert not page.evaluate(
            "document.body.dispatchEvent(new Event('contextmenu', {bubbles: true, cancelable: true}))"
        )
        assert page.locator("a").count() == 0


def test_who_wants_less_motion_gets_none(visit: Visit) -> None:
    with visit(reduced_motion="reduce") as page:
        tile(page, 3).hover()
        page.mouse.down()
        assert tile(page, 3).evaluate("tile => getComputedStyle(tile).transform") == "none"
        page.mouse.up()
