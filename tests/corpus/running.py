"""Running the corpus by the real plugin on a lab, and holding what was said against the table."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.results.journal import read
from harness.results.result import Result, Verdict
from tests.corpus.building import NEW, OLD
from tests.corpus.project import write_project
from tests.corpus.table import Installer

BUILDS = ("22631", "19044")
"""What the lab must have."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An installer with its result: ``amiss`` says what the harness said wrongly of it, nothing when it was right.

    ``naive`` is whether a harness that looks only at exit codes and the list of programs would have found something.
    """

    installer: Installer
    result: Result
    amiss: str
    naive: bool

    def __str__(self) -> str:
        return f"{self.installer.name}: {self.amiss} (it was {self.result.verdict}: {self.result.reason[:300]})"


def run_corpus(folder: Path, site_file: Path, wanted: list[Installer], *, workers: int = 2) -> list[Judged]:
    """Build these installers into an empty folder and run each in its scenario, a matrix for each build."""
    matrices = write_project(folder, wanted)
    runs, scratch = folder / "runs", folder / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "pytest", "-q", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    options = ["-n", str(workers), "--site", str(site_file), "--runs", str(runs)]
    done = subprocess.run(
        [*command, *options, *map(str, matrices)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    run = next((path.parent for path in runs.glob("*/journal.jsonl")), None)
    assert run is not None, done.stdout + done.stderr
    results = {result.product: result for result in read(run / "journal.jsonl").results}
    missing = [one.name for one in wanted if one.name not in results]
    assert not missing, f"no result of {', '.join(missing)}: {done.stdout[-3000:]}"
    return [
        Judged(one, results[one.name], amiss(one, results[one.name]), naive(results[one.name], run)) for one in wanted
    ]


def amiss(installer: Installer, result: Result) -> str:
    """Say what was said wrongly of an installer: nothing when a seeded one was found out, or a clean one let be."""
    expected = installer.expected
    if expected is None:
        blamed = [finding.code for finding in result.findings]
        return "a clean installer was blamed" if result.verdict != Verdict.PASSED or blamed else ""
    if result.verdict != expected.verdict:
        return "its defect was not found"
    if expected.names not in result.reason:
        return f"the reason does not name {expected.names!r}"
    if result.cause != expected.cause:
        return f"the cause is said to be {result.cause}, and is {expected.cause}"
    codes = {result.code, *(finding.code for finding in result.findings)}
    return "" if expected.code in ("", *codes) else f"there is no finding {expected.code}, only {', '.join(codes)}"


def naive(result: Result, run: Path) -> bool:
    """Whether exit codes and the list of programs alone, by the evidence of this result, show that something is wrong.

    Generous: a hang is seen, the registered version is compared, and a refusal or a failed upgrade must have a code.
    """
    if result.verdict == Verdict.HUNG:
        return True
    must_fail = {"denied": ("refused-",), "rollback": ("fail-",), "uninstall": ("-again",)}.get(result.scenario, ())
    for ending in result.endings:
        if ending.what.startswith("downgrade-"):
            continue  # whether it should have been refused its code does not say
        if ending.success == any(part in ending.what for part in must_fail):
            return True
    return result.kind != "zip" and any(_entry_is_wrong(result, run))


def _entry_is_wrong(result: Result, run: Path) -> Iterator[bool]:
    """Follow the product's entry from phase to phase, as far as the cell got."""
    registered = 0
    for one in result.evidence:
        phase = re.fullmatch(r"changes-(.*)-([\d.]+)\.txt", one.name)
        if phase is None:
            continue
        lines = (run / one.path).read_text("utf-8").splitlines()
        entries = [line.removeprefix("uninstall entry ") for line in lines if line.startswith("uninstall entry ")]
        registered += sum(line.startswith("added") for line in entries)
        registered -= sum(line.startswith("removed") for line in entries)
        new = [line for line in entries if line.startswith(("added", "changed"))]
        match phase[1]:
            case "install" | "upgrade" | "downgrade":
                yield registered != 1 or not any(phase[2] in line for line in new)
            case "uninstall":
                yield registered != 0
            case _:
                yield bool(entries)


__all__ = ["BUILDS", "NEW", "OLD", "Judged", "amiss", "naive", "run_corpus"]
