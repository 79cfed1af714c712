"""Guest operations: files in and out of a guest through the vCenter, as VMware Tools would move them."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from harness.lab.guest import GuestBusy, GuestFileError, GuestGone, LabAccount
from harness.lab.vcenter import description
from harness.lab.vcenter.objects import Inventory, Served, answers, shows
from harness.lab.vcenter.places import reference
from harness.lab.vcenter.soap import Call, vim, vmodl
from harness.lab.vcenter.unserved import unserved
from harness.lab.vcenter.virtualmachine import VirtualMachine

_VALID_FOR = 600.0
_FULL_PATH = re.compile(r'[A-Za-z]:[\\/][^"<>|?*\x00-\x1f]*')
_LISTED = re.compile(r"^\d+[-/.]\d+[-/.]\d+\s+\S+(?:\s[AP]M)?\s+(?P<size><DIR>|[\d.,]+)\s+(?P<name>.+)$")


class GuestOperations(Served):
    """Where the parts of guest operations are."""

    kind = vim.vm.guest.GuestOperationsManager

    def __init__(self) -> None:
        super().__init__("guestOperationsManager")
        self.unserved = dict(unserved(self.kind, set(self.properties)))
        named = {name: reference(part) for name, part in self.unserved.items()}
        self.properties = {**self.properties, **named}

    @shows("authManager")
    def _authentication(self) -> Any:
        return vim.vm.guest.AuthManager("guestOperationsAuthManager")

    @shows("fileManager")
    def _files(self) -> Any:
        return vim.vm.guest.FileManager("guestOperationsFileManager")


def enter(inventory: Inventory, call: Call) -> tuple[VirtualMachine, LabAccount]:
    """Find the machine and account that a call names; raises the faults of a guest that is off, not up, or refuses."""
    vm = inventory.find(call["vm"])
    assert isinstance(vm, VirtualMachine)  # noqa: S101 - nothing else is of this kind
    if not vm.is_on:
        words = "The attempted operation cannot be performed in the current state (Powered off)."
        raise vim.fault.InvalidPowerState(
            requestedState="poweredOn", existingState=description.power_state(vm), msg=words
        )
    if not vm.guest.is_up:
        raise vim.fault.GuestOperationsUnavailable(msg="The guest operations agent could not be contacted.")
    given = call["auth"]
    if not isinstance(given, vim.vm.guest.NamePasswordAuthentication) or given.interactiveSession:
        raise vmodl.fault.NotSupported(msg="The lab takes a name and a password, not an interactive session.")
    name = given.username.rpartition("\\")[2].casefold()
    account = next((account for account in vm.guest.accounts.values() if account.name.casefold() == name), None)
    if account is None or not hmac.compare_digest(account.password.encode(), given.password.encode()):
        raise vim.fault.InvalidGuestLogin(
            msg="Failed to authenticate with the guest operating system using the supplied credentials."
        )
    return vm, account


def path_fault(kind: str, path: str) -> Any:
    """Make a fault of what went wrong with a path: ``not found``, ``access denied``, ``exists`` or any words."""
    faults = {
        "not found": lambda: vim.fault.FileNotFound(file=path, msg=f"File {path} was not found"),
        "access denied": lambda: vim.fault.GuestPermissionDenied(msg=f"Permission denied on {path} in the guest."),
        "exists": lambda: vim.fault.FileAlreadyExists(file=path, msg=f"{path} already exists."),
    }
    return faults.get(kind, lambda: vim.fault.FileFault(file=path, msg=f"{path}: {kind}"))()


def full_path(call: Call, name: str) -> str:
    """Read the path that an argument holds; raises InvalidArgument for one that is not a full path of Windows."""
    path = (call[name] or "").replace("/", "\\")
    if not _FULL_PATH.fullmatch(path):
        raise vmodl.fault.InvalidArgument(invalidProperty=name, msg=f"{path!r} is not the full path of a file.")
    return str(path)


@contextmanager
def _faults(path: str) -> Iterator[None]:
    """Turn what a guest raises into what VMware Tools would answer."""
    try:
        yield
    except GuestFileError as error:
        raise path_fault(error.kind, path) from error
    except GuestGone as error:
        raise vim.fault.GuestOperationsUnavailable(msg=f"The guest went away: {error}") from error
    except GuestBusy as error:
        raise vim.fault.GuestOperationsFault(msg=str(error)) from error


async def ask(vm: VirtualMachine, account: LabAccount, command: str) -> tuple[int, str]:
    """Run a command of the guest's own and give its exit code and what it printed."""
    process = await vm.guest.start(command, account=account, codepage=65001)
    printed = b""
    while (chunk := await process.read()) is not None:
        printed += chunk.content if chunk.stream == "stdout" else b""
    return await process.wait(), printed.decode("utf-8", "replace")


async def _ask_well(vm: VirtualMachine, account: LabAccount, command: str, path: str) -> None:
    """Run a command that ends with a Windows error code; raises the fault that the code means for the path."""
    with _faults(path):
        code, _ = await ask(vm, account, command)
    if code:
        raise path_fault({2: "not found", 3: "exists", 5: "access denied"}.get(code, f"exit code {code}"), path)


class Authentication(Served):
    """Tells whether an account's password is right."""

    kind = vim.vm.guest.AuthManager

    def __init__(self, inventory: Inventory) -> None:
        super().__init__("guestOperationsAuthManager")
        self.inventory = inventory

    @answers("ValidateCredentialsInGuest")
    def _validate(self, call: Call) -> None:
        enter(self.inventory, call)


@dataclass(slots=True)
class Transfer:
    """A file on its way, valid once and for a while: out of the guest with its content, or into it with its size."""

    vm: VirtualMachine
    account: LabAccount
    path: str
    size: int
    until: float
    content: bytes | None = field(default=None, repr=False)


class GuestFiles(Served):
    """Moves files and makes directories inside a guest, with the rights of the account that is named."""

    kind = vim.vm.guest.FileManager

    def __init__(self, inventory: Inventory, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("guestOperationsFileManager")
        self.inventory, self.url, self.clock = inventory, url, clock
        self.transfers: dict[str, Transfer] = {}

    def _offer(self, transfer: Transfer) -> str:
        now = self.clock()
        self.transfers = {token: other for token, other in self.transfers.items() if other.until > now}
        token = secrets.token_urlsafe(24)
        self.transfers[token] = transfer
        return f"{self.url}/guestFile?id={transfer.vm.moid}&token={token}"

    def take(self, token: str, *, out: bool) -> Transfer | None:
        """Use up a token for its transfer; None for one that is unknown, stale or of the other way."""
        transfer = self.transfers.get(token)
        if transfer is None or transfer.until <= self.clock() or (transfer.content is not None) != out:
            return None
        return self.transfers.pop(token)

    async def store(self, transfer: Transfer, content: AsyncIterable[bytes]) -> None:
        """Write what arrives into the guest; raises the fault that says why it could not be."""
        with _faults(transfer.path):
            await transfer.vm.guest.put_file(transfer.path, content, account=transfer.account)

    @answers("InitiateFileTransferToGuest")
    async def _to_guest(self, call: Call) -> str:
        vm, account = enter(self.inventory, call)
        path = full_path(call, "guestFilePath")
        if call["fileSize"] < 0:
            raise vmodl.fault.InvalidArgument(invalidProperty="fileSize", msg="A size cannot be negative.")
        if not call["overwrite"]:
            await _ask_well(vm, account, f'if exist "{path}" exit /b 3', path)
        return self._offer(Transfer(vm, account, path, call["fileSize"], self.clock() + _VALID_FOR))

    @answers("InitiateFileTransferFromGuest")
    async def _from_guest(self, call: Call) -> Any:
        vm, account = enter(self.inventory, call)
        path = full_path(call, "guestFilePath")
        with _faults(path):
            content = await vm.guest.get_file(path, account=account)
        size = len(content)
        url = self._offer(Transfer(vm, account, path, size, self.clock() + _VALID_FOR, content))
        attributes = vim.vm.guest.FileManager.WindowsFileAttributes()
        return vim.vm.guest.FileManager.FileTransferInformation(attributes=attributes, size=size, url=url)

    @answers("MakeDirectoryInGuest")
    async def _make_directory(self, call: Call) -> None:
        vm, account = enter(self.inventory, call)
        path = full_path(call, "directoryPath").rstrip("\\")
        with _faults(path):
            await vm.guest.make_folder(path, account=account, parents=bool(call["createParentDirectories"]))

    @answers("DeleteFileInGuest")
    async def _delete(self, call: Call) -> None:
        vm, account = enter(self.inventory, call)
        path = full_path(call, "filePath")
        delete = f'if not exist "{path}" (exit /b 2) else (del /f /q "{path}" & if exist "{path}" exit /b 5)'
        await _ask_well(vm, account, delete, path)

    @answers("ListFilesInGuest")
    async def _list(self, call: Call) -> Any:
        vm, account = enter(self.inventory, call)
        path = full_path(call, "filePath")
        with _faults(path):
            code, printed = await ask(vm, account, f'dir /a /-c "{path}"')
        found = [match for line in printed.splitlines() if (match := _LISTED.match(line.strip()))]
        if code or not found:
            raise path_fault("not found", path)
        try:
            fits = re.compile(call["matchPattern"] or "")
        except re.error as error:
            raise vmodl.fault.InvalidArgument(invalidProperty="matchPattern", msg=f"not a pattern: {error}") from error
        files = [_listed(match) for match in found if fits.search(match["name"])]
        first, most = call["index"] or 0, call["maxResults"] if call["maxResults"] is not None else 50
        some = files[first : first + most]
        remaining = max(0, len(files) - first - len(some))
        return vim.vm.guest.FileManager.ListFileInfo(files=some, remaining=remaining)


def _listed(match: re.Match[str]) -> Any:
    directory = match["size"] == "<DIR>"
    return vim.vm.guest.FileManager.FileInfo(
        path=match["name"],
        type="directory" if directory else "file",
        size=0 if directory else int(re.sub(r"\D", "", match["size"])),
        attributes=vim.vm.guest.FileManager.WindowsFileAttributes(),
    )
