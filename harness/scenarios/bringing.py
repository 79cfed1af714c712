"""Bringing packages into a guest, and the commands of the harness's own that a guest has to carry out."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import MachineFailed, ProductFailed
from harness.exit_codes import shown
from harness.packages.archive import Archive
from harness.packages.finding import Finding, Severity, unreadable
from harness.packages.findings import archives
from harness.packages.unreadable import Unreadable
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

        Raises ProductFailed where the archive is at fault, DeliveryFailed, and MachineFailed when the guest is.
        """
        if package.sha256 not in self._places:
            there = self._guest.deliver(package.file, sha256=package.sha256)
            self._places[package.sha256] = self._unpacked(package, there) if self._product.kind == "zip" else there
        return self._places[package.sha256]

    def _unpacked(self, package: Package, there: str) -> str:
        folder = rf"{STAGE}\{package.sha256[:16]}"
        refuse(what_windows_cannot_unpack(package.file, self._product.install_dir), package)
        administrator = self._guest.as_account("administrator")
        if "tar" in administrator.facts().has:
            try:
                carry_out(administrator, self._product.unpack_command(there, folder))
            except MachineFailed:
                refuse(what_is_broken(package.file), package)  # else it is the guest's own trouble
                raise
            return folder
        refuse(what_is_broken(package.file), package)
        # a guest without tar gets the files one by one
        with tempfile.TemporaryDirectory(prefix="wincompat-") as unpacked, zipfile.ZipFile(package.file) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                here = Path(archive.extract(member, unpacked))
                below = str(here.relative_to(unpacked).parent).replace("/", "\\").removesuffix(".")
                put(administrator, here, folder + "\\" + below)
        return folder


def refuse(found: Iterable[Finding], package: Package) -> None:
    """Raise ProductFailed with what is wrong with an archive, if anything is."""
    wrong = [one for one in found if one.severity is Severity.ERROR]
    if wrong:
        words = f"{package.file.name} cannot be unpacked as it is: {'; '.join(one.sentence for one in wrong[:3])}"
        raise ProductFailed(words, code="not-installed", subject=wrong[0].subject)


def what_windows_cannot_unpack(file: Path, folder: str) -> Iterator[Finding]:
    """Look at the names in an archive: those that lead out of its folder, that Windows keeps, that are one, or none."""
    try:
        archive = Archive(file)
    except Unreadable as error:
        yield unreadable(file, error)
        return
    yield from (found for found in archives.escapes(archive) if found.code != "zip-links")  # some accounts make links
    yield from archives.names(archive, folder)
    yield from archives.holds_files(archive)


def what_is_broken(file: Path) -> Iterator[Finding]:
    """Unpack an archive into nothing, and tell what is encrypted or damaged."""
    try:
        yield from archives.contents(Archive(file))
    except Unreadable as error:
        yield unreadable(file, error)


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
