"""Findings as people read them: a section for each subject, a line for each check, what to mend on the line below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

import click

from harness.doctor.finding import Finding, Mark

_COLOURS = {Mark.OK: "green", Mark.WARN: "yellow", Mark.FAIL: "red", Mark.SKIP: "bright_black"}


def section(subject: str, findings: Sequence[Finding], *, quiet: bool = False) -> Iterator[str]:
    """Lay out what was found about one subject; checks skipped in a row for one reason share a line."""
    shown = [found for found in findings if not quiet or found.answer.mark in (Mark.WARN, Mark.FAIL)]
    if not shown:
        return
    yield ""
    yield click.style(subject, bold=True)
    for answer, row in groupby(shown, key=_sharing):
        alike = list(row)
        names = ", ".join(found.check.removeprefix("guest ") for found in alike[1:])
        words = alike[0].answer.words if isinstance(answer, int) else f"{alike[0].answer.words}"
        name = f"{alike[0].check}, {names}" if names else alike[0].check
        advice = f"; {alike[0].answer.advice}" if alike[0].answer.advice else ""
        mark = alike[0].answer.mark
        yield f"  {click.style(f'{mark:4}', fg=_COLOURS[mark])}  {name}: {words}{advice}"


def _sharing(found: Finding) -> object:
    return (found.answer.words, found.answer.advice) if found.answer.mark is Mark.SKIP else id(found)


def summary(findings: Sequence[Finding], seconds: float) -> str:
    """Count the findings in one line."""
    counts = Counter(found.answer.mark for found in findings)
    words = ", ".join(f"{counts[mark]} {mark}" for mark in (Mark.FAIL, Mark.WARN, Mark.OK, Mark.SKIP) if counts[mark])
    return f"{words or 'nothing was looked at'} in {seconds:.1f} s"
