"""Files over HTTPS: to and from a guest by VMware Tools, and out of a datastore."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from pyVmomi import vim

from harness.errors import DeliveryFailed
from harness.machines.border import Outlived, crossing
from harness.machines.session import Session
from harness.machines.stub import https
from harness.machines.waits import until_guest_operations_answer
from harness.site import Account, Site

CHUNK = 1 << 20


def datastore_file(session: Session, datacenter: str, file: str) -> bytes:
    """Fetch ``[datastore] folder/file`` of a datacenter; raises what the connection raises, Outlived when refused."""
    datastore, _, path = file.partition("] ")
    query = urlencode({"dcPath": datacenter, "dsName": datastore.removeprefix("[")})
    site = session.site
    with https(site.vcenter.host, site.vcenter.port, tls=session.tls, timeout=site.budgets.request) as connection:
        connection.request("GET", f"/folder/{quote(path)}?{query}", headers={"Cookie": session.cookie})
        answer = connection.getresponse()
        if answer.status != 200:
            raise Outlived(f"the download of {file} was answered with {answer.status} {answer.reason}")
        return answer.read()


class GuestFiles:
    """File transfer with one guest as one account, by VMware Tools; needs no network into the guest."""

    def __init__(
        self,
        site: Site,
        machine: str,
        vm: Any,
        account: Account,
        session: Session,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
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

    def put(self, source: Path, guest_path: str) -> None:
        """Stream a file into the guest, over what is there, making missing folders.

        Raises DeliveryFailed, GuestRefused; a local file that cannot be read raises OSError.
        """
        size = source.stat().st_size
        with source.open("rb") as content, self._border(f"bringing {source.name} to {guest_path}"):
            url = self._split(self._place_for(guest_path, size))
            deadline = self._deadline()
            with self._connection(url) as connection:
                connection.putrequest("PUT", f"{url.path}?{url.query}")
                connection.putheader("Content-Length", str(size))
                connection.putheader("Content-Type", "application/octet-stream")
                connection.endheaders()
                while chunk := content.read(CHUNK):
                    connection.send(chunk)
                    self._keep(deadline)
                self._accepted(connection.getresponse())

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
        with self._border(f"bringing {guest_path} out"):
            offer = self._ask(
                lambda operations: operations.InitiateFileTransferFromGuest(self._vm, self._authority(), guest_path)
            )
            url = self._split(offer.url)
            deadline = self._deadline()
            arrived = 0
            with self._connection(url) as connection:
                connection.request("GET", f"{url.path}?{url.query}")
                answer = connection.getresponse()
                self._accepted(answer)
                while chunk := answer.read(CHUNK):
                    arrived += len(chunk)
                    self._keep(deadline)
                    yield chunk
            if arrived != offer.size:  # a transfer that ends early is a known fault of open-vm-tools
                self._fail(f"{arrived} of {offer.size} bytes arrived")

    def _place_for(self, guest_path: str, size: int) -> str:
        """Ask where to send the content; folders are made only when the guest misses them."""

        def ask(operations: Any) -> Any:
            return operations.InitiateFileTransferToGuest(
                self._vm, self._authority(), guest_path, vim.vm.guest.FileManager.WindowsFileAttributes(), size, True
            )

        try:
            return str(self._ask(ask))
        except (vim.fault.FileNotFound, vim.fault.CannotAccessFile):
            folder = guest_path.rpartition("\\")[0] or guest_path.rpartition("/")[0]
            if not folder or folder.endswith(":"):
                raise
        with suppress(vim.fault.FileAlreadyExists):
            self._ask(lambda operations: operations.MakeDirectoryInGuest(self._vm, self._authority(), folder, True))
        return str(self._ask(ask))

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

    def _split(self, url: str) -> SplitResult:
        # "*" stands for the host that one is connected to; else it is the ESXi host that runs the machine
        return urlsplit(url.replace("://*", f"://{_bracketed(self._site.vcenter.host)}", 1))

    def _connection(self, url: SplitResult) -> AbstractContextManager[Any]:
        if url.scheme != "https" or url.hostname is None:
            self._fail(f"the vCenter offers a transfer over {url.scheme!r}, which is not HTTPS")
        return https(url.hostname, url.port or 443, tls=self._session.tls, timeout=self._site.budgets.request)

    def _deadline(self) -> float:
        return self._clock() + self._site.budgets.task

    def _keep(self, deadline: float) -> None:
        if self._clock() > deadline:
            raise Outlived(f"still under way after {self._site.budgets.task:g} s")

    def _accepted(self, answer: HTTPResponse) -> None:
        if answer.status not in (200, 201, 204):
            self._fail(f"the transfer was answered with {answer.status} {answer.reason}")

    def _fail(self, problem: str) -> NoReturn:
        raise DeliveryFailed(
            problem, machine=self._machine, advice="look at the guest's free space and at VMware Tools"
        )

    def _border(self, doing: str) -> AbstractContextManager[None]:
        return crossing(self._site, self._machine, doing, otherwise=DeliveryFailed)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
