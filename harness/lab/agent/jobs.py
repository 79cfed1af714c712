"""One command in the guest: started, read, written to, and ended with all its descendants."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import subprocess
import termios
from collections import deque
from collections.abc import Mapping, Sequence

from .frames import AHEAD, BODY
from .processes import carrying, end_processes

#: Every process that a command starts carries this Unix variable, wherever Wine's double forks put it in the tree.
TAG = "WINCOMPAT_JOB"


class Job:
    """A started command and the agent's ends of its three pipes."""

    def __init__(
        self, number: int, words: Sequence[str], environment: Mapping[str, str], directory: str, code_file: str
    ) -> None:
        self.number = number
        self.code_file = code_file
        self.ended_with: int | None = None
        self.ahead = 0
        self.unwritten: deque[tuple[int, memoryview, bool]] = deque()
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**environment, TAG: str(number)},
            cwd=directory,
            start_new_session=True,
        )
        assert self.process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert self.process.stdout is not None  # noqa: S101
        assert self.process.stderr is not None  # noqa: S101
        self.stdin: int = self.process.stdin.fileno()
        self.outputs = {self.process.stdout.fileno(): "stdout", self.process.stderr.fileno(): "stderr"}
        for fd in (self.stdin, *self.outputs):
            os.set_blocking(fd, False)

    @property
    def may_send(self) -> bool:
        """Whether the reader has thanked for enough of what was sent."""
        return self.ahead < AHEAD

    @staticmethod
    def holds(fd: int) -> int:
        """Tell how many bytes an output holds now."""
        count = array.array("i", [0])
        fcntl.ioctl(fd, termios.FIONREAD, count)
        return count[0]

    def read(self, fd: int) -> bytes | None:
        """Read what an output holds now; b"" at its end, None when it holds nothing."""
        try:
            content = os.read(fd, BODY)
        except BlockingIOError:
            return None
        self.ahead += len(content)
        return content

    def write_on(self) -> list[int]:
        """Write as much input as the command takes; return the requests that are done with."""
        done = []
        while self.unwritten:
            request, content, end = self.unwritten[0]
            try:
                while content:
                    content = content[os.write(self.stdin, content) :]
            except BlockingIOError:
                self.unwritten[0] = (request, content, end)
                break
            except OSError:
                end = True  # nobody reads any more: as on Windows, what is left is lost
            self.unwritten.popleft()
            done.append(request)
            if end:
                self.close_input()
                done += [request for request, _, _ in self.unwritten]
                self.unwritten.clear()
        return done

    def close_input(self) -> None:
        """Let the command see the end of its input."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()

    def end(self, exit_code: int) -> None:
        """End the command's whole process tree."""
        self.ended_with = exit_code
        end_processes(carrying(TAG, str(self.number)))

    def exit_code(self) -> int:
        """Tell the signed 32-bit exit code of the command, which has ended."""
        if self.ended_with is not None:
            return self.ended_with
        with contextlib.suppress(OSError, ValueError), open(self.code_file) as file:
            return int(file.read())
        # the cmd.exe around it did not get to write: something ended it from outside
        return self.process.returncode if self.process.returncode >= 0 else 1

    def close(self) -> None:
        """Give back the pipes and the files of an ended command."""
        self.close_input()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
