"""Takes the pictures of docs/screens.md again: `make screens`. A whole simulated centre with a fortnight behind it.

The days before are pressed on the real journal by a clock that the script turns, then the real node runs on it. Debian's
`pngquant` makes the pictures a third as large, where it is installed.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Browser, Page, Route, expect  # noqa: E402 - the tests' own helpers come first
from support.browsers import DESK, KIOSKS, PHONE, TV, chromium, open_page  # noqa: E402
from support.fake_clock import FakeClock  # noqa: E402
from support.journals import hall_features, press, running_journal  # noqa: E402
from support.nodes import Node, running_node  # noqa: E402

FOLDER = ROOT / "docs" / "screens"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
COUNTERS = ("1", "2", "3", "4")
HABITS = {
    "1": (2, 2, 8, 40, 48),
    "2": (4, 6, 12, 40, 38),
    "3": (1, 1, 6, 32, 60),
    "4": (2, 3, 10, 45, 40),
}  # per cent, worst first
LARGEST_BYTES = 150_000
ARM_S = 20.0

Act = Callable[[Page], None]


def a_fortnight(folder: Path) -> None:
    """Two weeks of presses, fewer on Saturdays, none on Sundays, up to an hour ago."""
    chance = random.Random(7)
    now = datetime.now(ZONE)
    clock = FakeClock(now.astimezone(UTC) - timedelta(days=14), uptime_s=1000)
    with running_journal(folder, clock, hall_features(counters=COUNTERS)) as journal:
        for ago in range(13, -1, -1):
            day = (now - timedelta(days=ago)).date()
            if day.weekday() == 6:
                continue
            for counter in COUNTERS:
                for _ in range(chance.randint(6, 14) if day.weekday() == 5 else chance.randint(18, 34)):
                    hour = chance.choice((7, 8, 8, 9, 9, 10, 10, 11, 13, 14, 14, 15, 16))
                    moment = datetime.combine(day, time(hour, chance.randint(0, 59)), ZONE)
                    if moment > now - timedelta(hours=1):
                        continue
                    clock.advance(ARM_S)
                    clock.step((moment.astimezone(UTC) - clock.utc).total_seconds())
                    press(journal, chance.choices(range(1, 6), HABITS[counter])[0], counter, simulated=True)


def take(browser: Browser, url: str, name: str, size: tuple[int, int], act: Act | None = None) -> None:
    """One picture."""
    with open_page(browser, url, size) as page:
        if "/rate/" in url:
            expect(page.locator("body")).to_have_attribute("data-state", "question")
        if act is not None:
            act(page)
        page.wait_for_timeout(700)  # charts and fonts have settled
        path = FOLDER / f"{name}.png"
        page.screenshot(path=path)
    if quantise := shutil.which("pngquant"):
        subprocess.run([quantise, "--force", "--skip-if-larger", "--output", path, "64", path], check=False)
    size_bytes = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {size_bytes / 1000:.0f} kB{' TOO LARGE' if size_bytes > LARGEST_BYTES else ''}")


def state(wanted: str) -> Act:
    """Wait for a state of the touch page."""
    return lambda page: expect(page.locator("body")).to_have_attribute("data-state", wanted, timeout=15_000)


def touch(level: int, wanted: str = "thanks") -> Act:
    """Touch a face, and wait for what comes of it."""

    def act(page: Page) -> None:
        page.locator(f".tile[data-level='{level}']").click()
        state(wanted)(page)

    return act


def charts(page: Page) -> None:
    """The charts, one with the pointer on a day and one with its table open."""
    page.get_by_text("Xem bảng số liệu").first.click()
    page.evaluate("document.querySelector('.pair:last-of-type').scrollIntoView()")
    page.locator(".u-over").last.hover()


def finger_down(page: Page) -> None:
    """A face under the finger."""
    page.locator(".tile[data-level='4']").hover()
    page.mouse.down()


def not_taken(page: Page) -> None:
    """The node says that it takes nothing."""

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"code": "not_ready"})

    page.route("**/readyz", refuse)
    state("away")(page)


def stale(node: Node) -> Act:
    """The node dies under the page."""

    def act(page: Page) -> None:
        node.kill()
        expect(page.locator("#stale")).to_be_visible(timeout=15_000)

    return act


def troubles(node: Node) -> None:
    """A panel without its plug, and no line to the city."""
    node.ask("POST", "/api/v1/simulate/devices/panel-4/unplug")
    node.city("down")
    for counter in COUNTERS:
        node.rate(5, counter)


def main() -> None:
    """All pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        data = Path(place) / "data"
        data.mkdir()
        a_fortnight(data)
        with running_node(data, "--receiver-port", "0") as node:
            node.all_sent()
            staff, rate = f"{node.url}/?lang=vi", f"{node.url}/rate/1?lang=vi"
            take(browser, staff, "staff-desk", DESK)
            take(browser, staff, "staff-tv", TV)
            take(browser, staff, "staff-phone", PHONE)
            take(browser, staff, "staff-desk-charts", DESK, charts)
            take(browser, f"{node.url}/?lang=en", "staff-desk-english", DESK)
            for name, size in (("1024x600", KIOSKS[0]), ("800x1280", KIOSKS[2]), ("390x844", PHONE)):
                take(browser, rate, f"rate-{name}", size)
                take(browser, f"{rate}&reach=low", f"rate-{name}-low", size)
            take(browser, f"{node.url}/rate/2?lang=en", "rate-1024x600-english", KIOSKS[0])
            take(browser, rate, "rate-1024x600-pressed", KIOSKS[0], finger_down)
            take(browser, rate, "rate-1024x600-thanks", KIOSKS[0], touch(4))
            take(browser, f"{node.url}/rate/3?lang=vi", "rate-800x1280-thanks", KIOSKS[2], touch(5))
            take(browser, rate, "rate-1024x600-away", KIOSKS[0], not_taken)
            troubles(node)
            take(browser, staff, "staff-desk-attention", DESK, lambda page: page.wait_for_timeout(4000))
            take(browser, staff, "staff-phone-attention", PHONE, lambda page: page.wait_for_timeout(500))
            take(browser, staff, "staff-desk-stale", DESK, stale(node))


if __name__ == "__main__":
    main()
