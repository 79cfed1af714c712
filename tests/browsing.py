"""A browser for the tests of pages: Chromium, driven by Playwright; skipped by name where one is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 180_000  # milliseconds, for whatever a page is to do
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one browser for all tests of a process."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=PATIENCE
        )
        yield chromium
        chromium.close()


def new_page(browser: Browser, **options: Any) -> Page:
    """Open a page that is waited for patiently."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE)
    return page


@pytest.fixture(scope="session")
def axe() -> str:
    """Read axe-core from where AXE_CORE says or from node_modules; it is not kept in this repository."""
    places = [os.environ.get("AXE_CORE", ""), "node_modules/axe-core/axe.min.js", "build/axe/axe.min.js"]
    for place in filter(None, places):
        if Path(place).is_file():
            return Path(place).read_text("utf-8")
    pytest.skip("axe-core is missing: npm install axe-core, or AXE_CORE=path/to/axe.min.js")


def violations(page: Page, axe: str) -> list[tuple[str, str]]:
    """Name every rule of WCAG 2.2 A and AA that a page breaks, with the first place; the page must bypass its CSP."""
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]
