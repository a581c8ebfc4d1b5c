"""The hall's page through the real nginx in a real browser while the node restarts: calm words, and then the page again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from support.nginxes import NAME, PROGRAM, port_of, running_nginx
from support.nodes import running_node

CHROMIUM = Path("/usr/bin/chromium")
WAIT_MS = 30_000
SIZES = {"phone": (390, 844), "desk": (1280, 800), "tv": (1920, 1080)}
#: A real centre (in a simulation `/` leads to the simulator, which nobody sees through nginx) whose city is nowhere.
SITE = f"""
[site]
id = "phuong-thu"
name = "Trung tâm thử"
mode = "production"
[[site.opening]]
days = ["mon"]
spans = ["07:30-11:30"]
[api]
names = ["{NAME}"]
[city]
url = "https://127.0.0.1:9"
[clock]
trust = ["network"]
[[counter]]
id = "1"
name = "Quầy 1 - Hộ tịch"
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
    pytest.mark.skipif(not PROGRAM.exists(), reason="needs nginx: apt-get install nginx"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield one
        one.close()


def test_a_page_of_the_hall_says_that_the_node_restarts_and_comes_back_by_itself(
    browser: Browser, tmp_path: Path
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE, encoding="utf-8")
    options = ("--config", str(site))
    secret = {"NUCUOI_CITY_TOKEN": "token-of-a-test"}
    with running_node(tmp_path / "node", *options, environment=secret) as node:
        port = port_of(node)
        with running_nginx(tmp_path / "nginx", port) as nginx:
            page = browser.new_page(ignore_https_errors=True)
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            page.goto(nginx.url)
            expect(page.locator("body")).to_contain_text("Trung tâm thử")
            node.kill()
            page.reload()
            heading = page.get_by_role("heading", name="Đang khởi động lại, xin chờ")
            expect(heading).to_be_visible()
            for name, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                page.screenshot(path=tmp_path / f"restarting-{name}.png")
                overflow = page.evaluate(
                    "[document.body.scrollWidth > innerWidth, document.body.scrollHeight > innerHeight]"
                )
                assert overflow == [False, False], f"it scrolls at {name} size"
            background = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert background == "rgb(251, 247, 239)"  # so the policy let the page's own style in
            assert [text for text in said if "Content Security Policy" in text] == []
            with running_node(tmp_path / "node", *options, "--port", str(port), environment=secret):
                expect(heading).to_be_hidden(timeout=WAIT_MS)
                expect(page.locator("body")).to_contain_text("Trung tâm thử", timeout=WAIT_MS)
            page.close()
