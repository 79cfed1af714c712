"""A bisection's way to its answer, with cells that a table tells the outcome of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.bisect.asked import Asked
from harness.bisect.candidates import Candidate, Row
from harness.bisect.conduct import Voice, conduct
from harness.bisect.record import BisectFolder, Probe
from harness.bisect.telling import Conclusion
from harness.results.result import Fault, Verdict

VERSIONS = tuple(f"1.{minor}" for minor in range(8))


def _fails(reason: str = "it does not start", fingerprint: str = "aaaa") -> Probe:
    return Probe(candidate="", verdict=Verdict.FAILED, fault=Fault.PRODUCT, reason=reason, fingerprint=fingerprint)


PASSES = Probe(candidate="", verdict=Verdict.PASSED)
FAILS = _fails()
DIFFERS = _fails("its licence has expired", "bbbb")
HANGS = FAILS.model_copy(update={"verdict": Verdict.HUNG})
BLOCKED = Probe(candidate="", verdict=Verdict.BLOCKED, fault=Fault.SITE, reason="vm-7: the revert failed")


def _row(*labels: str, skip: Mapping[str, str] | None = None, backwards: bool = False) -> Row:
    candidates = tuple(
        Candidate(
            label=label,
            shown=label,
            cell=f"win11-23h2::demo::install {label}",
            words=(f"m.toml::{label}",),
            skip=(skip or {}).get(label, ""),
        )
        for label in labels
    )
    return Row(
        candidates=candidates,
        what="version",
        scenario="install",
        of="Demo",
        on="Windows 11 23H2",
        backwards=backwards,
    )


class Told:
    """What a bisection said on its way."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, words: str) -> None:
        """Begin a line."""
        self.lines.append(words)

    def end(self, words: str) -> None:
        """End it."""
        self.lines[-1] += words


def _concluded(
    folder: Path, row: Row, outcome: Callable[[str], Probe], **asked: object
) -> tuple[Conclusion, list[str], list[str]]:
    """Bisect to the end: what it concluded, what was tried, and what was said on the way."""
    question = Asked.model_validate({"matrix": Path("m.toml"), **asked})
    bisection, tried, told = BisectFolder.create(folder, question, row), [], Told()

    def run(_: Path, candidate: Candidate) -> Probe:
        tried.append(candidate.label)
        return outcome(candidate.label).model_copy(update={"candidate": candidate.label})

    answer = conduct(bisection, row, run, Voice(begin=told.begin, end=told.end))
    return Conclusion(bisection, row, answer), tried, told.lines


def test_it_says_each_step_and_what_is_to_come(tmp_path: Path) -> None:
    """A line for each cell: which, on what, what it told and why; the number of cells to come is estimated."""
    outcomes = dict.fromkeys(VERSIONS[:5], PASSES) | dict.fromkeys(VERSIONS[5:], FAILS)
    conclusion, tried, said = _concluded(tmp_path, _row(*VERSIONS), outcomes.__getitem__)
    assert said[0] == "step 1 of about 7: 1.7 on Windows 11 23H2: bad (it does not start)"
    assert said[1] == "step 2 of about 7: 1.0 on Windows 11 23H2: good"
    assert len(said) == len(tried) == len(conclusion.folder.record.probes) <= 8
    assert conclusion.exit_code == 0
    assert conclusion.sentence.startswith(
        "1.5 is the first bad version of Demo on Windows 11 23H2, 1.4 the last good one ("
    )
    assert (tried.count("1.4"), tried.count("1.5")) == (2, 2), "each side of the turn is tried again"


def test_a_hang_is_as_bad_as_a_failure(tmp_path: Path) -> None:
    """What the product does, not how it is noticed, makes a version bad."""
    outcomes = dict.fromkeys(VERSIONS[:2], PASSES) | dict.fromkeys(VERSIONS[2:], HANGS)
    conclusion, _, _ = _concluded(tmp_path, _row(*VERSIONS), outcomes.__getitem__)
    assert conclusion.as_json()["bad"] == "1.2"


def test_a_version_that_tells_nothing_is_never_blamed(tmp_path: Path) -> None:
    """One that is blocked, or fails in another way, is tried twice and left out: the answer is a range, honestly."""
    outcomes = (
        dict.fromkeys(VERSIONS[:3], PASSES) | dict.fromkeys(VERSIONS[5:], FAILS) | {"1.3": BLOCKED, "1.4": DIFFERS}
    )
    conclusion, tried, _ = _concluded(tmp_path, _row(*VERSIONS), outcomes.__getitem__)
    answer = conclusion.as_json()
    assert (answer["answer"], answer["exit_code"]) == ("range", 5)
    assert (answer["good"], answer["between"], answer["bad"]) == ("1.2", ["1.3", "1.4"], "1.5")
    assert (tried.count("1.3"), tried.count("1.4")) == (2, 2)
    assert answer["sentence"].startswith(
        "the first bad version of Demo on Windows 11 23H2 is 1.3 or 1.4 or 1.5: 1.2 passes and 1.5 fails, and nothing "
        "is known of 1.3 and 1.4"
    )
    assert answer["told_nothing"] == {
        "1.3": "blocked (vm-7: the revert failed)",
        "1.4": "it fails in another way (its licence has expired)",
    }


def test_a_blocked_cell_that_succeeds_elsewhere_costs_one_cell(tmp_path: Path) -> None:
    """What one machine could not do is tried again, and the answer is exact."""
    outcomes = dict.fromkeys(VERSIONS[:5], PASSES) | dict.fromkeys(VERSIONS[5:], FAILS)
    seen: set[str] = set()

    def first_blocked(version: str) -> Probe:
        fresh = version not in seen
        seen.add(version)
        return BLOCKED if fresh else outcomes[version]

    conclusion, tried, _ = _concluded(tmp_path, _row(*VERSIONS), first_blocked)
    assert (conclusion.exit_code, conclusion.as_json()["bad"]) == (0, "1.5")
    assert tried[:4] == ["1.7", "1.7", "1.0", "1.0"]


def test_what_the_matrix_skips_is_not_run(tmp_path: Path) -> None:
    """A skipped version costs no cell; next to the turn it makes a range, with the matrix's own reason."""
    outcomes = dict.fromkeys(VERSIONS[:4], PASSES) | dict.fromkeys(VERSIONS[4:], FAILS)
    row = _row(*VERSIONS, skip={"1.3": "withdrawn"})
    conclusion, tried, _ = _concluded(tmp_path, row, outcomes.__getitem__)
    assert "1.3" not in tried
    assert (conclusion.as_json()["good"], conclusion.as_json()["bad"]) == ("1.2", "1.4")
    assert conclusion.silent() == {"1.3": "skipped by the matrix: withdrawn"}
    others = {version: "withdrawn" for version in VERSIONS[1:7] if version not in ("1.2", "1.4")}
    few, _, _ = _concluded(tmp_path, _row(*VERSIONS, skip=others), outcomes.__getitem__, at_most=8)
    assert few.exit_code == 5, "what is skipped takes none of the cells that may be spent"


@pytest.mark.parametrize(("outcome", "word", "does"), [(PASSES, "good", "passes"), (FAILS, "bad", "fails")])
def test_ends_that_are_alike_are_said_after_two_cells(tmp_path: Path, outcome: Probe, word: str, does: str) -> None:
    """All good, or all bad: one cell of each end, exit code 1, and no version is named."""
    conclusion, tried, _ = _concluded(tmp_path, _row(*VERSIONS), lambda _: outcome)
    assert (conclusion.exit_code, tried) == (1, ["1.7", "1.0"])
    assert conclusion.sentence.startswith(
        f"nothing to find: 1.0 and 1.7 are both {word}, so every version of Demo on Windows 11 23H2 {does} (2 cells in"
    )


def test_when_nothing_can_be_tried_it_says_why(tmp_path: Path) -> None:
    """A site that blocks both ends is not asked for every version in between."""
    conclusion, tried, _ = _concluded(tmp_path, _row(*VERSIONS), lambda _: BLOCKED)
    assert (conclusion.exit_code, len(tried)) == (3, 4)
    assert conclusion.sentence == "too few versions could be tried to tell anything: vm-7: the revert failed"


def test_a_failure_that_comes_and_goes_is_pinned_down(tmp_path: Path) -> None:
    """A bad version that passes every third time costs more cells, and is found all the same."""
    shown = dict.fromkeys(VERSIONS, 0)

    def now_and_then(version: str) -> Probe:
        shown[version] += 1
        return FAILS if version >= "1.5" and shown[version] % 3 else PASSES

    conclusion, tried, _ = _concluded(tmp_path, _row(*VERSIONS), now_and_then, noise=0.3)
    assert (conclusion.exit_code, conclusion.as_json()["bad"]) == (0, "1.5")
    assert conclusion.as_json()["confidence"] >= 0.95
    assert len(tried) > 8


def test_cells_that_may_be_spent_are_not_exceeded(tmp_path: Path) -> None:
    """With too few cells to be sure it says so, names no version, and says how to go on."""
    outcomes = dict.fromkeys(VERSIONS[:5], PASSES) | dict.fromkeys(VERSIONS[5:], FAILS)
    conclusion, tried, _ = _concluded(tmp_path, _row(*VERSIONS), outcomes.__getitem__, at_most=4)
    assert (conclusion.exit_code, len(tried), conclusion.as_json()["bad"]) == (6, 4, None)
    assert "--resume" in conclusion.sentence


@pytest.mark.parametrize(
    ("backwards", "failing", "said"),
    [
        (False, ("1.2", "1.3"), "1.2 is the first bad version of Demo on Windows 11 23H2, 1.1 the last good one ("),
        (False, ("1.0", "1.1"), "1.1 is the last bad version of Demo on Windows 11 23H2, 1.2 the first good one ("),
        (True, ("1.0", "1.1"), "1.1 is the last bad version of Demo on Windows 11 23H2, 1.2 the first good one ("),
        (True, ("1.2", "1.3"), "1.2 is the first bad version of Demo on Windows 11 23H2, 1.1 the last good one ("),
    ],
)
def test_either_end_may_be_the_bad_one(tmp_path: Path, backwards: bool, failing: tuple[str, ...], said: str) -> None:
    """First and last are meant in the order of versions, however the ends were given."""
    labels = VERSIONS[:4][::-1] if backwards else VERSIONS[:4]
    row = _row(*labels, backwards=backwards)
    conclusion, _, _ = _concluded(tmp_path, row, lambda version: FAILS if version in failing else PASSES)
    assert conclusion.sentence.startswith(said)
