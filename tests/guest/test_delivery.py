"""Files arrive whole, once, and under a name that tells their content."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import DeliveryFailed, HarnessError
from harness.guest.delivery import Delivery
from harness.guest.outcome import Outcome


class FolderGuest:
    """A guest that is a folder: a courier that copies files, and a certutil that works, is silent, or is missing."""

    def __init__(self, folder: Path, *, certutil: bool) -> None:
        self.folder = folder
        self.certutil = certutil
        self.brought: list[str] = []
        self.asked = 0
        self.spoils = False

    def _local(self, guest_path: str) -> Path:
        return self.folder / guest_path.replace(":", "").replace("\\", "/")

    def put(self, source: Path, guest_path: str, *, folder_is_new: bool = False) -> None:  # noqa: ARG002 - makes all
        """Copy in; a guest with a virus scanner spoils what it gets."""
        self.brought.append(guest_path)
        self._local(guest_path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, self._local(guest_path))
        if self.spoils:
            self._local(guest_path).write_bytes(b"cleaned")

    def get(self, guest_path: str, target: Path) -> None:
        """Copy out."""
        if not self._local(guest_path).exists():
            raise DeliveryFailed("there is no such file", machine="win-a", advice="check the path")
        shutil.copy(self._local(guest_path), target)

    def ask(self, commands: Sequence[str]) -> list[Outcome]:
        """Find files, and answer certutil as Windows does; silently where it is a stub."""
        self.asked += 1
        return [self._answer(command) for command in commands]

    def _answer(self, command: str) -> Outcome:
        path = self._local(command.split('"')[1])
        if command.startswith("if exist"):
            there = "there\n" if path.exists() else ""
            return Outcome(command=command, exit_code=0, stdout=there, stderr="", seconds=0)
        if not self.certutil:
            return Outcome(command=command, exit_code=0, stdout="", stderr="", seconds=0)
        if not path.exists():
            said = "CertUtil: -hashfile command FAILED: 0x80070003\n"
            return Outcome(command=command, exit_code=-2147024893, stdout=said, stderr="", seconds=0)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        said = f"SHA256 hash of x:\n{found}\nCertUtil: -hashfile command completed successfully.\n"
        return Outcome(command=command, exit_code=0, stdout=said, stderr="", seconds=0)


@pytest.fixture(params=[True, False], ids=["certutil", "silent certutil"])
def folder_guest(request: pytest.FixtureRequest, tmp_path: Path) -> FolderGuest:
    """Make a guest with and without a certutil that answers."""
    return FolderGuest(tmp_path / "guest", certutil=request.param)


@pytest.fixture
def delivery(folder_guest: FolderGuest) -> Delivery:
    """Deliver to that guest."""
    return Delivery(machine="win-a", courier=folder_guest, ask=folder_guest.ask, small=0)


@pytest.fixture
def package(tmp_path: Path) -> tuple[Path, str]:
    """Make a file and its SHA-256."""
    file = tmp_path / "Ninja 1.13.msi"
    file.write_bytes(b"package" * 1000)
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_is_brought_once_in_a_boot(
    delivery: Delivery, folder_guest: FolderGuest, package: tuple[Path, str]
) -> None:
    """What is verified is not brought, and not even asked after, again."""
    file, sha256 = package
    path = delivery.deliver(file, sha256=sha256)
    assert path == rf"C:\wincompat\cache\{sha256[:16]}\Ninja 1.13.msi"
    asked = folder_guest.asked
    assert delivery.deliver(file, sha256=sha256.upper()) == path
    assert folder_guest.brought == [path]
    assert folder_guest.asked == asked


def test_a_file_that_the_snapshot_holds_is_only_verified(package: tuple[Path, str], tmp_path: Path) -> None:
    """A cache baked into the snapshot costs one question where the guest can hash."""
    guest = FolderGuest(tmp_path / "guest", certutil=True)
    Delivery(machine="win-a", courier=guest, ask=guest.ask, small=0).deliver(package[0], sha256=package[1])
    Delivery(machine="win-a", courier=guest, ask=guest.ask, small=0).deliver(package[0], sha256=package[1])
    assert len(guest.brought) == 1


def test_a_file_that_arrives_changed_is_an_error_with_advice(
    delivery: Delivery, folder_guest: FolderGuest, package: tuple[Path, str]
) -> None:
    """A product is never installed from a package that is not its own."""
    folder_guest.spoils = True
    with pytest.raises(DeliveryFailed, match=r"win-a: .* arrived with SHA-256 .*virus scanner"):
        delivery.deliver(package[0], sha256=package[1])


def test_a_file_that_is_not_what_its_hash_says_does_not_leave(
    delivery: Delivery, folder_guest: FolderGuest, package: tuple[Path, str]
) -> None:
    """The wrong package is noticed before the guest sees it, and it is not the guest's fault."""
    with pytest.raises(HarnessError, match="its SHA-256 is") as caught:
        delivery.deliver(package[0], sha256="0" * 64)
    assert not isinstance(caught.value, DeliveryFailed)
    assert folder_guest.brought == []


@pytest.mark.parametrize("name", ["a%TEMP%.msi", "con.msi", "a&b.exe", "a^b.exe", "what!.exe", "x."])
def test_names_that_windows_would_read_otherwise_are_refused(delivery: Delivery, tmp_path: Path, name: str) -> None:
    """A name goes into a command line, so it must mean itself there."""
    file = tmp_path / name
    file.write_bytes(b"x")
    with pytest.raises(HarnessError, match="not a name for a file on Windows"):
        delivery.deliver(file, sha256=hashlib.sha256(b"x").hexdigest())


def test_a_fetched_file_appears_whole_or_not_at_all(
    delivery: Delivery, package: tuple[Path, str], tmp_path: Path
) -> None:
    """A file that is not there leaves no trace here."""
    path = delivery.deliver(package[0], sha256=package[1])
    delivery.fetch(path, tmp_path / "back.msi")
    assert (tmp_path / "back.msi").read_bytes() == package[0].read_bytes()
    with pytest.raises(DeliveryFailed):
        delivery.fetch(r"C:\nope.log", tmp_path / "nope.log")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["Ninja 1.13.msi", "back.msi", "guest"]


@pytest.mark.parametrize("path", ["nope.log", r"C:\a\..\b", r"C:\*.log", r"\\server\share\x", 'C:\\a"b', "C:/a"])
def test_only_a_whole_plain_path_is_fetched(delivery: Delivery, tmp_path: Path, path: str) -> None:
    """Anything else would be guessed at differently by each who reads it."""
    with pytest.raises(HarnessError, match="not a file in a guest"):
        delivery.fetch(path, tmp_path / "x")


def test_hashes_are_told_by_the_guest_or_by_a_copy_of_what_is_small(folder_guest: FolderGuest) -> None:
    """One question for all but the first where certutil answers; where it is silent, it is asked once."""
    sizes = {rf"C:\Program Files\Acme\{number}.dll": number + 1 for number in range(4)}
    for path, size in sizes.items():
        folder_guest._local(path).parent.mkdir(parents=True, exist_ok=True)
        folder_guest._local(path).write_bytes(b"x" * size)
    delivery = Delivery(machine="win-a", courier=folder_guest, ask=folder_guest.ask, small=3)
    known = {path: hashlib.sha256(b"x" * size).hexdigest() for path, size in sizes.items()}
    told = known if folder_guest.certutil else {path: known[path] for path in sizes if sizes[path] <= 3}
    asked = {**sizes, r"C:\gone.dll": 1, r"C:\100%\a.dll": 1}
    assert delivery.hashes(asked) == told
    assert folder_guest.asked == (2 if folder_guest.certutil else 1)
    assert delivery.hashes(asked) == told
    assert delivery.hashes({}) == {}
    assert folder_guest.asked == (4 if folder_guest.certutil else 1)


def test_a_small_file_is_carried_back_rather_than_asked_after(tmp_path: Path, package: tuple[Path, str]) -> None:
    """A small package starts no program in the guest, and one that arrives changed is found out all the same."""
    guest = FolderGuest(tmp_path / "guest", certutil=True)
    delivery = Delivery(machine="win-a", courier=guest, ask=guest.ask)
    delivery.deliver(package[0], sha256=package[1])
    assert guest.asked == 0
    delivery.forget()
    guest.spoils = True
    with pytest.raises(DeliveryFailed, match="arrived with SHA-256"):
        delivery.deliver(package[0], sha256=package[1])
