"""Installers with one seeded defect each are found out, clean ones let be: on the lab, by the real plugin."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.results.cause import Cause
from harness.results.result import Ending, Evidence, Fault, Finding, Result, Verdict
from tests.corpus.building import WHEELS, missing_tools
from tests.corpus.running import amiss, naive, run_corpus
from tests.corpus.table import Installer, installers

TABLE = {one.name: one for one in installers()}
HANDFUL = (
    "leaves-a-service",
    "takes-windows-out-of-path",
    "orphans-a-file",
    "program-needs-a-dll",
    "exe-with-a-slow-removal",
    "msi-upgraded",
)


@pytest.fixture(autouse=True)
def _tools() -> None:
    if missing := missing_tools():
        pytest.skip(f"{', '.join(missing)} (Debian: nsis, wixl, msitools) not found")
    if not (WHEELS / "ninja-1.13.0").exists():
        pytest.skip("fetch the real programs first: python -m fixtures.payloads ninja")


def test_the_table_is_as_wide_as_it_should_be() -> None:
    """At least 40 defects of at least 14 kinds, at least 15 clean installers, no name twice."""
    seeded = [one for one in installers() if one.expected is not None]
    clean = [one for one in installers() if one.expected is None]
    assert len(seeded) >= 40
    assert len({one.kind for one in seeded}) >= 14
    assert len(clean) >= 15
    assert max(Counter(one.name for one in installers()).values()) == 1


def test_a_handful_of_the_corpus(tmp_path: Path, lab_site_file: Path) -> None:
    """Defects of four families are found and named, and what looks like a defect and is none is let be."""
    judged = run_corpus(tmp_path, lab_site_file, [TABLE[name] for name in HANDFUL])
    assert [str(one) for one in judged if one.amiss] == []


@pytest.mark.slow
def test_every_defect_is_found_and_no_clean_installer_blamed(tmp_path: Path, lab_site_file: Path) -> None:
    """The whole corpus: right verdict, right cause, and a sentence that names the thing at fault."""
    judged = run_corpus(tmp_path, lab_site_file, installers())
    assert [str(one) for one in judged if one.amiss] == []
    seeded = [one for one in judged if one.installer.expected is not None]
    assert sum(one.naive for one in seeded) < len(seeded) / 2, "exit codes and entries alone would have done"


def _result(verdict: Verdict = Verdict.PASSED, **told: object) -> Result:
    known = {"cell": "c", "build": "22631", "product": "p", "kind": "exe", "scenario": "install", "verdict": verdict}
    return Result.model_validate({**known, **told})


LEAVES: Installer = TABLE["leaves-a-service"]
FOUND = _result(
    Verdict.FAILED,
    fault=Fault.PRODUCT,
    cause=Cause.LEFTOVER,
    reason="after uninstalling 1.13.0 service CorpusWatch is still registered",
    findings=(Finding(code="left-behind", cause="leftover", sentence="", subject="CorpusWatch"),),
)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"verdict": Verdict.PASSED}, "not found"),
        ({"reason": "something is left"}, "does not name"),
        ({"cause": Cause.PACKAGING}, "the cause is said to be packaging"),
        ({"findings": ()}, "no finding left-behind"),
    ],
)
def test_a_defect_counts_as_found_only_with_verdict_cause_and_name(changed: dict[str, object], words: str) -> None:
    """Found by luck, or in words that name nothing, is not found."""
    said = amiss(LEAVES, FOUND.model_copy(update=changed))
    assert words in said
    assert bool(said) == bool(words)


def test_a_clean_installer_may_not_draw_a_finding_even_where_it_passes() -> None:
    """A finding is a blame, whatever the verdict."""
    clean = TABLE["plain-exe"]
    assert amiss(clean, _result()) == ""
    assert amiss(clean, _result(findings=FOUND.findings))
    assert amiss(clean, FOUND)


ENTRY = "uninstall entry {} Corpus 1.13.0 (HKLM)\n"


@pytest.mark.parametrize(
    ("installed", "removed", "ends_well", "seen"),
    [
        (ENTRY.format("added:"), ENTRY.format("removed:"), True, False),
        (ENTRY.format("added:"), ENTRY.format("removed:"), False, True),
        ("nothing\n", "nothing\n", True, True),
        (ENTRY.format("added:").replace("1.13.0", "1.12"), ENTRY.format("removed:"), True, True),
        (ENTRY.format("added:") * 2, ENTRY.format("removed:") * 2, True, True),
        (ENTRY.format("added:"), "service added: left\n", True, True),
    ],
)
def test_what_exit_codes_and_entries_alone_would_show(
    tmp_path: Path, installed: str, removed: str, ends_well: bool, seen: bool
) -> None:
    """A code that is none of success, an entry that is not there, twice, of another version, or stays."""
    evidence = []
    for name, text in {"changes-install-1.13.0.txt": installed, "changes-uninstall-1.13.0.txt": removed}.items():
        (tmp_path / name).write_text(text, "utf-8")
        evidence.append(Evidence(name=name, kind="text", path=name))
    endings = (Ending(what="install-1.13.0", exit_code="0", success=ends_well),)
    assert naive(_result(evidence=tuple(evidence), endings=endings), tmp_path) is seen
