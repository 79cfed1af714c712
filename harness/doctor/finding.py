"""What one check found, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a check came out; only ``fail`` makes the exit code 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check says: its mark, what it saw, and what to do about it (empty where nothing is to be done)."""

    mark: Mark
    words: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An answer with its check's name and the subject that was looked at: this controller, the vCenter, a machine."""

    subject: str
    check: str
    answer: Answer
    seconds: float = 0.0

    def as_json(self) -> dict[str, str | float]:
        """Give it as plain values."""
        return {
            "subject": self.subject,
            "check": self.check,
            "mark": str(self.answer.mark),
            "words": self.answer.words,
            "advice": self.answer.advice,
            "seconds": round(self.seconds, 3),
        }


def ok(words: str) -> Answer:
    """Answer that all is well."""
    return Answer(Mark.OK, words)


def warn(words: str, advice: str) -> Answer:
    """Answer that it works, and will cost time or truth some day."""
    return Answer(Mark.WARN, words, advice)


def fail(words: str, advice: str) -> Answer:
    """Answer that cells would be blocked by this."""
    return Answer(Mark.FAIL, words, advice)


def skip(words: str, advice: str = "") -> Answer:
    """Answer that it could not be looked at; the words say why."""
    return Answer(Mark.SKIP, words, advice)
