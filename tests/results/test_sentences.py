"""What the page says first is true and plain, also of runs that went as no run should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.plugin.summary import verdict_in_words
from harness.report.compose import page_view
from harness.results.result import Fault, Result, Verdict
from tests.results.made_runs import failed, result, run

BUILDS = (19044, 22621, 22631, 26100)
ON_ALL = "tool install on Windows 10 21H2, Windows 11 22H2, 23H2 and 24H2"


def _blocked(build: int) -> Result:
    return result(build, verdict=Verdict.BLOCKED, fault=Fault.SITE, reason="no machine", fingerprint="b1")


def _not_run(build: int) -> Result:
    said = {"verdict": Verdict.NOT_RUN, "fault": Fault.HARNESS, "reason": "it was interrupted", "fingerprint": "n1"}
    return result(build, started=None, seconds=0.0, steps=(), **said)


def _known(build: int) -> Result:
    return failed(build, known_issue="K1")


def _flaky(build: int) -> Result:
    return result(build, verdict=Verdict.FLAKY)


def _skipped(build: int) -> Result:
    return result(build, verdict=Verdict.SKIPPED, reason="no such edition")


ISSUE = {"id": "K1", "ticket": "T-1", "reason": "we know", "expires": "2099-01-01"}


@pytest.mark.parametrize(
    ("makers", "plan", "word", "sentence"),
    [
        (
            [_blocked] * 4,
            {},
            "HOLD",
            f"nothing is known of the product: all 4 cells were blocked ({ON_ALL}); 0 passed.",
        ),
        (
            [_not_run] * 4,
            {},
            "HOLD",
            f"nothing is known of the product: none of the 4 cells was run ({ON_ALL}); ",
        ),
        (
            [result, result, _not_run, _not_run],
            {},
            "HOLD",
            "2 of 4 cells were not run (tool install on Windows 11 23H2 and 24H2); 2 passed.",
        ),
        ([failed] * 4, {}, "HOLD", f"all 4 cells failed ({ON_ALL}); 0 passed."),
        (
            [_known] * 4,
            {"known_issues": [ISSUE]},
            "HOLD",
            "no cell passed, so nothing was proved; 0 of 4 cells passed, 4 cells show a known issue.",
        ),
        (
            [_flaky] * 4,
            {},
            "HOLD",
            "no cell passed without failing first, so nothing was proved; 0 of 4 cells passed, 4 flaky.",
        ),
        (
            [result, result, result, _known],
            {"known_issues": [{**ISSUE, "expires": "2026-01-01"}]},
            "HOLD",
            "1 of 4 cells failed (tool install on Windows 11 24H2; its known issue K1 expired on 2026-01-01)",
        ),
        ([_skipped] * 4, {}, "HOLD", "all 4 cells were skipped, so nothing was proved; 0 of 4 cells passed."),
        ([], {}, "HOLD", "nothing was planned."),
        (
            [result, result, result, _known],
            {"known_issues": [ISSUE]},
            "SHIP",
            "3 of 4 cells passed, 1 cell shows a known issue; nothing unexpected.",
        ),
        ([_known] * 4, {"known_issues": [ISSUE], "is_lab": True}, "AS EXPECTED", "0 of 4 cells passed, "),
    ],
)
def test_the_first_sentence_is_true_and_plain(
    tmp_path: Path, makers: Sequence[Callable[[int], Result]], plan: dict[str, Any], word: str, sentence: str
) -> None:
    """Nothing that proved nothing is let ship, and where nothing was tried, nothing is said of the product."""
    made = [make(build) for make, build in zip(makers, BUILDS, strict=False)]
    folder = run(tmp_path, *made, **plan)
    view, _ = page_view(folder, folder.report_file, earlier=())
    ran = sum(one.verdict in (Verdict.PASSED, Verdict.FLAKY, Verdict.FAILED, Verdict.HUNG) for one in made)
    told = f"{ran} of {len(made)} planned cells were run" if made else "Nothing was planned"
    assert view.coverage.sentence.startswith(told)
    assert (view.ruling.word, view.ruling.sentence[: len(sentence)]) == (word, sentence)


def test_one_cell_was_run(tmp_path: Path) -> None:
    """One is no plural."""
    folder = run(tmp_path, result(), _blocked(19044))
    view, _ = page_view(folder, folder.report_file, earlier=())
    assert view.coverage.sentence == "1 of 2 planned cells was run (50.0 %); 1 blocked by the site or the harness."


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_blocked, "0 of 4 cells passed; 4 blocked; nothing is known of the product ("),
        (_skipped, "0 of 4 cells passed, 4 skipped on purpose; nothing was proved ("),
        (failed, "0 of 4 cells passed; 4 failed ("),
        (result, "4 of 4 cells passed; nothing unexpected ("),
    ],
)
def test_so_is_the_terminals_last_one(make: Callable[[int], Result], words: str) -> None:
    """All skipped is not as good as all passed."""
    assert verdict_in_words([make(build) for build in BUILDS], is_lab=False).startswith(words)
