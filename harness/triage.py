"""Triage notes: what somebody found out about a failure, by its fingerprint, for whoever meets it in the next run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import field_validator

from harness import authoring
from harness.authoring import Authored
from harness.errors import AuthoringError
from harness.known_issues import FingerprintText


class Note(Authored):
    """What is known of one failure; one that says nothing yet is a stub that waits for somebody to fill it in."""

    fingerprint: FingerprintText
    note: str = ""
    owner: str = ""
    ticket: str = ""

    @property
    def is_stub(self) -> bool:
        """Whether nobody has written anything yet."""
        return not (self.note.strip() or self.owner.strip() or self.ticket.strip())


class TriageFile(Authored):
    """A file of notes, a ``[[notes]]`` each."""

    notes: tuple[Note, ...] = ()

    @field_validator("notes")
    @classmethod
    def _each_once(cls, notes: tuple[Note, ...]) -> tuple[Note, ...]:
        seen: set[str] = set()
        for note in notes:
            if note.fingerprint in seen:
                raise ValueError(f"the fingerprint {note.fingerprint!r} is there twice")
            seen.add(note.fingerprint)
        return notes


def read_notes(path: Path) -> tuple[Note, ...]:
    """Read the notes of a file; none where there is no such file. Raises AuthoringError with one line."""
    return authoring.read(path, TriageFile).notes if path.exists() else ()


def stub(fingerprint: str, told: Iterable[str]) -> str:
    """Write an empty note to paste, under comments that say which failure it is about."""
    comments = "".join(f"# {_one_line(words)}\n" for words in told)
    return f'\n{comments}[[notes]]\nfingerprint = {json.dumps(fingerprint)}\nnote = ""\nowner = ""\nticket = ""\n'


def append(path: Path, stubs: Iterable[str]) -> None:
    """Put stubs at the end of a file, which is made where there is none.

    What stands in it is never written again, so nothing that a person wrote can be lost, not even what is saved at this
    moment. Raises AuthoringError where the file is wrong already or cannot be written.
    """
    read_notes(path)
    text = "".join(stubs)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        begun = path.exists() and path.stat().st_size > 0
        before = path.read_bytes() if begun else b""
        more = (b"\n" if begun and not before.endswith(b"\n") else b"") + (text if begun else text.lstrip()).encode()
        tomllib.loads((before + more).decode("utf-8-sig"))
        with path.open("ab") as file:
            file.write(more)
    except OSError as error:
        raise AuthoringError(f"{path}: cannot be written: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise AuthoringError(f"{path}: no note can follow what is there; write each as [[notes]] of its own") from error


def _one_line(words: str) -> str:
    shown = " ".join(words.split())
    return "".join(char if char.isprintable() else "?" for char in shown)[:300]
