"""Files over HTTPS: to and from a guest by VMware Tools, and out of a datastore."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from pyVmomi import vim, vmodl

from harness.errors import DeliveryFailed
from harness.machines.border import Outlived, Refused, crossing, one_line, transferring
from harness.machines.session import Session
from harness.machines.stub import NotUnderstood, https
from harness.machines.waits import until_guest_operations_answer
from harness.site import Account, Site

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file is handed over; the target holds a ticket, which is nobody else's to see."""

    host: str
    port: int
    target: str = field(repr=False)


def datastore_file(session: Session, datacenter: str, file: str) -> bytes:
    """Fetch ``[datastore] folder/file`` of a datacenter; raises what its connection raises, or Refused."""
    datastore, _, path = file.partition("] ")
    query = urlencode({"dcPath": datacenter, "dsName": datastore.removeprefix("[")})
    site = session.site
    with https(site.vcenter.host, site.vcenter.port, tls=session.tls, timeout=site.budgets.request) as connection:
        connection.request("GET", f"/folder/{quote(path)}?{query}", headers={"Cookie": session.cookie})
        answer = connection.getresponse()
        if answer.status != 200:
            raise Refused(f"the download of {file} was answered with {answer.status} {answer.reason}")
        return answer.read()


class GuestFiles:
    """File transfer with one guest as one account, by VMware Tools; needs no network into the guest.

    ``fence`` is called before a file is brought in, and raises when the machine is not ours any more.
    """

    def __init__(
        self,
        site: Site,
        machine: str,
        vm: Any,
        account: Account,
        session: Session,
        *,
        fence: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._fence = fence
        self._site = site
        self._machine = machine
        self._vm = vm
        self._account = account
        self._session = session
        self._clock = clock
        self._sleep = sleep
        self._operations: Any = None

    def __repr__(self) -> str:
        return f"<GuestFiles of {self._machine} as {self._account.user}>"

    def put(self, source: Path, guest_path: str, *, folder_is_new: bool = False) -> None:
        """Stream a file into the guest, over what is there, making missing folders.

        Where the folder is most likely new it is made first: to be told that it is missing takes an offer and a
        transfer.
        A transfer that breaks off is not tried again, and what had arrived of it is removed. Raises DeliveryFailed,
        GuestRefused; a local file that cannot be read raises OSError.
        """
        self._fence()
        size = source.stat().st_size
        doing = f"bringing {source.name} to {guest_path}"
        with source.open("rb") as content, self._border(doing), self._nothing_half(content, guest_path):
            if folder_is_new:
                self._made_folder_of(guest_path)
            try:
                self._send(content, size, guest_path, doing)
            except (vim.fault.FileNotFound, vim.fault.CannotAccessFile, Refused):
                # a missing folder is told by the offer or only by the transfer, and not always in so many words
                if not self._made_folder_of(guest_path):
                    raise
                content.seek(0)
                self._send(content, size, guest_path, doing)

    @contextmanager
    def _nothing_half(self, content: BinaryIO, guest_path: str) -> Iterator[None]:
        """Remove what had arrived of a transfer that fails once something was sent: hosts write as it comes."""
        try:
            yield
        except (DeliveryFailed, Outlived, Refused) as broken:
            if content.tell() == 0:
                raise
            try:
                self._ask(lambda operations: operations.DeleteFileInGuest(self._vm, self._authority(), guest_path))
            except vim.fault.FileNotFound:
                pass
            except (vmodl.MethodFault, OSError, HTTPException, NotUnderstood):
                left = "; a part of it may lie there"
                if isinstance(broken, DeliveryFailed):
                    raise DeliveryFailed(
                        f"{broken.problem}{left}", machine=broken.machine, advice=broken.advice
                    ) from broken.__cause__
                raise type(broken)(f"{broken}{left}") from None
            raise

    def get(self, guest_path: str, target: Path) -> None:
        """Stream a file out of the guest; the target appears whole or not at all.

        Raises DeliveryFailed, GuestRefused; a target that cannot be written raises OSError.
        """
        part = target.with_name(target.name + ".part")
        try:
            with part.open("wb") as content:
                for chunk in self._chunks(guest_path):
                    content.write(chunk)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def _chunks(self, guest_path: str) -> Iterator[bytes]:
        doing = f"bringing {guest_path} out"
        with self._border(doing):
            address, size = self._offer_of(guest_path)
            deadline = self._deadline()
            arrived = 0
            with self._connection(address, doing) as connection:
                connection.request("GET", address.target)
                answer = connection.getresponse()
                _accepted(answer)
                while chunk := answer.read1(CHUNK):
                    arrived += len(chunk)
                    self._keep(deadline)
                    yield chunk
            if arrived != size:  # a transfer that ends early is a known fault of open-vm-tools
                raise Refused(f"{arrived} of {size} bytes arrived")

    def _offer_of(self, guest_path: str) -> tuple[Address, int]:
        """Ask where to fetch the content, and how many bytes it has."""
        offer = self._ask(
            lambda operations: operations.InitiateFileTransferFromGuest(self._vm, self._authority(), guest_path)
        )
        return self._address(offer.url), offer.size

    def _send(self, content: BinaryIO, size: int, guest_path: str, doing: str) -> None:
        attributes = vim.vm.guest.FileManager.WindowsFileAttributes()
        address = self._address(
            self._ask(
                lambda operations: operations.InitiateFileTransferToGuest(
                    self._vm, self._authority(), guest_path, attributes, size, True
                )
            )
        )
        deadline = self._deadline()
        with self._connection(address, doing) as connection:
            connection.putrequest("PUT", address.target)
            connection.putheader("Content-Length", str(size))
            connection.putheader("Content-Type", "application/octet-stream")
            connection.endheaders()
            with suppress(BrokenPipeError, ConnectionResetError):  # refused half-way: the answer says why
                while chunk := content.read(CHUNK):
                    connection.send(chunk)
                    self._keep(deadline)
            _accepted(connection.getresponse())

    def _made_folder_of(self, guest_path: str) -> bool:
        """Make the folder with those above it; false when it was there, so that it is not what was missing."""
        folder = guest_path.replace("/", "\\").rpartition("\\")[0]
        if not folder or folder.endswith(":"):
            return False
        try:
            self._ask(lambda operations: operations.MakeDirectoryInGuest(self._vm, self._authority(), folder, True))
        except vim.fault.FileAlreadyExists:
            return False
        return True

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        if self._operations is None:
            operations = self._session.content.guestOperationsManager
            self._operations = self._session.read(operations, "fileManager").get("fileManager")
        if self._operations is None:
            raise vim.fault.GuestOperationsUnavailable()
        return until_guest_operations_answer(self._site.budgets.request, sleep=self._sleep)(question, self._operations)

    def _authority(self) -> Any:
        # made where it is sent and held nowhere: a traceback shows the variables of its frames
        return vim.vm.guest.NamePasswordAuthentication(
            username=self._account.user,
            password=self._account.password.read().get_secret_value(),
            interactiveSession=False,
        )

    def _address(self, url: str) -> Address:
        # "*" stands for the host that one is connected to; else it is the ESXi host that runs the machine
        parts = urlsplit(url)
        here = parts.netloc.partition(":")[0] == "*"
        if parts.scheme != "https":
            raise Refused(f"the vCenter offers a transfer over {parts.scheme!r}, which is not HTTPS")
        return Address(
            host=self._site.vcenter.host if here else str(parts.hostname),
            port=parts.port or (self._site.vcenter.port if here else 443),
            target=f"{parts.path}?{parts.query}",
        )

    @contextmanager
    def _connection(self, address: Address, doing: str) -> Iterator[HTTPSConnection]:
        peer = f"{address.host}:{address.port}"
        with (
            transferring(self._site, self._machine, doing, peer=peer),
            https(
                address.host,
                address.port,
                tls=self._session.tls,
                timeout=self._site.budgets.request,
                within=self._site.budgets.task,
            ) as connection,
        ):
            yield connection

    def _deadline(self) -> float:
        return self._clock() + self._site.budgets.task

    def _keep(self, deadline: float) -> None:
        if self._clock() > deadline:
            raise Outlived(f"still under way after {self._site.budgets.task:g} s")

    def _border(self, doing: str) -> AbstractContextManager[None]:
        return crossing(self._site, self._machine, doing, otherwise=DeliveryFailed)


def _accepted(answer: HTTPResponse) -> None:
    if answer.status not in (200, 201, 204):
        said = one_line(answer.read(1000).decode("utf-8", "replace"))
        raise Refused(f"the transfer was answered with {answer.status} {said or answer.reason}")
