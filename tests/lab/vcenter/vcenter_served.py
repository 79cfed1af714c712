"""A vCenter over stand-ins, in a thread of its own, and how the real client connects to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyVim.connect
import pyVim.task
import pyVmomi

from harness.builds import Build
from harness.lab.audit import Audit
from harness.lab.certificates import server_tls, write_certificates
from harness.lab.faults.asked import Asked
from harness.lab.vcenter.endpoint import VCenter
from harness.lab.vcenter.sessions import User

from .vcenter_standin import StandIn

# the real client, openly untyped: its classes are made at run time
_client: Any = pyVim.connect
_types: Any = pyVmomi
vim, vmodl = _types.vim, _types.vmodl
wait_for: Any = pyVim.task.WaitForTask
disconnect: Any = _client.Disconnect

PASSWORD = "a long & <random> one"


class Served:
    """The vCenter under test: where it listens, whom it trusts, and its stand-ins by name."""

    def __init__(self, folder: Path) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.guests = {name: StandIn(name, Build(number)) for name, number in (("a", 19044), ("b", 22631))}
        self.folder = folder
        self.dismissed: list[str] = []
        self.audit = Audit(folder / "audit.jsonl", secrets=[PASSWORD])
        self.ca = write_certificates(folder, folder, name="test", addresses=["127.0.0.1"])
        self.tls = server_tls(folder)
        self.loop = asyncio.new_event_loop()
        self.vcenter: VCenter | None = None
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._start())
        self.ready.set()
        self.loop.run_forever()
        assert self.vcenter is not None
        self.loop.run_until_complete(self.vcenter.stop())
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()

    async def _start(self) -> None:
        async def admit(_: object, wanted: str) -> str:
            if wanted == "10.0.0.1":
                raise LookupError("the lab has no address 10.0.0.1")
            return wanted or "127.0.0.99"

        async def dismiss(guest: Any) -> None:
            self.dismissed.append(guest.name)

        users = [User("administrator@lab.local", PASSWORD), User("auditor@lab.local", "only looks", read_only=True)]
        url = f"https://127.0.0.1:{self.port}"
        self.vcenter = VCenter(users, url=url, release="0", admit=admit, dismiss=dismiss, audit=self.audit)
        for number, guest in enumerate(self.guests.values(), 11):
            self.vcenter.enrol(guest, f"127.0.0.{number}", {"clean": "clean"})  # type: ignore[arg-type]  # a stand-in
        await self.vcenter.start(self.listening, self.tls)

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client needs to verify the vCenter."""
        return ssl.create_default_context(cafile=self.ca)

    @contextmanager
    def stranger(self) -> Iterator[Any]:
        """Give a service instance of the real client that is not logged in."""
        stub = _client.SmartStubAdapter(
            host="127.0.0.1", port=self.port, sslContext=self.trust, httpConnectionTimeout=60
        )
        yield vim.ServiceInstance("ServiceInstance", stub)
        stub.DropConnections()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the vCenter's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def fault(self, name: str, **options: Any) -> Asked:
        """Ask for a fault."""

        async def ask() -> Asked:
            assert self.vcenter is not None
            return self.vcenter.faults.ask(name, **options)

        asked: Asked = self.do(ask())
        return asked

    def clear(self) -> None:
        """Take all faults back."""

        async def clear() -> None:
            assert self.vcenter is not None
            self.vcenter.faults.clear()

        self.do(clear())

    def connect(self, user: str = "administrator@lab.local", password: str = PASSWORD) -> Any:
        """Log in with the real client."""
        return _client.SmartConnect(
            host="127.0.0.1", port=self.port, user=user, pwd=password, sslContext=self.trust, httpConnectionTimeout=60
        )
