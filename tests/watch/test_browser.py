"""The page of ``wincompat watch --serve`` in a browser: it follows a run, says so to everybody, and runs nothing."""

from __future__ import annotations

import importlib
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.results.journal import Journal
from harness.results.result import Fault, Verdict
from harness.results.run import RunFolder
from harness.results.running import announce, withdraw
from harness.watch.following import Following
from harness.watch.server import WatchServer
from tests.browsing import new_page, violations

from .runs import START, at_work, planned, result

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = '<img src=x onerror=alert(1)><script>alert("guest")</script>\x1b[2J\u202egnp.exe'


class Watched:
    """A run that goes on, its server, and a page that is open on it; in the end nothing may have complained."""

    def __init__(self, parent: Path, browser: Browser, host: str = "127.0.0.1", **options: Any) -> None:
        self.run: RunFolder = planned(parent, *"abcd")
        exchange = parent / "exchange"
        exchange.mkdir()
        announce(self.run.path, exchange)
        now = (START + timedelta(seconds=100)).timestamp()
        at_work(exchange, "gw0", cell="b", step="install 1.0", since=now - 4, machine="one")
        at_work(exchange, "gw1", cell="c", step="lease a machine", since=now - 1)
        self.add("a", machine="one")
        following = Following(self.run, clock=lambda: now + time.monotonic() - began)
        began = time.monotonic()
        self.server = WatchServer(following.look, str, host=host, port=0)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.complaints: list[str] = []
        self.page: Page = new_page(browser, **options)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.goto(self.server.address.replace("0.0.0.0", "127.0.0.1"))  # noqa: S104 - it is taken out

    def add(self, cell: str, **more: object) -> None:
        """Let a cell end."""
        Journal(self.run.journal_file).append(result(cell, **more))

    def expect(self, place: str, words: str) -> None:
        """Wait until something is said somewhere."""
        importlib.import_module("playwright.sync_api").expect(self.page.locator(place)).to_contain_text(
            re.compile(words), timeout=120_000
        )

    def stop_serving(self) -> None:
        """Let the watcher end."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def watched(tmp_path: Path, browser: Browser) -> Iterator[Watched]:
    """Open the page of a run that goes on."""
    one = Watched(tmp_path, browser)
    yield one
    one.page.close()
    one.stop_serving()
    assert one.complaints == []


def test_the_page_follows_a_run_to_its_end(watched: Watched) -> None:
    """What ends is told within moments, and that the run has ended too; nobody has to load the page again."""
    watched.expect("#how", r"^running: 1 of 4 cells")
    watched.expect("#machines", r"oneb?.*install 1\.0 \(\d+ (s|min)")
    watched.expect("#machines", r"gw1.*lease a machine")
    watched.add("b", machine="one", verdict=Verdict.FAILED, fault=Fault.PRODUCT, reason="it did not start")
    watched.expect("#latest tr:first-child", "bfailed.*it did not start")
    for cell in "cd":
        watched.add(cell, machine="two")
    withdraw(watched.run.path)
    watched.expect("#how", r"^ended: 4 of 4 cells")
    assert watched.page.title() == "4 of 4, ended - wincompat"


def test_what_has_not_changed_stays_where_it_is(watched: Watched) -> None:
    """A row that somebody selects, and one that is being read aloud, are not replaced each second."""
    watched.expect("#latest", "passed")
    row = watched.page.locator("#latest tr").first.element_handle()
    said = watched.page.locator("#said").inner_text()
    before = watched.page.locator("#machines tr").first.inner_text()
    importlib.import_module("playwright.sync_api").expect(watched.page.locator("#machines tr").first).not_to_have_text(
        before, timeout=120_000
    )
    assert row.evaluate("row => row.isConnected")
    assert watched.page.locator("#said").inner_text() == said


def test_a_hostile_guest_runs_nothing(watched: Watched) -> None:
    """Markup and scripts in a machine's name or a reason are shown as they are."""
    watched.add("b", machine=HOSTILE, verdict=Verdict.FAILED, fault=Fault.PRODUCT, reason=HOSTILE)
    watched.expect("#latest tr:first-child", r"<script>alert")
    watched.expect("#machines", r"<img src=x")
    watched.expect("#machines", r"\u241b\[2J\[U\+202E\]gnp\.exe")
    assert watched.page.locator("main img, main script").count() == 0


def test_a_line_of_megabytes_costs_the_page_nothing(watched: Watched) -> None:
    """What a browser is sent each second stays small, and says how long the line was."""
    watched.add("b", machine="one", verdict=Verdict.FAILED, fault=Fault.PRODUCT, reason="x" * 10_000_000)
    watched.expect("#latest tr:first-child", "10,000,000 characters")
    found = watched.server.answer("/state.json")
    assert found is not None
    assert len(found[1]) < 20_000


def test_it_says_that_its_watcher_has_gone(tmp_path: Path, browser: Browser) -> None:
    """The run does not end with it, and the page does not pretend that nothing happens."""
    one = Watched(tmp_path, browser)
    one.expect("#how", "running")
    one.stop_serving()
    one.expect("#how", "the run goes on without it")
    one.page.close()


def test_a_page_for_others_finds_its_own_files(tmp_path: Path, browser: Browser) -> None:
    """Behind the token lie style, script, picture and state; nothing is asked for outside of it."""
    one = Watched(tmp_path, browser, host="0.0.0.0")  # noqa: S104 - that is what is tested
    one.expect("#how", "running")
    assert one.page.locator("body").evaluate("body => getComputedStyle(body).margin") == "0px"
    one.page.close()
    one.stop_serving()
    assert one.complaints == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 820), ("light", 390)])
def test_axe_finds_nothing(tmp_path: Path, browser: Browser, axe: str, scheme: Any, width: int) -> None:
    """No rule of WCAG 2.2 A or AA is broken, light and dark, and nothing scrolls sideways but the tables."""
    view = {"width": width, "height": 900}
    one = Watched(tmp_path, browser, color_scheme=scheme, viewport=view, bypass_csp=True)
    one.add("b", machine="one", verdict=Verdict.HUNG, fault=Fault.PRODUCT, reason="still running")
    one.expect("#latest", "hung")
    assert violations(one.page, axe) == []
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    one.page.close()
    one.stop_serving()
