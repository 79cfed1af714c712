"""Files into and out of a guest: by the hypervisor, into a cache named after their content, and verified."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from harness.errors import DeliveryFailed, HarnessError
from harness.guest.outcome import Outcome

CACHE = r"C:\wincompat\cache"
"""Where delivered files lie in the guest; below the drive's root, so that every account may read them."""

SMALL = 8_000_000
"""Bytes up to which a package is rather carried there and back than asked after, and a log taken as it comes: to ask
starts programs in the guest."""

_NAME = re.compile(r"[\w.,()\[\]{}@#$~+= -]*[\w()\[\]{}@#$~+=-]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_PATH = re.compile(r'[A-Za-z]:\\[^"<>|*?\x00-\x1f/:]+')
_READ_OTHERWISE = re.compile(r'["%!^&]')  # by cmd, even between quotes
_HASH = re.compile(r"^[0-9a-f]{2}(?: ?[0-9a-f]{2}){31}$", re.IGNORECASE | re.MULTILINE)


class Courier(Protocol):
    """What carries files without the guest's network: vSphere guest file transfer, bound to one account."""

    def put(self, source: Path, guest_path: str, *, folder_is_new: bool = False) -> None:
        """Bring a file in, over what is there, making missing folders: before, if the last one is most likely new."""

    def get(self, guest_path: str, target: Path) -> None:
        """Bring a file out."""


class Delivery:
    """Delivers to and fetches from one guest; remembers for one boot what it has verified.

    ``ask`` runs commands in the guest in one round trip.
    """

    def __init__(
        self,
        *,
        machine: str,
        courier: Courier | None,
        ask: Callable[[Sequence[str]], Sequence[Outcome]],
        small: int = SMALL,
    ) -> None:
        self._machine = machine
        self._courier = courier
        self._ask = ask
        self._small = small
        self._held: dict[str, str] = {}
        self._silent = False  # a certutil that prints nothing has answered nothing, and will not

    def forget(self) -> None:
        """Forget what was verified: the guest was reverted or restarted."""
        self._held.clear()

    def deliver(self, file: Path, *, sha256: str) -> str:
        """Bring a file into the guest's cache and return its path there; nothing moves when the guest holds it.

        Raises DeliveryFailed when it cannot be brought or arrives changed, HarnessError when the file here is not the
        one that ``sha256`` names.
        """
        wanted = sha256.lower()
        if not re.fullmatch("[0-9a-f]{64}", wanted):
            raise HarnessError(f"{sha256!r} is not a SHA-256: 64 hexadecimal digits")
        if not _NAME.fullmatch(file.name) or _RESERVED.fullmatch(file.name) or len(file.name) > 120:
            raise HarnessError(f"{file.name!r} is not a name for a file on Windows; rename it here")
        folder = rf"{CACHE}\{wanted[:16]}"
        path = rf"{folder}\{file.name}"
        if self._held.get(path) == wanted:
            return path
        small = file.stat().st_size <= self._small
        if small or not self._holds(path, wanted):
            if (found := _sha256(file)) != wanted:
                raise HarnessError(f"{file}: its SHA-256 is {found}, not {wanted}")
            self._carrier.put(file, path, folder_is_new=True)
            self._verify(path, wanted, small=small)
        self._held[path] = wanted
        return path

    def fetch(self, guest_path: str, target: Path) -> None:
        """Bring a file out of the guest; the target appears whole or not at all.

        Raises DeliveryFailed when it is not there, cannot be brought, or differs from what the guest holds.
        """
        if not _PATH.fullmatch(guest_path) or ".." in guest_path.split("\\"):
            raise HarnessError(rf"{guest_path!r} is not a file in a guest; write it whole, like C:\Windows\win.ini")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
            arrived = Path(folder) / "file"
            self._carrier.get(guest_path, arrived)
            # cmd would read such a path as something else
            if arrived.stat().st_size > self._small and not re.search(_READ_OTHERWISE, guest_path):
                told = self._told_hash(guest_path)
                if told is not None and told != (found := _sha256(arrived)):
                    self._fail(
                        f"{guest_path} arrived with SHA-256 {found}, and the guest says {told}",
                        "something still writes to it: wait for that to end, or fetch it later",
                    )
            arrived.replace(target)

    def hashes(self, files: Mapping[str, int]) -> dict[str, str]:
        """Tell the SHA-256 of files of the guest by path; ``files`` are their sizes in bytes by path.

        One program is started for each where the guest can hash; where it cannot, small files are brought here. What
        neither tells is left out.
        """
        plain = [path for path in files if _PATH.fullmatch(path) and not re.search(_READ_OTHERWISE, path)]
        told: dict[str, str | None] = {}
        if plain and not self._silent:
            told[plain[0]] = self._told_hash(plain[0])
        if left := plain[1:] if told and not self._silent else []:
            told |= zip(left, map(_read_hash, self._ask([_question(path) for path in left])), strict=True)
        if self._silent and self._courier is not None:
            for path in plain:
                with contextlib.suppress(DeliveryFailed):  # gone meanwhile, or held by somebody
                    told[path] = self._read_back(path) if files[path] <= self._small else None
        return {path: found for path, found in told.items() if found is not None}

    @property
    def _carrier(self) -> Courier:
        if self._courier is None:
            raise HarnessError("no courier: make the guest with Guest.of(..., courier=machine.files(account))")
        return self._courier

    def _holds(self, path: str, wanted: str) -> bool:
        """Ask whether the guest's snapshot came with the file."""
        (there,) = self._ask([f'if exist "{path}" echo there'])
        return "there" in there.stdout and self._told_hash(path) == wanted

    def _verify(self, path: str, wanted: str, *, small: bool) -> None:
        found = (None if small else self._told_hash(path)) or self._read_back(path)
        if found != wanted:
            self._fail(
                f"{path} arrived with SHA-256 {found}, not {wanted}",
                "look at the guest's free space and at its virus scanner, which may clean or hold files",
            )

    def _told_hash(self, path: str) -> str | None:
        """Ask the guest for the hash of a file that is there; None when certutil prints nothing, as in a lab."""
        if self._silent:
            return None
        (answer,) = self._ask([_question(path)])
        self._silent = answer.ok and not answer.stdout.strip()
        return _read_hash(answer)

    def _read_back(self, path: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            self._carrier.get(path, copy)
            return _sha256(copy)

    def _fail(self, problem: str, advice: str) -> None:
        raise DeliveryFailed(problem, machine=self._machine, advice=advice)


def _question(path: str) -> str:
    return f'certutil -hashfile "{path}" SHA256'


def _read_hash(answer: Outcome) -> str | None:
    found = _HASH.search(answer.stdout)
    return found.group().replace(" ", "").lower() if answer.ok and found else None


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
