"""The staff's page in a real browser over the real node: it stays true by itself, and says so when it is not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsers import (
    DESK,
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

pytestmark = needs_chromium

SITE = Path(__file__).parents[2] / "config" / "default.toml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated centre, but each press counts: these tests press faster than citizens come."""
    text = SITE.read_text()
    for key in ("lockout_s", "correction_s"):
        text, changed = re.subn(rf"^{key} = \d+$", f"{key} = 0", text, flags=re.MULTILINE)
        assert changed == 1
    path = tmp_path_factory.mktemp("site") / "site.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def node(tmp_path: Path, site: Path) -> Iterator[Node]:
    with running_node(tmp_path / "data", "--config", str(site), "--receiver-port", "0") as one:
        yield one


def card(page: Page, index: int = 0) -> str:
    return page.locator(".counter").nth(index).inner_text()


def rate(node: Node, *levels: int, counter: str = "1") -> None:
    for level in levels:
        assert node.rate(level, counter, uuid.uuid4().hex)[0] == 201


def test_a_press_at_the_panel_shows_without_a_reload(browser: Browser, node: Node) -> None:
    with open_page(browser, f"{node.url}/") as page:
        expect(page.locator(".counter").first).to_contain_text("Chưa có dữ liệu")
        page.evaluate("window.stillTheSame = true")
        node.press("panel-1", 5)
        expect(page.locator(".counter").first).to_contain_text("1 lượt hôm nay")
        expect(page.locator(".counter").last).to_contain_text("1 lượt hôm nay")
        assert "%" not in card(page)  # how it was answered is not told
        assert page.evaluate("window.stillTheSame")


def test_answers_appear_with_the_fifth_and_their_charts_with_their_tables(browser: Browser, node: Node) -> None:
    with open_page(browser, f"{node.url}/") as page:
        rate(node, 5, 5, 4, 1)
        expect(page.locator(".counter").first).to_contain_text("4 lượt hôm nay")
        expect(page.locator(".counter").first.locator(".faces")).to_be_hidden()
        rate(node, 3)
        first = page.locator(".counter").first
        expect(first).to_contain_text("60 % hài lòng (n = 5)")
        assert [text.strip() for text in first.locator(".faces li").all_text_contents()] == [
            "Rất hài lòng: 2", "Hài lòng: 1", "Bình thường: 1", "Không hài lòng: 0", "Rất không hài lòng: 1",
        ]  # fmt: skip
        widths = [float(str(bar.get_attribute("width"))) for bar in first.locator("[data-bar]").all()]
        assert widths == [40, 20, 20, 0, 20]
        figure = page.locator("figure[data-chart]").nth(1)
        expect(figure.locator("canvas")).to_be_visible()
        figure.get_by_text("Xem bảng số liệu").click()
        expect(figure.locator("tbody tr").last).to_contain_text("60 % (n = 5)")
        expect(page.locator("figure[data-chart]").first.locator("[data-empty]")).to_be_visible()  # no hour is over yet
        accessible(page)


def test_a_dead_node_is_said_in_words_and_colour_and_a_new_one_is_found(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    options = ("--config", str(site), "--receiver-port", "0")
    with running_node(tmp_path / "data", *options) as first, open_page(browser, f"{first.url}/") as page:
        stale = page.locator("#stale")
        expect(stale).to_be_hidden()
        first.kill()
        expect(stale).to_contain_text("Mất kết nối với bộ điều khiển", timeout=WAIT_MS)
        assert re.search(r"của lúc \d\d:\d\d", stale.inner_text())
        expect(page.locator("body")).to_have_class("old")
        assert (
            page.locator(".counters").evaluate("part => getComputedStyle(part.parentElement).filter") == "grayscale(1)"
        )
        accessible(page)
        with running_node(tmp_path / "data", *options, "--port", first.url.rpartition(":")[2]) as second:
            expect(stale).to_be_hidden(timeout=WAIT_MS)
            rate(second, 5)
            expect(page.locator(".counter").first).to_contain_text("1 lượt hôm nay")


def test_what_needs_a_person_comes_first_and_goes_when_it_is_done(browser: Browser, node: Node) -> None:
    with open_page(browser, f"{node.url}/") as page:
        notices = page.locator("#notices")
        expect(notices).to_have_text("Mọi thứ hoạt động bình thường")
        node.ask("POST", "/api/v1/simulate/devices/panel-2/unplug")
        expect(notices).to_contain_text("Quầy 2 - Đất đai: bảng nút không dùng được từ")
        expect(notices).to_contain_text("hãy kiểm tra và cắm lại")
        row = page.locator("tr", has_text="panel-2")
        expect(row).to_contain_text("Không dùng được")
        expect(row).to_have_class("needs")
        accessible(page)
        node.ask("POST", "/api/v1/simulate/devices/panel-2/plug")
        expect(notices).to_have_text("Mọi thứ hoạt động bình thường")
        expect(row).to_contain_text("Sẵn sàng")
        node.city("down")
        rate(node, 5)
        expect(notices).to_contain_text("Mất kết nối máy chủ thành phố", timeout=WAIT_MS)
        expect(notices).to_contain_text("Dữ liệu được giữ lại")
        expect(page.locator("[data-say='city.text']")).to_have_text("Đang chờ gửi, dữ liệu được giữ lại")
        node.city("up")
        expect(notices).to_have_text("Mọi thứ hoạt động bình thường", timeout=WAIT_MS)


def test_without_javascript_everything_can_be_read_as_it_was(browser: Browser, node: Node) -> None:
    rate(node, 5, 5, 5, 5, 2)
    with open_page(browser, f"{node.url}/", java_script_enabled=False) as page:
        expect(page.locator(".counter").first).to_contain_text("80 % hài lòng (n = 5)")
        page.get_by_text("Xem bảng số liệu").last.click()
        expect(page.locator("table").last).to_contain_text("80 % (n = 5)")


def test_english_is_complete(browser: Browser, node: Node) -> None:
    rate(node, 5, 5, 5, 5, 2)
    node.ask("POST", "/api/v1/simulate/devices/panel-2/unplug")
    with open_page(browser, f"{node.url}/?lang=en") as page:
        expect(page.locator("#notices")).to_contain_text("The panel is unplugged: check its plug and put it back.")
        expect(page.locator(".counter").first).to_contain_text("5 ratings today")
        for table in page.get_by_text("Show the table").all():
            table.click()
        text = shown_text(page)
        names = [counter.split('"')[1] for counter in re.findall(r'name = ".*"', SITE.read_text())]
        for name in [*names, "Tiếng Việt", "Nụ Cười"]:  # the site file's own, and the product's
            text = text.replace(name, "")
        assert [line for line in text.splitlines() if VIETNAMESE.search(line)] == []


@pytest.mark.parametrize("size", [PHONE, DESK, TV], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_it_fits(browser: Browser, node: Node, size: tuple[int, int], language: str) -> None:
    rate(node, 5, 4, 3, 2, 1)
    with open_page(browser, f"{node.url}/?lang={language}", size) as page:
        expect(page.locator("canvas").last).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_axe_finds_nothing_on_the_simulator(browser: Browser, node: Node) -> None:
    with open_page(browser, f"{node.url}/simulator") as page:
        expect(page.locator("[data-n]")).to_have_text(re.compile(r"^\d+$"))
        accessible(page)
