"""One cell for one candidate: run by pytest in a process of its own, read from the journal that it leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.bisect.candidates import Candidate
from harness.bisect.record import Probe
from harness.errors import AuthoringError
from harness.mistakes import one_line
from harness.results.journal import read
from harness.results.names import file_name
from harness.results.result import Fault, Verdict
from harness.results.run import LATEST, RunFolder
from harness.results.words import seconds

# not one of a person's own: what failed last time (--lf) stays what it was, and a retry would hide what deceives
WORDS = ("-p", "no:cacheprovider", "--retries", "0", "--color", "no")

_USAGE_ERROR = 4  # pytest.ExitCode.USAGE_ERROR; pytest itself is not imported outside of the plugin
PATIENCE = 180.0
"""Seconds that a run which was interrupted has to give its machine back, before it is killed."""


def folder_of(bisection: Path, number: int, candidate: Candidate) -> Path:
    """Name the folder of a bisection's cell: it counts, so that a cell that was cut off is found again."""
    return bisection / "probes" / f"{number:03}-{file_name(candidate.label)}"


def earlier(folder: Path, bisection: Path, candidate: Candidate) -> Probe | None:
    """Read a cell that was run when the bisection itself was ended; None when it left no result."""
    return _read(folder, bisection, candidate)


def run(
    folder: Path,
    candidate: Candidate,
    *,
    bisection: Path,
    started_in: Path,
    within: float,
    tell: Callable[[str], None],
) -> Probe:
    """Run a candidate's cell and read its result.

    What keeps pytest from running it at all is a blocked cell, too, as is one that takes longer than ``within``
    seconds; but a mistake of the author's raises AuthoringError. Then and on Ctrl-C the run is asked to end and gives
    its machine back; on Ctrl-C, KeyboardInterrupt goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", *WORDS, "--runs", str(folder), *candidate.words]
    said = folder / "pytest.txt"
    with said.open("ab") as output:
        status = _ended(command, output.fileno(), started_in, within, tell)
    place = folder.relative_to(bisection).as_posix()
    if (found := _read(folder, bisection, candidate)) is not None:
        return found
    if status is None:
        reason = (
            f"its run had not ended after {seconds(within)} and was interrupted: allow more with --budget; see {said}"
        )
        return _blocked(candidate, reason, place)
    lines = [line for line in said.read_text("utf-8", "replace").splitlines() if line.strip()]
    mistakes = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    if status == _USAGE_ERROR:
        raise AuthoringError(one_line((mistakes or lines or ["pytest refused its command line"])[-1]))
    reason = one_line(f"pytest ended with {status} and left no result: {(mistakes or lines or ['no word'])[-1]}")
    return _blocked(candidate, reason, place)


def _blocked(candidate: Candidate, reason: str, place: str) -> Probe:
    return Probe(candidate=candidate.label, verdict=Verdict.BLOCKED, fault=Fault.HARNESS, reason=reason, run=place)


def _ended(
    command: Sequence[str], output: int, started_in: Path, within: float, tell: Callable[[str], None]
) -> int | None:
    """Wait for a run and give its exit status; None for one that had to be interrupted."""
    # a session of its own: Ctrl-C reaches it through us, once, and it has the time to give the machine back
    process = subprocess.Popen(
        command, cwd=started_in, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        _interrupt(process)
        return None
    except KeyboardInterrupt:
        tell("stopping; the cell that runs gives its machine back first")
        _interrupt(process)
        raise


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":  # there, Ctrl-C reaches every process of a console by itself
        process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()


def _read(folder: Path, bisection: Path, candidate: Candidate) -> Probe | None:
    if not (folder / LATEST).exists():
        return None
    run_folder = RunFolder.find(LATEST, parent=folder)
    results = [one for one in read(run_folder.journal_file).results if one.verdict is not Verdict.NOT_RUN]
    if not results:
        return None
    place = run_folder.path.relative_to(bisection.resolve()).as_posix()
    return Probe.of(candidate.label, results[-1], place)
