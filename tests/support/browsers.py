"""Debian's Chromium, and pages that may complain about nothing: shared by the browser tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

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
WAIT_MS = 15_000
DESK = (1366, 768)
PHONE = (390, 844)
TV = (1920, 1080)
KIOSKS = ((1024, 600), (1280, 800), (800, 1280))
VIETNAMESE = re.compile(r"[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]", re.IGNORECASE)

#: For a module of browser tests: `pytestmark = needs_chromium`.
needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for as long as the block lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, url: str, size: tuple[int, int] = DESK, **more: Any) -> Iterator[Page]:
    """A page of its own; at the end no console may have complained, and nothing may have been asked elsewhere."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **more)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: _complain(message.text, complaints))
    origin = "/".join(url.split("/")[:3])
    page.on("request", lambda asked: asked.url.startswith(origin) or complaints.append(f"asked elsewhere: {asked.url}"))
    page.goto(url)
    try:
        yield page
    finally:
        context.close()
    assert not complaints


def _complain(text: str, complaints: list[str]) -> None:
    if not text.startswith("Failed to load resource"):  # a node that is away, on purpose
        complaints.append(text)


def accessible(page: Page) -> None:
    """axe-core finds nothing."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def shown_text(page: Page) -> str:
    """What can be read on the page."""
    return str(page.evaluate("document.body.innerText"))
