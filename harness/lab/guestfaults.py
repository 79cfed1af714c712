"""What a lab guest can answer instead of doing what it was asked."""

from __future__ import annotations


class GuestGone(Exception):
    """The guest is off, or went away in the middle."""


class GuestBusy(Exception):
    """Commands of another account did not end in time; a guest serves one account at a time."""


class GuestFileError(Exception):
    """A file or folder of the guest cannot be had.

    ``kind`` is "not found", "access denied", "bad path", "is a folder", "exists" or "failed".
    """

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class SnapshotMissing(KeyError):
    """The guest has no snapshot of that key."""
