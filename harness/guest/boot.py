r"""Which Windows answers: one that was used since its snapshot, and one that has restarted since it became ready.

Two marks are left when a guest becomes ready. One lies on the disk: a revert takes it away, whether the snapshot holds
the memory or not, so a guest that still has it is from before the revert. The other lies in the registry's part that
Windows makes anew each time it starts (``HKLM\HARDWARE``): a guest that has lost it has restarted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from harness.guest.outcome import Outcome

_USED = r"%SystemRoot%\Temp\pytest-wincompat-used.txt"
_KEY = r"HKLM\HARDWARE\DESCRIPTION\System"
_NAME = "pytest-wincompat"

USED = _USED.replace("%SystemRoot%", r"C:\Windows")
"""Where the mark of use lies, for people."""

CHECK = f"reg query {_KEY} /v {_NAME}"
"""What asks for the mark of the boot."""


class Marks:
    """The marks of one guest, new for each wait until it is ready.

    The questions may be asked more than once: an answer can get lost after the guest has acted on it. A mark of use
    that is there already is left as it is, so that a guest from before the revert keeps its own.
    """

    def __init__(self) -> None:
        self.token = uuid4().hex
        self.planted = False
        self.found = ""
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        # only reg starts a program; the first is answered by cmd itself
        self.questions: tuple[str, ...] = (
            f"if exist {_USED} (type {_USED}) else >{_USED} echo {self.token} since {since}",
            f"reg add {_KEY} /v {_NAME} /d {self.token} /f",
        )

    def read(self, answers: Sequence[Outcome]) -> None:
        """Take in the answers to the questions: ``found`` is the mark of an earlier use, empty on a clean guest."""
        used, planted = answers
        self.found = "" if self.token in used.stdout else used.stdout.strip()
        self.planted = planted.exit_code == 0

    @property
    def used_since(self) -> str:
        """Say since when the guest has been in use, as its mark tells."""
        told = re.search(r" since ([^)]+)", self.found)  # joined questions stand in brackets, and Wine echoes one
        return told[1] if told else "an unknown time"

    def is_there(self, answer: Outcome) -> bool:
        """Whether the answer to CHECK shows the mark of this boot."""
        return self.token in answer.stdout
