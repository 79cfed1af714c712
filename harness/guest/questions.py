r"""Several questions to a guest in one command line, each with its own exit code and output.

Questions are the harness's own, and an installer may have broken how cmd finds programs: taken System32 out of PATH, or
``.exe`` out of PATHEXT. The line therefore begins with a PATH of its own, which ends with the line: naming each program
in full would make every line longer, and be forgotten at the next question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

from harness.errors import HarnessError
from harness.guest.outcome import Outcome

ROOM = 7_000
"""Characters of a joined command line: cmd takes 8,191 after it has expanded %VARIABLES%."""

BEGINNING = r'set "PATH=%SystemRoot%\system32;%SystemRoot%\system32\wbem"& set "PATHEXT=.exe;.com"& '
"""What a line of questions begins with; written as a disk that knows upper case finds it without searching."""


_PROGRAMS = frozenset({"certutil", "fsutil", "net", "reg", "taskkill", "tasklist", "wevtutil", "whoami"})


@dataclass(frozen=True, slots=True)
class Joined:
    """Commands in one line for cmd, and the mark that separates their answers."""

    commands: tuple[str, ...]
    mark: str

    @property
    def line(self) -> str:
        """The command line.

        A plain ``%errorlevel%`` is replaced before anything has run; with a caret in it it is no variable yet, and
        ``call`` replaces it when its turn comes. ``(call )`` sets the exit code to 0 first, for commands such as
        ``echo`` that leave the last one standing.
        """
        return BEGINNING + "& ".join(
            f"(call )& {_part(command)}& call echo {self.mark} %^errorlevel%& echo {self.mark} 1>&2"
            for command in self.commands
        )

    def outcomes(self, whole: Outcome) -> list[Outcome]:
        """Cut the answer into one outcome for each command; ``seconds`` is the time of all together.

        Raises HarnessError when an answer is missing, which a command that ends cmd itself would cause.
        """
        stdout = re.split(rf"{self.mark} (-?\d+)[ \t]*\n", whole.stdout)
        stderr = re.split(rf"{self.mark}[ \t]*\n", whole.stderr)
        if len(stdout) != 2 * len(self.commands) + 1 or len(stderr) != len(self.commands) + 1:
            answered = (len(stdout) - 1) // 2
            why = "its output was cut" if whole.truncated else f"it ended with {whole.exit_code}: {whole.text[-300:]}"
            raise HarnessError(f"{answered} of {len(self.commands)} commands answered in one line; {why}")
        return [
            Outcome(
                command=command,
                exit_code=int(stdout[2 * number + 1]),
                stdout=stdout[2 * number],
                stderr=stderr[number],
                seconds=whole.seconds,
            )
            for number, command in enumerate(self.commands)
        ]


def joined(commands: Sequence[str]) -> Iterator[Joined]:
    """Join commands into as few lines as they fit in, in their order; one that cannot be joined comes alone."""
    mark = f"-{uuid4().hex[:8]}-"
    batch: list[str] = []
    for command in commands:
        together = Joined((*batch, command), mark)
        if batch and (not joinable(command) or not joinable(batch[-1]) or len(together.line) > ROOM):
            yield Joined(tuple(batch), mark)
            batch = []
        batch.append(command)
    if batch:
        yield Joined(tuple(batch), mark)


def alone(command: str) -> str:
    """Give the command line of a question that stands alone; its exit code and output are the line's."""
    return BEGINNING + _in_full(command)


def _part(command: str) -> str:
    """Keep ``if`` and ``for`` from taking what follows in the line for their own."""
    return f"({command})" if re.match(r"\s*@?(if|for)\b", command, re.IGNORECASE) else _in_full(command)


def _in_full(command: str) -> str:
    """Name a program with its extension: for a bare name cmd lists each folder of PATH, all of System32 at last."""
    word, blank, rest = command.partition(" ")
    return f"{word}.exe{blank}{rest}" if word in _PROGRAMS else command


def joinable(command: str) -> bool:
    """Whether a command leaves alone what stands beside it in a line."""
    return not ("\n" in command or command.count('"') % 2 or re.search(r"\bexit\b|\^$", command, re.IGNORECASE))
