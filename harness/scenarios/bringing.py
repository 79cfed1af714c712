"""Bringing packages into a guest, and the commands of the harness's own that a guest has to carry out."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import MachineFailed
from harness.exit_codes import shown
from harness.scenarios.proving import own_words

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.products import Package, Product

STAGE = r"C:\wincompat\unpacked"  # beside the delivery cache, which states of a guest leave out


class Brought:
    """The packages of one cell in its guest, each brought once, whoever installs it."""

    def __init__(self, guest: Guest, product: Product) -> None:
        self._guest = guest
        self._product = product
        self._places: dict[str, str] = {}

    def place_of(self, package: Package) -> str:
        """Bring a package, a ZIP unpacked, and return where it is in the guest; again costs nothing.

        Raises DeliveryFailed, and MachineFailed when it cannot be unpacked there.
        """
        if package.sha256 not in self._places:
            there = self._guest.deliver(package.file, sha256=package.sha256)
            self._places[package.sha256] = self._unpacked(package, there) if self._product.kind == "zip" else there
        return self._places[package.sha256]

    def _unpacked(self, package: Package, there: str) -> str:
        folder = rf"{STAGE}\{package.sha256[:16]}"
        administrator = self._guest.as_account("administrator")
        if "tar" in administrator.facts().has:
            carry_out(administrator, self._product.unpack_command(there, folder))
            return folder
        # a guest without tar gets the files one by one
        with tempfile.TemporaryDirectory(prefix="wincompat-") as unpacked, zipfile.ZipFile(package.file) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                here = Path(archive.extract(member, unpacked))
                below = str(here.relative_to(unpacked).parent).replace("/", "\\").removesuffix(".")
                put(administrator, here, folder + "\\" + below)
        return folder


def put(guest: Guest, file: Path, folder: str, name: str = "") -> None:
    """Copy a file of ours into a folder of the guest, which is made where it is not there, under its name or another.

    Raises DeliveryFailed, MachineFailed.
    """
    there = guest.deliver(file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    target = rf"{folder}\{name}" if name else folder
    carry_out(guest, f'(if not exist "{folder}" mkdir "{folder}") & copy /y "{there}" "{target}"')


def carry_out(guest: Guest, command: str) -> None:
    """Run a command of ours; one that ends with another exit code than 0 raises MachineFailed."""
    outcome = guest.run(command)
    if not outcome.ok:
        raise MachineFailed(
            f"{command} ended with {shown(outcome.exit_code)}: {own_words(outcome)}",
            machine=guest.machine,
            advice="look at its free space and at what the account may do",
        )
