"""The city's pages in a real browser, over a seeded city: keyboard, English, accessibility, charts, and every size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsers import DESK, PHONE, TV, accessible, chromium, needs_chromium, open_page
from support.cities import City, running_city
from support.seeded_city import seeded_city

from sync.receiver.credentials import add_reader

SIZES = {"phone": PHONE, "desk": DESK, "tv": TV}
PATHS = {
    "city": "/",
    "ranked": "/?sort=rate",
    "simulated": "/?simulated=true",
    "site": "/sites/phuong-trang-dai",
    "lost": "/sites/phuong-long-binh?period=today",
    "empty": "/sites/xa-bao-quang",
}

pytestmark = needs_chromium
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with seeded_city(tmp_path_factory.mktemp("city")) as it:
        yield it


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def visit(browser: Browser, city: City) -> Iterator[Open]:
    """Opens a page of the city."""
    with ExitStack() as pages:

        def visit(path: str = "/", size: str = "desk", language: str = "vi", *, scripts: bool = True) -> Page:
            url = f"{city.url}{path}{'&' if '?' in path else '?'}lang={language}"
            return pages.enter_context(open_page(browser, url, SIZES[size], java_script_enabled=scripts))

        yield visit


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_axe_finds_nothing(visit: Open, path: str, language: str) -> None:
    page = visit(path, language=language)
    if "trang-dai" in path:
        expect(page.locator("[data-charts]")).to_have_attribute("data-drawn", re.compile("n"))
    accessible(page)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_it_fits(visit: Open, path: str, size: str, language: str) -> None:
    """No sideways scrolling, and no word runs out of its cell."""
    page = visit(path, size, language)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    tight = page.evaluate(
        "[...document.querySelectorAll('th, td, .row > *, li, .pills a')]"
        ".filter(one => one.offsetWidth > 1 && one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
    )
    assert tight == []


def test_faces_stand_on_one_line_whatever_their_words_are(visit: Open) -> None:
    page = visit()
    tops = page.evaluate(
        "[...document.querySelectorAll('.sites thead .face')].map(face => Math.round(face.getBoundingClientRect().top))"
    )
    assert len(tops) == 5
    assert len(set(tops)) == 1


def test_stacked_marks_do_not_touch(visit: Open) -> None:
    page = visit("/", "phone")
    ratios = page.evaluate(
        "[...document.querySelectorAll('h1, h2, p, li, th, td, a, summary')].map(one => getComputedStyle(one))"
        ".map(style => parseFloat(style.lineHeight) / parseFloat(style.fontSize))"
    )
    assert min(ratios) >= 1.25


def test_with_the_keyboard_alone(visit: Open) -> None:
    page = visit()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Đến nội dung")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".needs a").first).to_be_focused()
    by_rate = page.get_by_role("link", name="theo tỷ lệ hài lòng")
    for _ in range(10):
        page.keyboard.press("Tab")
        if by_rate.evaluate("link => link === document.activeElement"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Hạng")).to_be_visible()
    expect(page.get_by_role("heading", name="Chưa đủ 30 lượt để xếp hạng")).to_be_visible()


def test_a_period_by_its_dates_with_the_keyboard(visit: Open) -> None:
    page = visit()
    page.get_by_label("Từ ngày").fill("16/11/2026")
    page.get_by_label("đến ngày").fill("18/11/2026")
    page.keyboard.press("Enter")
    expect(page.locator(".whole")).to_contain_text("16/11/2026 đến 18/11/2026")
    expect(page.get_by_label("Từ ngày")).to_have_value("16/11/2026")
    expect(page.locator(".pills [aria-current]")).to_have_count(0)


def test_the_english_switch_stays(visit: Open) -> None:
    page = visit()
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("The city's satisfaction scoreboard")
    page.get_by_role("link", name="phuong-trang-dai").click()
    expect(page.get_by_role("heading", name="Day by day")).to_be_visible()
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.get_by_role("heading", name="Từng ngày")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/sites/phuong-trang-dai"])
def test_without_scripts_every_figure_is_there(visit: Open, path: str) -> None:
    plain, full = visit(path, scripts=False), visit(path)
    for page in (plain, full):
        expect(page.locator(".big strong")).to_have_text(re.compile(r"^\d+ %$"))
    assert plain.locator("tbody").all_inner_texts() == full.locator("tbody").all_inner_texts()
    if "/sites/" in path:
        expect(plain.locator("[data-charts]")).to_be_hidden()
        expect(plain.locator("tr[data-day]").first).to_be_visible()


def test_the_charts_are_drawn_from_the_table_and_the_table_from_the_data(visit: Open, city: City) -> None:
    page = visit("/sites/phuong-trang-dai")
    charts = page.locator("[data-charts]")
    expect(charts).to_have_attribute("data-drawn", re.compile("n"))
    expect(charts.locator("canvas")).to_have_count(2)
    drawn = json.loads(charts.get_attribute("data-drawn") or "")
    days = city.get("/v1/sites/phuong-trang-dai/days").json["days"]
    told = [day for day in days if day["status"] not in (None, "closed")]
    assert [n for n in drawn["n"] if n is not None] == [day["ratings"]["n"] for day in told]
    rates = [round(100 * day["ratings"]["satisfaction_rate"]) for day in told]
    assert [rate for rate in drawn["rate"] if rate is not None] == rates
    assert len(drawn["n"]) == len(days) == 30
    for canvas in charts.locator("canvas").all():
        painted = canvas.evaluate(
            "one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(part => part)"
        )
        assert painted


def test_the_charts_fit_when_the_window_changes(visit: Open) -> None:
    page = visit("/sites/phuong-trang-dai")
    expect(page.locator("[data-charts]")).to_have_attribute("data-drawn", re.compile("n"))
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".u-wrap").first).to_have_css("width", re.compile(r"^[23]\d\d(\.\d+)?px$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_font_is_our_own_and_has_vietnamese(visit: Open) -> None:
    page = visit()
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px \"Be Vietnam Pro\"', 'ẫặỗ'))")


def test_a_browser_asks_a_person_for_name_and_token(browser: Browser, tmp_path: Path) -> None:
    with running_city(tmp_path) as closed:
        add_reader(closed.engine, "mayor", "token-of-mayor")
        stranger = browser.new_context(http_credentials={"username": "mayor", "password": "wrong"})
        reader = browser.new_context(http_credentials={"username": "mayor", "password": "token-of-mayor"})
        for context, status in ((stranger, 401), (reader, 200)):
            answer = context.new_page().goto(closed.url)
            assert answer is not None
            assert answer.status == status
            context.close()
