"""Takes the pictures of the city's pages again, a part of `make screens`. Not a test: somebody has to look at them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.browsers import DESK, PHONE, TV, chromium, open_page  # noqa: E402 - the tests' own helpers come first
from support.seeded_city import seeded_city  # noqa: E402

FOLDER = ROOT / "docs" / "screens"
LONGEST_PX = 1700  # what is below says the same again
SHOTS = {
    "city-desk-vi": ("/?lang=vi", DESK),
    "city-phone-vi": ("/?lang=vi", PHONE),
    "city-tv-vi": ("/?lang=vi", TV),
    "city-ranked-desk-en": ("/?sort=rate&lang=en", DESK),
    "city-simulated-desk-vi": ("/?simulated=true&lang=vi", DESK),
    "city-site-desk-vi": ("/sites/phuong-trang-dai?lang=vi", DESK),
    "city-site-phone-en": ("/sites/phuong-trang-dai?lang=en", PHONE),
}


def main() -> None:
    """All pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, seeded_city(Path(data)) as city, chromium() as browser:
        for name, (path, size) in SHOTS.items():
            file = FOLDER / f"{name}.png"
            with open_page(browser, city.url + path, size) as page:
                page.evaluate("document.fonts.ready")
                page.wait_for_load_state("networkidle")
                height = min(LONGEST_PX, page.evaluate("document.documentElement.scrollHeight"))
                clip = {"x": 0, "y": 0, "width": size[0], "height": height}
                page.screenshot(path=file, full_page=True, clip=clip)  # type: ignore[arg-type]
            if quantise := shutil.which("pngquant"):
                subprocess.run([quantise, "--force", "--skip-if-larger", "--output", file, "64", file], check=False)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
