"""Takes the pictures of docs/screens: `python tests/browser/city_screens.py [FOLDER]`. Not a test: somebody has to look at them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from support.seeded_city import seeded_city  # noqa: E402 - the line above finds it

CHROMIUM = "/usr/bin/chromium"
SIZES = {"phone": (390, 844), "desk": (1366, 768), "tv": (1920, 1080)}
PAGES = {
    "city": "/",
    "city-ranked": "/?sort=rate",
    "city-site": "/sites/phuong-trang-dai",
    "city-simulated": "/?simulated=true",
}
SHOTS = [
    ("city", "desk", "vi"), ("city", "phone", "vi"), ("city", "tv", "vi"), ("city-ranked", "desk", "en"),
    ("city-simulated", "desk", "vi"), ("city-site", "desk", "vi"), ("city-site", "phone", "en"),
]  # fmt: skip
LONGEST_PX = 1700  # what is below says the same again


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, seeded_city(Path(data)) as city, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for page_name, size, language in SHOTS:
            width, height = SIZES[size]
            page = browser.new_page(viewport={"width": width, "height": height})
            path = PAGES[page_name]
            answer = page.goto(f"{city.url}{path}{'&' if '?' in path else '?'}lang={language}")
            assert answer is not None
            assert answer.ok, answer.text()
            page.evaluate("document.fonts.ready")
            page.wait_for_load_state("networkidle")
            longest = min(LONGEST_PX, page.evaluate("document.documentElement.scrollHeight"))
            clip = {"x": 0, "y": 0, "width": width, "height": longest}
            page.screenshot(path=folder / f"{page_name}-{size}-{language}.png", full_page=True, clip=clip)
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TESTS.parent / "docs" / "screens")
