"""What tests of every area share: one lab for the whole session, also across xdist's workers."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from harness.site import Site, read_site
from tests.browsing import axe as axe
from tests.browsing import browser as browser

# The packages that tests build come from fixtures/, which no wheel carries. At the end of the path, so that the
# checkout never replaces an installed harness.
sys.path.append(str(Path(__file__).parents[1]))

# The first lab on a host builds its image of Windows, which takes its time; later ones start in a second.
READY = 300

# An example takes as long as the machine is slow or busy: hypothesis' 200 ms for each would be a test of the machine.
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run: one that fails tells of a change and not of luck. `make verify` looks further.
settings.register_profile("the same", settings.get_profile("unhurried"), derandomize=True)
settings.load_profile("the same")

# Whoever starts the tests in the background may have Ctrl-C ignored, and every program that they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def lab_site_file(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """Share one lab among all workers, started by the first who asks; skipped where no lab can run."""
    from tests.lab.running_labs import needs_a_lab

    needs_a_lab()
    folder = tmp_path_factory.getbasetemp()
    with _shared_lab(folder if worker_id == "master" else folder.parent) as site_file:
        yield site_file


@pytest.fixture(scope="session")
def lab_site(lab_site_file: Path) -> Site:
    """Read the lab's site as a matrix run would."""
    return read_site(lab_site_file)


@pytest.fixture(scope="session", autouse=True)
def _own_leases(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[None]:
    """Keep the leases of tests, which all workers share, apart from those of the person who runs them."""
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder if worker_id == "master" else folder.parent))
        yield


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """Tell the name of this xdist worker, ``master`` without xdist; here because xdist need not be installed."""
    return str(getattr(request.config, "workerinput", {"workerid": "master"})["workerid"])


@contextmanager
def _shared_lab(folder: Path) -> Iterator[Path]:
    """Share a lab with every process that names the same folder.

    The lab lives until its standard input ends. That is a named pipe which each user of the lab holds open: it ends
    with the last of them, however they end, and no count has to be kept.
    """
    pipe, note = folder / "lab.stdin", folder / "lab.ready"
    started: subprocess.Popen[bytes] | None = None
    with FileLock(folder / "lab.lock"):
        try:
            hold = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)  # refused when nobody reads: no lab, or not any more
        except OSError:
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
            started, hold = _start(pipe, folder)
            try:
                note.write_text(_ready_line(started, folder), "utf-8")
            except BaseException:
                os.close(hold)
                _until_ended(started)
                raise
    try:
        yield Path(note.read_text("utf-8"))
    finally:
        os.close(hold)
        if started is not None:
            _until_ended(started)  # ends when the other workers are done with it too


def _start(pipe: Path, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # this one does not wait for a writer, so it goes first
    try:
        hold = os.open(pipe, os.O_WRONLY)
        os.set_blocking(reading, True)
        with (folder / "lab.err").open("wb") as errors:
            lab = subprocess.Popen(
                [sys.executable, "-m", "harness.cli", "lab", "serve", "--until-stdin-closes"],
                stdin=reading,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for the tests; the lab is still needed while they are taken down
            )
    finally:
        os.close(reading)
    return lab, hold


def _ready_line(lab: subprocess.Popen[bytes], folder: Path) -> str:
    assert lab.stdout is not None
    said = b""
    with selectors.DefaultSelector() as selector:
        selector.register(lab.stdout, selectors.EVENT_READ)
        while not said.endswith(b"\n") and selector.select(READY):
            part = os.read(lab.stdout.fileno(), 4096)
            if not part:
                break
            said += part
    word, _, path = said.decode().strip().partition(" ")
    if word != "ready":
        errors = (folder / "lab.err").read_text("utf-8", "replace")[-2000:]
        pytest.fail(f"the lab did not come up; it said {said!r} and {errors}", pytrace=False)
    return path


def _until_ended(lab: subprocess.Popen[bytes]) -> None:
    try:
        lab.wait(300)
    except subprocess.TimeoutExpired:
        lab.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            lab.wait(60)
        lab.kill()
        lab.wait()
    assert lab.stdout is not None
    lab.stdout.close()
