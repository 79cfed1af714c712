"""The page in a real browser: it opens, finds, leads, compares and prints, and never speaks to anybody."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.page import write_report
from harness.report.pdf import write_pdf
from tests.browsing import CHROMIUM, new_page, violations
from tests.results.made_runs import run

from .life import life
from .many import many_cells
from .sample import HOSTILE, sample_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

READY = "html[data-ready]"  # a selector: the page allows no evaluation, which polling for an expression would be


class Opened:
    """A page that is open, and everything that was said or asked for meanwhile."""

    def __init__(self, browser: Browser, file: Path, **options: Any) -> None:
        self.page: Page = new_page(browser, **options)
        self.address = file.as_uri()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def at(self, hash: str = "") -> Page:  # noqa: A002 - it is what browsers call it
        """Open the page at a place of it and wait until its script has done its work."""
        self.page.goto("about:blank")
        self.page.goto(self.address + hash)
        self.page.locator(READY).wait_for(state="attached")
        return self.page

    def kept_quiet(self) -> None:
        """Hold that nothing complained and that nothing but the run's own files was asked for."""
        assert self.complaints == []
        own = self.address.rpartition("/")[0]
        assert [url for url in self.asked if not url.startswith((own, "data:", "about:"))] == []
        self.page.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of the sample run with some of what came before it."""
    return write_report(life(tmp_path_factory.mktemp("runs"), runs=6).path)


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Opened]:
    """Open the sample run's report; in the end it must have kept quiet."""
    one = Opened(browser, report)
    yield one
    one.kept_quiet()


def test_two_clicks_lead_from_the_grid_to_a_cell_and_to_its_neighbour(opened: Opened) -> None:
    """A square opens its cell, a button there puts it beside the nearest build where it came out otherwise."""
    page = opened.at()
    page.locator("#sheet td.h a").first.click()
    assert "install on Windows 11 21H2" in page.locator("#stage-title").inner_text()
    assert "still running after 120 s" in page.locator("#stage").inner_text()
    page.locator("#stage a.button", has_text="Compare").click()
    page.locator("#stage .pair").wait_for()
    assert page.locator("#stage .pair section").count() == 2
    page.keyboard.press("Escape")
    assert not page.locator("#stage").is_visible()


def test_a_window_of_another_size_shows_as_many_rows(opened: Opened) -> None:
    """Whoever turns a phone or drags a corner sees the grid as it was."""
    page = opened.at()
    rows = page.locator("#sheet tbody tr").count()
    assert rows > 10
    for width in (700, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        page.wait_for_timeout(100)
        assert page.locator("#sheet tbody tr").count() == rows


def test_a_finding_leads_to_all_of_its_cells(opened: Opened) -> None:
    """What its fingerprint names stands in the grid and nothing else, and the grid is brought into view."""
    page = opened.at()
    page.locator("a.tag").first.click()
    page.locator("[name=shown]", has_text="2 of 65").wait_for()
    assert page.locator("#sheet td.f").count() == 2
    expect = importlib.import_module("playwright.sync_api").expect
    expect(page.locator("#grid-title")).to_be_in_viewport()


def test_a_cell_tells_what_was_predicted_of_it(opened: Opened) -> None:
    """Beside what was seen, with the finding in the package that predicted it."""
    page = opened.at("#cell:win11-21h2::ninja-exe::install")
    told = page.locator("#stage .foretold li").inner_text()
    assert "as predicted" in told
    assert "exe-may-ask predicted: possibly hangs; seen: still running after 120 s" in told


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_no_width_makes_the_page_scroll_sideways(browser: Browser, report: Path, width: int) -> None:
    """What is too wide for a phone scrolls in its own place, with and without a script."""
    for script in (True, False):
        page = new_page(browser, viewport={"width": width, "height": 900}, java_script_enabled=script)
        page.goto(report.as_uri())
        if script:
            page.locator(READY).wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


def test_a_comparison_is_headed_by_what_tells_the_cells_apart(opened: Opened) -> None:
    """The builds where the story is the same; the stories where it is not."""
    names = "#stage thead a"
    at = opened.at("#c1+c7")
    assert at.locator(names).all_inner_texts() == ["Windows 10 21H2", "Windows 10 22H2"]
    assert at.locator("#stage-title").inner_text() == "install: Windows 10 21H2 beside Windows 10 22H2"
    at = opened.at("#c1+c4")
    assert at.locator(names).all_inner_texts() == ["install on Windows 10 21H2", "denied on Windows 10 21H2"]


def test_filters_narrow_the_grid_and_can_be_sent_to_somebody(opened: Opened) -> None:
    """What is asked for stands in the address, and the address alone brings it back."""
    page = opened.at()
    page.locator("[name=verdict]").select_option("f")
    page.locator("[name=q]").fill("denied")
    assert page.locator("[name=shown]").inner_text() == "1 of 65 cells"
    again = opened.at("#" + page.url.partition("#")[2])
    assert again.locator("[name=shown]").inner_text() == "1 of 65 cells"
    assert again.locator("[name=q]").input_value() == "denied"


def test_a_list_sorts_by_what_is_clicked(opened: Opened) -> None:
    """Once for up, twice for down, said to those who cannot see it."""
    page = opened.at("#find?view=list")
    for turned in ("ascending", "descending"):
        page.locator("th.by-seconds button").click()
        assert page.locator("th.by-seconds").get_attribute("aria-sort") == turned
    assert "hung" in page.locator("#sheet tbody tr").first.inner_text()


def test_a_deep_link_opens_its_cell_by_number_and_by_name(opened: Opened) -> None:
    """The link that a cell offers opens the same cell, also in the report of another run."""
    first = opened.at("#c4").locator("#stage-title").inner_text()
    named = opened.page.locator("#stage a", has_text="Link to this cell").get_attribute("href")
    assert named is not None
    assert named.startswith("#cell:")
    assert opened.at(named).locator("#stage-title").inner_text() == first


def test_the_keyboard_goes_everywhere(opened: Opened) -> None:
    """Arrows move from square to square, Enter opens, Escape closes and leads back to the square."""
    page = opened.at()
    page.locator("#sheet a[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    place = page.evaluate("document.activeElement.dataset.place")
    assert place == "2,2"
    page.keyboard.press("Enter")
    page.locator("#stage-title").wait_for()
    assert page.evaluate("document.activeElement.id") == "stage-title"
    page.keyboard.press("Escape")
    page.locator("#stage:not([open])").wait_for(state="attached")
    assert page.evaluate("document.activeElement.dataset.place") == place


def test_a_hostile_guest_runs_nothing_and_is_shown(opened: Opened) -> None:
    """What a guest said is text on the page, in a cell, in a comparison and in a whole log."""
    page = opened.at("#find?q=could%20install&view=list")
    page.locator("#sheet a[data-place]").first.click()
    page.locator("#stage-title").wait_for()
    told = page.locator("#stage").inner_text()
    assert HOSTILE.partition("<img")[0] in told
    assert "[U+202E]" in told
    page.locator("#stage button", has_text="Show all of it").first.click()
    page.locator("#stage iframe").wait_for()
    page.wait_for_timeout(200)
    assert page.locator("#stage script, #stage img[src='x']").count() == 0


def test_a_run_of_nothing_is_ready_too(browser: Browser, tmp_path: Path) -> None:
    """Nothing was planned: the page says so, and waits for nothing."""
    one = Opened(browser, write_report(run(tmp_path).path))
    assert "nothing was planned" in one.at().locator("#verdict").inner_text()
    one.kept_quiet()


def test_it_reads_without_a_script(browser: Browser, report: Path) -> None:
    """With JavaScript off verdict, grid and every cell are there, and links lead to their cells."""
    page = new_page(browser, java_script_enabled=False)
    page.goto(report.as_uri())
    assert page.locator("#plain table").is_visible()
    assert page.locator("#cells details").count() == 65
    assert not page.locator("#filter").is_visible()
    page.close()


def test_a_large_run_reads_without_a_script_too(browser: Browser, tmp_path: Path) -> None:
    """Then the whole grid is there and the cells that did not pass; what is left out is said."""
    file = write_report(many_cells(tmp_path, 1_500).path)
    page = new_page(browser, java_script_enabled=False)
    page.goto(file.as_uri())
    assert page.locator("#plain td:not(.none)").count() == 1_500
    missed = page.locator("#plain td a").count()
    assert 0 < missed == page.locator("#cells details").count()
    page.close()
    one = Opened(browser, file)
    assert one.at().evaluate("document.querySelectorAll('*').length") < 4_000
    one.page.locator("[name=verdict]").select_option("missed")
    assert one.page.locator("[name=shown]").inner_text() == f"{missed} of 1,500 cells"
    one.page.locator("#sheet").evaluate("sheet => { sheet.scrollTop = 1e9 }")
    one.page.wait_for_timeout(100)
    one.page.locator("#sheet a[data-place]").last.click()
    one.page.locator("#stage-title").wait_for()
    one.kept_quiet()


def test_one_file_carries_the_logs(browser: Browser, tmp_path: Path) -> None:
    """Packed in, a log is shown in full although its file is gone."""
    folder = sample_run(tmp_path / "runs")
    file = write_report(folder.path, output=tmp_path / "alone" / "report.html", single_file=True)
    (folder.path / "evidence").rename(tmp_path / "gone")
    one = Opened(browser, file)
    page = one.at("#c1")
    page.locator("#stage button", has_text="Show all of it").first.click()
    page.locator("#stage pre").first.wait_for()
    assert "Error status: 0." in page.locator("#stage pre").first.inner_text()
    one.kept_quiet()


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1280),
        ("dark", 390),
        pytest.param("dark", 1280, marks=pytest.mark.slow),
        pytest.param("light", 390, marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing(browser: Browser, axe: str, report: Path, scheme: Any, width: int) -> None:
    """No rule of WCAG 2.2 A or AA is broken, light and dark, wide and on a phone: page, list, cell and comparison."""
    page = new_page(browser, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    for place in ("", "#find?view=list", "#c1", "#c1+c2"):
        page.goto("about:blank")
        page.goto(report.as_uri() + place)
        page.locator(READY).wait_for(state="attached")
        assert violations(page, axe) == []
    page.close()


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing")
def test_it_prints(report: Path, tmp_path: Path) -> None:
    """The verdict, the lab's banner and the whole grid are on paper; nothing is left of a scroll bar."""
    printed = write_pdf(report, tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 2 <= pages <= 40
    try:
        text = subprocess.run(["pdftotext", tmp_path / "report.pdf", "-"], capture_output=True, check=True).stdout
    except FileNotFoundError:
        return  # without poppler-utils the words on paper are not read
    words = text.decode("utf-8", "replace")
    assert "HOLD" in words
    assert words.count("win11-only") >= 2
    assert "not Windows evidence" in words


def test_the_islands_are_plain_json(report: Path) -> None:
    """What the script unfolds can be read by anybody: gzip and base64 over JSON."""
    import base64
    import gzip

    text = report.read_text("utf-8")
    for name in ("grid-island", "story-island"):
        found = re.search(rf'id="{name}">([^<]*)<', text)
        assert found is not None
        assert isinstance(json.loads(gzip.decompress(base64.b64decode(found[1]))), dict)
