"""The embedded lab as a process of its own, which ends with this one however this one ends."""

from __future__ import annotations

import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

SERVE = (sys.executable, "-m", "harness.cli", "lab", "serve", "--until-stdin-closes")


class LabDidNotStart(Exception):
    """The lab cannot run here; the message is what the lab said."""


class LabProcess:
    """A lab that we started: it lives as long as we hold its standard input open.

    The pipe is the leash: it closes when we close it and, because the kernel closes it, also when we are killed.
    """

    def __init__(self, command: Sequence[str] = SERVE) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop(); a pipe could fill up
        # a session of its own: Ctrl-C is ours to act on, the lab is still needed while fixtures are taken down
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, start_new_session=True
        )

    @property
    def pid(self) -> int:
        """The lab's process id."""
        return self._process.pid

    def site(self, within: float) -> Path:
        """Wait for the lab's site file for at most ``within`` seconds; raises LabDidNotStart."""
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - opened as a pipe above

        def listen() -> None:
            for line in stdout:
                lines.put(line)
            lines.put(b"")

        threading.Thread(target=listen, name="lab-listener", daemon=True).start()
        try:
            line = lines.get(timeout=within).decode("utf-8", "replace").strip()
        except queue.Empty:
            self.stop()
            raise LabDidNotStart(
                f"the lab was not ready after {within:g} s; see what `wincompat lab up` says"
            ) from None
        if line.startswith("ready "):
            return Path(line.removeprefix("ready ").strip())
        words = self._last_words() or line
        self.stop()
        raise LabDidNotStart(words or "the lab ended without a word; see what `wincompat lab up` says")

    def _last_words(self) -> str:
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            return ""
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace").strip()

    def stop(self, within: float = 60.0) -> None:
        """Let go of the leash, and end what does not follow it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._said.close()
