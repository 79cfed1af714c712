"""What a guest says does nothing in a terminal, nor in a CI service's log, where a line can be an order."""

from __future__ import annotations

import pytest

from harness.results.text import inert, shown

from .project import CONFTEST, Project

ORDERS = "##vso[task.complete result=Succeeded;] ##[error]x \\x1b[2J \\u202egnp.exe"


@pytest.mark.parametrize("error", ["ProductFailed", "GuestLost"])
def test_a_reason_gives_no_order_to_whoever_reads_the_log(project: Project, error: str) -> None:
    """Not in pytest's own words of a failure, nor in the summary's, in either of its lines."""
    said = f"::error::{ORDERS}\\n::stop-commands::x\\n##[group]more{'W' * 100_000}"
    more = ', machine="vm-7", advice="look"' if error == "GuestLost" else ""
    raised = f'raise {error}("{said}"{more})'
    project.pytester.makeconftest(
        CONFTEST.replace('raise ProductFailed(f"msiexec ended with 1603 on {cell.build.slug}")', raised)
    )
    project.matrix("fails", builds="19044")
    result = project.run_here("matrices/demo.toml", "-rA")
    told = result.stdout.str()
    assert "gnp.exe" in told
    obeyed = [
        line[:80] for line in result.outlines if line.lstrip().startswith("::") or "##vso[" in line or "##[" in line
    ]
    assert obeyed == []
    assert not {"\x1b[2J", "\u202e"} & {mark for mark in ("\x1b[2J", "\u202e") if mark in told}
    assert max(map(len, result.outlines)) < 4_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("::error::x", "error::x"),
        ("  ::::warning::x", "  warning::x"),
        (":: ::notice::x", "notice::x"),
        ("\n::notice::x", " notice::x"),
        ("a ##VSO[task.complete]", "a ## VSO[task.complete]"),
        ("###[error]", "### [error]"),
        ("std::string, C++ #1 [x]", "std::string, C++ #1 [x]"),
        ("\x1b]0;title\x07", "\u241b]0;title\u2407"),
    ],
)
def test_what_is_no_order_stays_as_it_is(text: str, line: str) -> None:
    """An order is one no more, also where it hides behind another; other text is untouched."""
    assert inert(text) == line
    assert inert(line) == line


def test_a_line_is_as_long_as_a_person_reads() -> None:
    """Ten megabytes are cut, and their number said."""
    assert len(shown("W" * 10_000_000)) < 2_100
    assert "10,000,000 characters in all" in shown("W" * 10_000_000)
