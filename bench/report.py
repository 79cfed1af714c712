"""What a report costs to make, to keep and to open, from 1,000 to 100,000 cells, beside what others make of as many."""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figures import Figure
from tests.report.many import many_cells

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIZES = (1_000, 10_000, 100_000)
BUDGETS = {10_000: (3.0, 1.0, 0.5, 0.1), 100_000: (20.0, 6.0, 1.0, 0.3)}
"""Seconds to make, megabytes, seconds to open, seconds to filter: at most."""

_MAKE = (
    "import sys, time; from pathlib import Path; from harness.report.page import write_report;"
    "began = time.process_time();"
    "write_report(Path(sys.argv[1]), output=Path(sys.argv[2])); print(time.process_time() - began)"
)
_TESTS = """
import pytest
@pytest.mark.parametrize("cell", range(10_000))
def test(cell):
    assert cell % 50, "the installer ended with 1603"
"""


def figures() -> Iterator[Figure]:
    """Make and open our page at each size, then what pytest-html and Allure 3 make of 10,000 tests, where they are."""
    with tempfile.TemporaryDirectory(prefix="wincompat-bench-") as name, _browser() as browser:
        folder = Path(name)
        for size in SIZES:
            yield from _ours(size, folder, browser)
        yield from _pytest_html(folder, browser)
        yield from _allure(folder, browser)


def _ours(size: int, folder: Path, browser: Browser | None) -> Iterator[Figure]:
    run = many_cells(folder / str(size), size)
    page = folder / f"{size}.html"
    # CPU seconds: other work of the machine does not count
    made = float(subprocess.check_output([sys.executable, "-c", _MAKE, run.path, page], text=True))
    seconds, megabytes, opens, filters = BUDGETS.get(size, (None,) * 4)
    said = f"report, {size:,} cells"
    yield Figure(f"{said}: made in", made, "s CPU", at_most=seconds)
    yield Figure(f"{said}: size", page.stat().st_size / 1e6, "MB", at_most=megabytes)
    if browser is None:
        return
    opened = [_open(browser, page, "document.documentElement.dataset.ready") for _ in range(3)]
    yield Figure(
        f"{said}: opens in", min(one.seconds for one in opened), "s CPU", opens, spread=[o.seconds for o in opened]
    )
    yield Figure(f"{said}: DOM", opened[0].nodes, "nodes")
    asked = opened[0].filters
    yield Figure(f"{said}: answers a filter in", statistics.median(asked), "s CPU", filters, spread=asked)


def _pytest_html(folder: Path, browser: Browser | None) -> Iterator[Figure]:
    if importlib.util.find_spec("pytest_html") is None:
        print("pytest-html is not installed: pip install pytest-html")
        return
    page = folder / "pytest-html.html"
    spent = _with_plugin(folder, f"--html={page}", "--self-contained-html")
    yield Figure("pytest-html, 10,000 tests: made in", spent, "s")
    yield Figure("pytest-html, 10,000 tests: size", page.stat().st_size / 1e6, "MB")
    if browser is not None:
        opened = _open(browser, page, "document.querySelectorAll('#results-table > tbody').length >= 1")
        yield Figure("pytest-html, 10,000 tests: opens in", opened.seconds, "s CPU")
        yield Figure("pytest-html, 10,000 tests: DOM", opened.nodes, "nodes")


def _allure(folder: Path, browser: Browser | None) -> Iterator[Figure]:
    allure = shutil.which("allure") or shutil.which("allure", path="node_modules/.bin")
    if allure is None or importlib.util.find_spec("allure_pytest") is None:
        print("Allure 3 is not installed: npm install allure, pip install allure-pytest")
        return
    results, config, made = folder / "allure-results", folder / "allurerc.json", folder / "allure-report"
    _with_plugin(folder, f"--alluredir={results}")
    config.write_text('{"plugins": {"awesome": {"options": {"singleFile": true}}}}')
    began = time.perf_counter()
    words = [allure, "generate", str(results), "--config", str(config), "--output", str(made)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    yield Figure("Allure 3, 10,000 tests: made in", time.perf_counter() - began, "s")
    page = max(made.rglob("*.html"), key=lambda file: file.stat().st_size)
    yield Figure("Allure 3, 10,000 tests: size", page.stat().st_size / 1e6, "MB")
    if browser is not None:
        opened = _open(browser, page, "document.querySelectorAll('*').length > 1000")
        yield Figure("Allure 3, 10,000 tests: opens in", opened.seconds, "s CPU")
        yield Figure("Allure 3, 10,000 tests: DOM", opened.nodes, "nodes")


def _with_plugin(folder: Path, *words: str) -> float:
    """Run 10,000 tests with a plugin and without one; give the seconds it added."""
    tests = folder / "test_many.py"
    tests.write_text(_TESTS)
    plain = [sys.executable, "-m", "pytest", "-q", "-q", "--tb=line", "-p", "no:cacheprovider", "-c", "/dev/null"]
    spent = []
    for more in ((), words):
        began = time.perf_counter()
        subprocess.run([*plain, str(tests), *more], check=False, stdout=subprocess.DEVNULL, cwd=folder)
        spent.append(time.perf_counter() - began)
    return spent[1] - spent[0]


@dataclass(frozen=True, slots=True)
class Opened:
    """CPU seconds until a page was ready, its nodes, and those of three filters (none where it has none)."""

    seconds: float
    nodes: int
    filters: tuple[float, ...]


_FILTER = """word => {
  const form = document.getElementById("filter");
  form.elements.q.value = word;
  form.dispatchEvent(new Event("input"));
  document.body.offsetHeight;
}"""


def _open(browser: Browser, file: Path, ready: str) -> Opened:
    """Open a page; its seconds are CPU time of its main thread, so that other work of the machine does not count."""
    page = browser.new_page()
    page.set_default_timeout(300_000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    page.goto(file.as_uri())
    page.wait_for_function(ready)
    clocks = [spent()]
    nodes = page.evaluate("document.querySelectorAll('*').length")
    if page.locator("#filter").count():
        for word in ("product-1", "failed", "1603"):
            before = spent()
            page.evaluate(_FILTER, word)
            clocks.append(spent() - before)
    page.close()
    return Opened(clocks[0], nodes, tuple(clocks[1:]))


class _browser:  # noqa: N801 - it reads as what it gives
    """Chromium, or None where it or Playwright is missing, which is said."""

    def __enter__(self) -> Browser | None:
        self.driver: Any = None
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if chromium is None or importlib.util.find_spec("playwright") is None:
            print("no browser: apt-get install chromium, pip install playwright")
            return None
        from playwright.sync_api import sync_playwright

        self.driver = sync_playwright().start()
        opened: Browser = self.driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        return opened

    def __exit__(self, *_: object) -> None:
        if self.driver is not None:
            self.driver.stop()
