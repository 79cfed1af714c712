"""Findings on their way to people: each subject in a section when it is done, progress on a line of its own."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby

import click

from harness.doctor.check import Looking
from harness.doctor.examination import Ended, Examination
from harness.doctor.finding import Answer, Finding, Mark, fail, skip

FAILS, STOPPED = 1, 130
_COLOURS = {Mark.OK: "green", Mark.WARN: "yellow", Mark.FAIL: "red", Mark.SKIP: "bright_black"}


class Showing:
    """Runs an examination and shows what it finds; ``quiet`` leaves out what is well or was not looked at."""

    def __init__(self, examination: Examination, *, quiet: bool, as_json: bool) -> None:
        self._examination = examination
        self._quiet = quiet
        self._as_json = as_json
        self._looking: dict[str, str] = {}
        self._by_subject: dict[str, list[Finding]] = {}
        self._all: list[Finding] = []
        self._on_terminal = sys.stderr.isatty() and not as_json

    def run(self) -> int:
        """Look at everything and show it, whatever there is of it at Ctrl-C; gives the exit code."""
        began = time.monotonic()
        stopped = False
        try:
            with closing(self._examination.findings()) as findings:
                for told in findings:
                    match told:
                        case Looking(subject, check):
                            self._looking[subject] = check
                        case Ended(subject):
                            self._looking.pop(subject, None)
                            self._print(subject)
                        case Finding():
                            self._note(told)
                    self._progress()
        except KeyboardInterrupt:
            stopped = True
        for subject, check in self._looking.items():
            self._note(Finding(subject=subject, check=check, answer=self._unended(stopped=stopped)))
        for subject in list(self._by_subject):
            self._print(subject)
        code = STOPPED if stopped else FAILS if any(one.answer.mark is Mark.FAIL for one in self._all) else 0
        self._conclude(code, time.monotonic() - began)
        return code

    def _unended(self, *, stopped: bool) -> Answer:
        if stopped:
            return skip("stopped")
        within = self._examination.within
        return fail(
            f"no end of it when the time was up ({within:g} s)",
            "look at the site behind it, or give it more time with --within",
        )

    def _note(self, found: Finding) -> None:
        self._by_subject.setdefault(found.subject, []).append(found)
        self._all.append(found)

    def _print(self, subject: str) -> None:
        findings = self._by_subject.pop(subject, [])
        self._progress(over=True)
        if not self._as_json:
            for line in section(subject, findings, quiet=self._quiet):
                click.echo(line)

    def _progress(self, *, over: bool = False) -> None:
        if self._on_terminal:
            looking = ", ".join(f"{subject} ({check})" for subject, check in self._looking.items())
            words = "" if over or not looking else f"{len(self._all)} checks made; looking at {looking}"
            click.echo(f"\r\x1b[2K{words[:100]}", err=True, nl=False)

    def _conclude(self, code: int, seconds: float) -> None:
        if self._as_json:
            findings = [found.as_json() for found in self._all]
            site = self._examination.site.name
            click.echo(json.dumps({"site": site, "exit_code": code, "findings": findings}, indent=2))
            return
        counts = Counter(found.answer.mark for found in self._all)
        order = (Mark.FAIL, Mark.WARN, Mark.OK, Mark.SKIP)
        words = ", ".join(f"{counts[mark]} {mark}" for mark in order if counts[mark]) or "nothing was looked at"
        click.echo(f"\n{words} in {seconds:.1f} s{'; stopped' if code == STOPPED else ''}")


def section(subject: str, findings: Sequence[Finding], *, quiet: bool = False) -> Iterator[str]:
    """Lay out what was found about one subject; checks skipped in a row for one reason share a line."""
    shown = [found for found in findings if not quiet or found.answer.mark in (Mark.WARN, Mark.FAIL)]
    if not shown:
        return
    yield ""
    yield click.style(subject, bold=True)
    for _, row in groupby(shown, key=_sharing):
        alike = list(row)
        answer = alike[0].answer
        names = ", ".join([alike[0].check, *(found.check.removeprefix("guest ") for found in alike[1:])])
        advice = f"; {answer.advice}" if answer.advice else ""
        yield f"  {click.style(f'{answer.mark:4}', fg=_COLOURS[answer.mark])}  {names}: {answer.words}{advice}"


def _sharing(found: Finding) -> object:
    return (found.answer.words, found.answer.advice) if found.answer.mark is Mark.SKIP else id(found)
