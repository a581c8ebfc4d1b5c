"""The simulator page in a real browser, over the real node with its own city: what a newcomer would do and see."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SITE = Path(__file__).parents[2] / "config" / "default.toml"
WAIT_MS = 15_000
SIZES = {"desk": (1280, 800), "phone": (390, 844), "tv": (1920, 1080)}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


@dataclass
class Node:
    """A `nucuoi run` of our own."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(15)
        if self.process.stdout is not None:
            self.process.stdout.close()


def start(folder: Path, site: Path, port: int = 0) -> Node:
    """Start a node and wait for its `ready` line."""
    command = [sys.executable, "-m", "firmware_py", "run", "--config", str(site), "--data", str(folder)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--receiver-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready "), f"the node said {line!r}"
    return Node(process, line.split()[1])


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
def node(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Node]:
    one = start(tmp_path_factory.mktemp("data"), site)
    yield one
    one.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield one
        one.close()


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, node: Node) -> Iterator[Open]:
    """Opens the page; at the end nothing may have been complained about in any console."""
    complaints: list[str] = []
    pages: list[Page] = []

    def visit(size: str = "desk", language: str = "vi", url: str = node.url) -> Page:
        width, height = SIZES[size]
        page = browser.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _ours(request.url, url, complaints))
        page.goto(f"{url}/simulator?lang={language}")
        expect(page.locator("[data-n]")).to_have_text(re.compile(r"^\d+$"), timeout=WAIT_MS)
        return page

    yield visit
    for page in pages:
        page.close()
    assert not complaints


def _ours(asked: str, url: str, complaints: list[str]) -> None:
    if not asked.startswith(url):
        complaints.append(f"asked elsewhere: {asked}")


def panel(page: Page, number: int) -> Locator:
    return page.locator(f"[data-device=panel-{number}]")


def face(page: Page, number: int, level: int) -> Locator:
    return panel(page, number).locator(f".key[data-button='{level}']")


def lit(page: Page, number: int, lamp: str) -> Locator:
    return panel(page, number).locator(f".lamp.lit[data-lamp={lamp}]")


def count(page: Page) -> int:
    return int(page.locator("[data-n]").inner_text())


def reaches_the_city(page: Page, n: int) -> None:
    expect(page.locator("[data-n]")).to_have_text(str(n), timeout=WAIT_MS)


@pytest.mark.parametrize("number", [1, 3], ids=["gpio", "serial"])
def test_a_press_lights_the_thanks_and_reaches_the_city(visit: Open, number: int) -> None:
    page = visit()
    before = count(page)
    expect(panel(page, number).locator("[data-state]")).to_have_text("Sẵn sàng, mời bấm.")
    face(page, number, 5).click()
    expect(lit(page, number, "thanks")).to_be_visible()
    expect(panel(page, number).locator("[data-state]")).to_have_text("Cảm ơn! Đã ghi nhận.")
    reaches_the_city(page, before + 1)
    expect(page.locator("[data-rate]")).to_contain_text(f"% (n = {before + 1})")
    expect(page.locator("[data-news] li").first).to_contain_text("đã ghi nhận một lượt đánh giá")
    expect(lit(page, number, "ready")).to_be_visible()  # and back again


def test_a_bouncing_button_counts_once(visit: Open) -> None:
    page = visit()
    before = count(page)
    panel(page, 1).get_by_role("radio", name="Có rung (10 lần)").check()
    face(page, 1, 4).click()
    expect(lit(page, 1, "thanks")).to_be_visible()
    panel(page, 2).get_by_role("radio", name="Bấm thường").check()
    face(page, 2, 4).click()  # what the city shows next includes all of the first press
    expect(lit(page, 2, "thanks")).to_be_visible()
    reaches_the_city(page, before + 2)


def test_a_held_button_is_seen_down_and_counts_once(visit: Open) -> None:
    page = visit()
    before = count(page)
    panel(page, 2).get_by_role("radio", name="Giữ 3 giây").check()
    face(page, 2, 3).click()
    expect(face(page, 2, 3)).to_have_class(re.compile("down"))
    expect(lit(page, 2, "thanks")).to_be_visible()
    expect(face(page, 2, 3)).not_to_have_class(re.compile("down"))
    reaches_the_city(page, before + 1)


def test_the_keyboard_presses_too(visit: Open) -> None:
    page = visit()
    before = count(page)
    face(page, 4, 5).focus()
    page.keyboard.press("Tab")
    expect(face(page, 4, 4)).to_be_focused()
    page.keyboard.press("Enter")
    expect(lit(page, 4, "thanks")).to_be_visible()
    reaches_the_city(page, before + 1)


@pytest.mark.parametrize("number", [2, 4], ids=["gpio", "serial"])
def test_an_unplugged_panel_says_so_and_what_to_do_and_comes_back(visit: Open, number: int) -> None:
    page = visit()
    card = panel(page, number)
    card.get_by_role("button", name="Rút dây").click()
    expect(card.locator("[data-state]")).to_contain_text("kiểm tra")
    expect(card).to_have_class(re.compile("unplugged"))
    card.get_by_role("button", name="Cắm lại").click()
    expect(card.locator("[data-state]")).to_have_text("Sẵn sàng, mời bấm.")
    expect(card.get_by_role("button", name="Rút dây")).to_be_visible()


def test_what_happens_while_the_city_is_away_waits_in_words_and_then_arrives(visit: Open) -> None:
    page = visit()
    before = count(page)
    page.get_by_role("radio", name="Mất mạng").check()
    face(page, 1, 5).click()
    expect(lit(page, 1, "thanks")).to_be_visible()
    expect(page.locator("[data-outbox]")).to_contain_text("Dữ liệu được giữ lại.")
    assert count(page) == before
    page.get_by_role("radio", name="Thông suốt").check()
    reaches_the_city(page, before + 1)
    expect(page.locator("[data-outbox]")).to_contain_text("Thành phố đã nhận hết")


def test_the_frames_on_the_serial_wire_can_be_read(visit: Open) -> None:
    page = visit()
    panel(page, 3).get_by_text("Khung truyền trên dây").click()
    expect(panel(page, 3).locator("[data-frames]")).to_contain_text(re.compile(r"[→←]  :03"))
    expect(panel(page, 1).locator("[data-wire]")).to_be_hidden()


def test_a_dead_node_is_said_in_words_and_a_new_one_is_found_by_itself(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    first = start(tmp_path, site)
    page = browser.new_page()
    try:
        page.goto(f"{first.url}/simulator")
        stale = page.locator("#stale")
        expect(panel(page, 1).locator("[data-state]")).to_have_text("Sẵn sàng, mời bấm.", timeout=WAIT_MS)
        expect(stale).to_be_hidden()
        first.end(signal.SIGKILL)
        expect(stale).to_contain_text("Mất kết nối với thiết bị, đang thử lại", timeout=WAIT_MS)
        face(page, 1, 5).click()
        expect(panel(page, 1).locator("[data-refused]")).to_contain_text("Không gửi được lệnh")
        second = start(tmp_path, site, first.port)
        try:
            expect(stale).to_be_hidden(timeout=WAIT_MS)
        finally:
            page.close()
            second.end()
    finally:
        page.close()
        if first.process.poll() is None:
            first.end(signal.SIGKILL)


def test_in_english_every_label_is_english(visit: Open) -> None:
    page = visit(language="en")
    expect(page.locator("h1")).to_have_text("Press a face: the light says thank you, then the city's number grows.")
    expect(panel(page, 1).locator("[data-state]")).to_have_text("Ready, please press.")
    for label in page.locator("button, label, legend, summary, h3, dt").all_text_contents():
        assert label.isascii() or "×" in label, label
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.locator("h1")).to_contain_text("Bấm một khuôn mặt")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_it_fits(visit: Open, size: str, language: str) -> None:
    """No sideways scrolling, every word inside its key, the faces of a panel on one line."""
    page = visit(size, language)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    for key in page.locator(".key").all():
        assert key.evaluate("key => key.scrollWidth <= key.clientWidth"), key.inner_text()
    for number in range(1, 5):
        tops = {round(one.bounding_box()["y"]) for one in panel(page, number).locator(".key .face").all()}  # type: ignore[index]
        assert len(tops) == 1


def test_on_a_phone_what_is_touched_is_large_and_the_citys_number_stays_in_sight(visit: Open) -> None:
    page = visit("phone")
    for target in page.locator(".key, .choice label, .plain").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["width"] >= 44
    panel(page, 4).scroll_into_view_if_needed()
    expect(page.locator(".tally")).to_be_in_viewport()
    expect(page.locator("[data-tally]")).to_have_text(str(count(page)))


def test_the_font_is_the_nodes_own_and_has_vietnamese(visit: Open) -> None:
    page = visit()
    assert page.evaluate("document.fonts.check('16px \"Be Vietnam Pro\"', 'ẫặỗ')")
    loaded = page.evaluate("[...document.fonts].filter(font => font.status === 'loaded').length")
    assert loaded == 4
