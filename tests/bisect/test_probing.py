"""A cell that does not end costs a bisection its budget and no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.bisect import probing
from harness.bisect.candidates import Candidate
from harness.results.result import Fault, Verdict


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
@pytest.mark.parametrize("deaf", [False, True], ids=["ends when asked", "has to be killed"])
def test_a_run_that_does_not_end_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: bool) -> None:
    """It is asked to end, killed when it does not, and told as a blocked cell with the option that allows more."""
    pid, quiet = tmp_path / "pid", "signal.signal(signal.SIGINT, signal.SIG_IGN)" if deaf else ""
    (tmp_path / "conftest.py").write_text(
        f"import os, pathlib, signal, time\n{quiet}\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(600)\n"
    )
    waited: list[float] = []
    wait = subprocess.Popen.wait

    def when_it_runs(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        waited.append(timeout or 0.0)
        while not pid.exists() and process.poll() is None:
            signal.sigtimedwait([], 0.02)
        return wait(process, 0.2 if deaf and timeout == probing.PATIENCE else timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", when_it_runs)
    one = Candidate(label="1.2", shown="1.2", cell="win11-23h2::demo::install 1.2", words=("-p", "no:xdist"), skip="")
    probe = probing.run(
        tmp_path / "probes" / "001", one, bisection=tmp_path, started_in=tmp_path, within=0.1, tell=pytest.fail
    )
    assert waited[:2] == [0.1, probing.PATIENCE]
    assert (probe.candidate, probe.verdict, probe.fault) == ("1.2", Verdict.BLOCKED, Fault.HARNESS)
    assert probe.reason.startswith("its run had not ended after 0.10 s and was interrupted: allow more with --budget")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
