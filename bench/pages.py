"""Opening a page in Chromium, and what it costs: until it is ready, until it has answered a filter, and its nodes."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_FILTER = """word => {
  const form = document.getElementById("filter");
  form.elements.q.value = word;
  form.dispatchEvent(new Event("input"));
  document.body.offsetHeight;
}"""
_MARKS = (
    """() => ["ready", "first-contentful-paint"].map(name => performance.getEntriesByName(name)[0]?.startTime || 0)"""
)
_WORDS = ("product-1", "failed", "1603")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a page cost until it was ready: ``seconds`` of its own thread's CPU, and by the clock, in three ways.

    ``clock`` is from asking for the address to seeing, in another process, that the page is ready: it counts what an
    empty page costs, too. ``own`` is by the page's own clock, from the start of the navigation to the mark ``ready``
    that our page sets (0 without one), ``painted`` by the same clock until the first words are seen. ``filters`` are
    CPU seconds of the page's thread for each word searched for.
    """

    seconds: float
    clock: float
    nodes: int
    filters: tuple[float, ...] = ()
    own: float = 0.0
    painted: float = 0.0


def opened(browser: Browser, file: Path, ready: str, *, first: str = "", filters: bool = False) -> Opened:
    """Open a page and wait until ``ready``, a selector, is there; then search it for a few words, one after another.

    CPU time of the page's thread is what is held against a target: other work of the machine does not count. ``first``
    is a script that runs before the page's own.
    """
    page = browser.new_page()
    if first:
        page.add_init_script(first)
    page.set_default_timeout(300_000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    began = time.perf_counter()
    page.goto(file.as_uri(), wait_until="commit")  # what comes behind the grid may still be read when that stands
    page.locator(ready).first.wait_for(state="attached")
    clock = time.perf_counter() - began
    seconds = spent()
    page.wait_for_load_state()
    nodes = page.evaluate("document.querySelectorAll('*').length")
    own, painted = page.evaluate(_MARKS)
    answers = []
    for word in _WORDS if filters else ():
        before = spent()
        page.evaluate(_FILTER, word)
        answers.append(spent() - before)
    page.close()
    return Opened(seconds, clock, nodes, tuple(answers), own / 1000, painted / 1000)


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """Start Chromium, or give None where it or Playwright is missing, which is said."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None or importlib.util.find_spec("playwright") is None:
        print("no browser: apt-get install chromium, pip install playwright")
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
