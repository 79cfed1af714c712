"""A guest that says anything at all: markup, scripts, control characters, directions, and lines of ten megabytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.predictions.inspected import FILE_NAME, Inspected, Predicted, Preflight, Said
from harness.report.page import write_report
from harness.results.journal import Journal
from harness.results.plan import Plan, PlannedCell, PlannedIssue
from harness.results.result import Attempt, Fault, Finding, Result, Step, Verdict
from harness.results.run import RunFolder
from tests.browsing import new_page
from tests.waiting import until

from .sample import BEGAN, picture
from .test_browser import Opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ACTS = (
    '"><script>alert(1)</script><img src=x onerror=alert(2)></style></script>--><svg onload=alert(3)>'
    "javascript:alert(4){{ 7*7 }}"
)
SHOWN = "\x1b[2J\x00\x07\u202egnp.exe\u2066"
HOSTILE = ACTS + SHOWN
NAME = HOSTILE + "W" * 100_000
LINE = "W" * 10_000_000
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(9)"><script>alert(8)</script></svg>'
FILES = (
    ("console.png", "screenshot", picture(80, 50)),
    ("console.svg", "screenshot", PICTURE),
    ("fake.png", "screenshot", PICTURE),
    ("page.html", "log", b"<script>alert(7)</script>"),
    (f"{ACTS[:60]}.log", "log", HOSTILE.encode() * 100),
    ("changes-install.txt", "text", f"file added: C:\\{HOSTILE}\\{'W' * 5_000}\n".encode() * 3),
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Write a run in which everything that a guest, a package or a file can name is hostile."""
    folder = RunFolder.create(tmp_path_factory.mktemp("hostile"), now=BEGAN)
    planned = [_cell(number, build) for number in range(3) for build in ("22631", "26100")]
    issue = PlannedIssue(id=NAME, ticket=NAME, reason=NAME, owner=NAME)
    words = {"matrix": NAME, "site": NAME, "site_file": HOSTILE, "provenance": NAME, "command": NAME}
    plan = Plan(run=folder.run, started=BEGAN, cells=tuple(planned), known_issues=(issue,), **words)
    folder.write_plan(plan)
    journal = Journal(folder.journal_file)
    for number, cell in enumerate(planned):
        journal.append(_result(folder, cell, number))
    said = Said(
        code=HOSTILE,
        severity=HOSTILE,
        sentence=NAME,
        predicts=(Predicted(scenario="install", outcome="hangs", surely=True),),
    )
    package = Inspected(product=HOSTILE, version=HOSTILE, file=NAME, findings=(said,), trouble=NAME)
    told = Preflight(packages={"p": package}, cells={cell.cell: "p" for cell in planned})
    (folder.path / FILE_NAME).write_text(told.model_dump_json(), "utf-8")
    return folder


def _cell(number: int, build: str) -> PlannedCell:
    product, scenario, leg = ((HOSTILE, HOSTILE, HOSTILE), (NAME, "install", NAME), ("ok", "install", ""))[number]
    name = f"win-{build}::{product}::{scenario}"
    return PlannedCell(
        cell=name,
        build=build,
        build_name=f"Windows 11 {NAME if number == 1 else '23H2'}",
        product=product,
        kind=HOSTILE,
        scenario=scenario,
        leg=leg,
        node=f"matrices/x.toml::{name}",
    )


def _result(folder: RunFolder, cell: PlannedCell, number: int) -> Result:
    own = {name: getattr(cell, name) for name in ("cell", "build", "product", "kind", "scenario", "leg")}
    if number % 2:
        return Result.model_validate(own | {"verdict": Verdict.PASSED, "machine": HOSTILE, "seconds": float("nan")})
    long = LINE if number == 0 else NAME
    evidence = tuple(folder.keep(cell.cell, name, content, kind=kind) for name, kind, content in FILES)
    if number == 0:
        evidence += (folder.keep(cell.cell, "long.log", long, kind="log"),)
    return Result.model_validate(
        own
        | {
            "verdict": Verdict.FAILED,
            "fault": Fault.PRODUCT,
            "reason": HOSTILE + long,
            "machine": NAME,
            "provenance": NAME,
            "worker": HOSTILE,
            "fingerprint": HOSTILE,
            "at_fault": NAME,
            "guest": {"edition": NAME, HOSTILE: HOSTILE},
            "steps": (
                Step(name=HOSTILE, started=0, seconds=1, error=long),
                Step(name=NAME, started=1, seconds=1e308),
            ),
            "evidence": evidence,
            "notes": (HOSTILE, long),
            "findings": (Finding(code=HOSTILE, cause="leftover", sentence=NAME),),
            "attempts": (
                Attempt(verdict=Verdict.FAILED, reason=NAME, machine=HOSTILE),
                Attempt(verdict=Verdict.FAILED),
            ),
            "started": BEGAN,
            "seconds": 2.0,
        }
    )


@pytest.mark.parametrize("single_file", [False, True], ids=["beside", "packed"])
def test_nothing_of_it_acts_anywhere_on_the_page(
    hostile: RunFolder, browser: Browser, tmp_path: Path, single_file: bool
) -> None:
    """Not in the overview, a list, a cell, a comparison, a tree of changes, nor in a whole log or picture."""
    output = tmp_path / "one.html" if single_file else None
    file = write_report(hostile.path, output=output, single_file=single_file)
    assert file.stat().st_size < 1_000_000
    one = Opened(browser, file)
    for place in ("", "#find?view=list", "#c2", "#c1+c3", "#c1"):
        page = one.at(place)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        assert page.locator("main script, dialog script, img[src='x'], svg[onload]").count() == 0
        assert page.evaluate("document.documentElement.scrollHeight") < 30_000
    page.locator("#stage-title").wait_for()
    for name in ("Show all of it",) * page.locator("#stage button", has_text="Show all of it").count():
        page.locator("#stage button", has_text=name).first.click()
    stage = page.locator("#stage")
    until(lambda: ACTS in (told := stage.inner_text()) and "gnp.exe" in told, pause=0.1)
    told = stage.inner_text()
    assert ACTS in told
    assert "\u241b[2J\u2400\u2407[U+202E]gnp.exe[U+2066]" in told
    shown = page.locator("body").inner_text()
    acting = set("\x1b\x00\x07\u202e\u2066")
    assert [line[:80] for line in shown.splitlines() if acting & set(line)] == []
    assert page.locator("#stage script, #stage img[src='x'], #stage svg[onload]").count() == 0
    frames = page.locator("#stage iframe")
    assert all(frames.nth(number).get_attribute("sandbox") == "" for number in range(frames.count()))
    one.page.close()
    # a picture that is none is refused by the browser, in words of its own; nothing else complains
    assert [said for said in one.complaints if "alert" in said or "dialog" in said] == []


def test_it_fits_a_phone(hostile: RunFolder, browser: Browser) -> None:
    """No word of a guest's makes the page wider than a screen, nor a tag of it."""
    page = new_page(browser, viewport={"width": 390, "height": 800})
    page.goto(write_report(hostile.path).as_uri())
    page.locator("html[data-ready]").wait_for(state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_it_reads_the_same_without_a_script(hostile: RunFolder, browser: Browser) -> None:
    """The plain page holds every cell, and its words act no more than elsewhere."""
    file = write_report(hostile.path)
    page = new_page(browser, java_script_enabled=False)
    page.goto(file.as_uri())
    assert page.locator("#cells details").count() == 6
    assert page.locator("main script, img[src='x'], svg[onload]").count() == 0
    page.close()
