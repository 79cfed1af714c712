"""The lab assembled: guests of one image, a WinRM service for each, one vCenter over all, and the site file to it."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
import os
import secrets
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.builds import Build
from harness.lab.audit import Audit
from harness.lab.certificates import server_tls, write_certificates, write_private
from harness.lab.disk import DiskFailed
from harness.lab.faults.asked import Asked, Faults
from harness.lab.folder import LabFolder
from harness.lab.fresh import FreshGuest
from harness.lab.guest import GuestBusy, GuestGone, LabAccount, LabGuest
from harness.lab.image import ACCOUNTS, Image
from harness.lab.subnet import PORT, Subnet
from harness.lab.vcenter.endpoint import VCenter
from harness.lab.vcenter.objects import every_method
from harness.lab.vcenter.sessions import User
from harness.lab.vcenter.virtualmachine import VirtualMachine
from harness.lab.winrm.credentials import write_user_file
from harness.lab.winrm.service import WinRMService
from harness.lab.winrm.trouble import VERBS, Trouble

SNAPSHOT = "clean"
_ADMINISTRATOR, _AUDITOR = "administrator@lab.local", "auditor@lab.local"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a lab is to have: its builds, how many machines of each, and whether one of each is booted at once."""

    builds: Sequence[Build]
    machines: int = 2
    stand_by: bool = False

    def names(self) -> Iterator[tuple[str, Build]]:
        """Name every machine: ``win10-21h2-a``, ``win10-21h2-b``, ..."""
        for build in self.builds:
            for number in range(self.machines):
                yield f"{build.slug}-{_letters(number)}", build


def _letters(number: int) -> str:
    """Count with letters: a, b, ... z, aa."""
    return (_letters(number // 26 - 1) if number >= 26 else "") + chr(ord("a") + number % 26)


class Lab:
    """A vCenter and its guests; ``start`` gives the site file's path, ``stop`` leaves nothing behind."""

    def __init__(self, folder: LabFolder, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.started = datetime.now(UTC)
        self.subnet = Subnet(folder.name, len(plan.builds) * plan.machines)
        self.accounts = [LabAccount(name=name, password=_password(), level=level) for name, level in ACCOUNTS.items()]
        self._users = [User(_ADMINISTRATOR, _password()), User(_AUDITOR, _password(), read_only=True)]
        self._services: dict[LabGuest, tuple[str, WinRMService]] = {}
        self._tls: ssl.SSLContext | None = None
        self._standing_by: asyncio.Task[None] | None = None
        passwords = [*(account.password for account in self.accounts), *(user.password for user in self._users)]
        self.audit = Audit(folder.audit, secrets=passwords)
        self.faults = Faults(self.audit)
        self.faults.deed, self.faults.undo = self._do, self._undo
        self.vcenter = VCenter(
            self._users,
            url=f"https://{self.subnet.host}:{PORT}",
            release=_release(),
            admit=self._admit,
            dismiss=self._dismiss,
            audit=self.audit,
            faults=self.faults,
        )

    async def start(self, image: Image) -> Path:
        """Make the machines, all off, open the vCenter, and write the site file last of all."""
        addresses = list(self.subnet.all())
        write_certificates(self.folder.path, self.folder.secrets, name=self.folder.name, addresses=addresses)
        self._tls = server_tls(self.folder.secrets)
        self._write_users([name for name, _ in self.plan.names()])
        made = datetime.fromtimestamp(image.disk.stat().st_mtime, UTC)
        machines, guests = [], []
        for name, build in self.plan.names():
            place = self.folder.guests / name
            guest = FreshGuest(image, place, build=build, accounts=self.accounts, snapshot=SNAPSHOT)
            guests.append(guest)
            address = self.subnet.take()
            await self._serve(guest, address)
            vm = self.vcenter.enrol(guest, address, {SNAPSHOT: SNAPSHOT}, of=image.disk.name, made=made)
            machines.append({"path": vm.path, "build": str(build), "snapshot": SNAPSHOT, "address": address})
        await self.vcenter.start(self.subnet.vcenter, self._tls)
        self._write(machines)
        if self.plan.stand_by:
            firsts = guests[:: self.plan.machines]
            self._standing_by = asyncio.get_running_loop().create_task(_stand_by(firsts))
        return self.folder.site_file

    def _write_users(self, machines: list[str]) -> None:
        write_user_file(self.folder.secrets / "ntlm", self.accounts, machines)

    async def _admit(self, guest: LabGuest, wanted: str) -> str:
        """Give a clone an address, a certain one if it wants that, and the WinRM service on it; raises LookupError."""
        address = self.subnet.take(wanted)
        self._write_users([*(known.name for known in self._services), guest.name])
        await self._serve(guest, address)
        return address

    async def _serve(self, guest: LabGuest, address: str) -> None:
        assert self._tls is not None  # noqa: S101 - made in start, before any guest
        trouble = Trouble(self.faults, self.audit, lambda: self.vcenter.premises.name_of(guest))
        service = WinRMService(guest, address=address, tls=self._tls, trouble=trouble)
        self._services[guest] = (address, service)
        await service.start()

    async def _dismiss(self, guest: LabGuest) -> None:
        address, service = self._services.pop(guest)
        await service.stop()
        self.subnet.give_back(address)

    async def stop(self) -> None:
        """End the vCenter, the services and the guests, all at once, and remove the guests' disks."""
        self.folder.site_file.unlink(missing_ok=True)
        if self._standing_by is not None:
            self._standing_by.cancel()
            await asyncio.gather(self._standing_by, return_exceptions=True)
        await self.vcenter.stop()
        guests = list(self._services)
        endings = [service.stop() for _, service in self._services.values()]
        await asyncio.gather(*endings, return_exceptions=True)
        await asyncio.gather(*(guest.destroy() for guest in guests), return_exceptions=True)
        self.subnet.close()
        self.audit.close()

    def ask_for(self, name: str, *, machine: str = "", times: int | None = None, seconds: float | None = None,
                **options: str) -> Asked:  # fmt: skip
        """Ask for a fault; raises ValueError for one that there is not, LookupError for a machine that there is not.

        A method that nobody answers is refused as well: a fault that waits for one would never strike.
        """
        machine = machine.rpartition("/")[2]
        if machine:
            self._machine(machine)
        if (method := options.get("method", VERBS[0])) not in (known := {*every_method(), *VERBS}):
            near = ", ".join(difflib.get_close_matches(method, known, n=3)) or ", ".join(VERBS)
            raise ValueError(f"no method {method!r} in the vCenter, no action of WS-Man; there are {near}, ...")
        return self.faults.ask(name, machine=machine, times=times, seconds=seconds, **options)

    async def _do(self, asked: Asked, machine: str) -> None:
        await self._machine(machine).befall(asked.fault.name, **asked.options)

    async def _undo(self, asked: Asked, machine: str) -> None:
        with contextlib.suppress(LookupError):  # it may have been destroyed since
            await self._machine(machine).recover(asked.fault.name)

    def _machine(self, name: str) -> VirtualMachine:
        machines = {vm.name: vm for vm in self.vcenter.premises.machines()}
        if name not in machines:
            near = difflib.get_close_matches(name, machines, n=3) or list(machines)[:8]
            more = ", ..." if len(near) < len(machines) else ""
            raise LookupError(f"no machine {name!r}; there are {', '.join(near)}{more}")
        return machines[name]

    async def hold(self, name: str, still: bool) -> None:
        """Freeze a machine's guest, as the source of instant clones, or let it go on; raises LookupError saying why."""
        guest = self._machine(name.rpartition("/")[2]).guest
        try:
            await (guest.freeze() if still else guest.thaw())
        except (GuestGone, GuestBusy) as error:
            raise LookupError(str(error)) from error

    def status(self) -> dict[str, Any]:
        """Say what the lab is and how its machines are, in plain values."""
        now = datetime.now(UTC)
        machines = self.vcenter.premises.machines()
        return {
            "name": self.folder.name,
            "pid": os.getpid(),
            "site": str(self.folder.site_file),
            "vcenter": f"https://{self.subnet.host}:{PORT}/sdk",
            "up_for": (now - self.started).total_seconds(),
            "machines": [
                {
                    "path": vm.path,
                    "build": f"{vm.guest.build.name} ({vm.guest.build})",
                    "address": vm.address,
                    "power": ("up" if vm.guest.is_up else "booting") if vm.is_on else "off",
                    "on_for": (now - vm.powered_since).total_seconds() if vm.powered_since else None,
                }
                for vm in machines
            ],
        }

    async def screenshot(self, name: str) -> bytes:
        """Take a picture of a machine's console, as PNG; raises LookupError naming what is wrong."""
        vm = self._machine(name)
        if not vm.is_on:
            raise LookupError(f"{name} is off: there is nothing to see")
        return await vm.guest.screenshot()

    def _write(self, machines: list[dict[str, str]]) -> None:
        private = self.folder.secrets
        passwords: dict[str, str] = {
            "vcenter": self._users[0].password,
            "auditor": self._users[1].password,
            **{account.level: account.password for account in self.accounts},
        }
        for name, password in passwords.items():
            write_private(private / f"{name}.secret", password.encode())
        text = site_text(
            self.folder.name, self.subnet.host, {account.level: account.name for account in self.accounts}, machines
        )
        fresh = self.folder.path / "site.toml.new"
        fresh.write_text(text, "utf-8")
        fresh.replace(self.folder.site_file)


async def _stand_by(guests: Sequence[FreshGuest]) -> None:
    """Boot guests one after the other, while whoever wants them is still getting ready."""
    for guest in guests:
        # the disk may be full: whoever reverts the machine is told
        with contextlib.suppress(DiskFailed):
            await guest.stand_by()


def site_text(name: str, host: str, accounts: dict[str, str], machines: list[dict[str, str]]) -> str:
    """Write a site file as TOML; what it names lies beside it."""
    lines = [
        "# The lab's own site file, written when it started; it is valid until the lab stops.",
        f"name = {_quoted(f'lab {name}')}",
        "",
        "[vcenter]",
        f"host = {_quoted(host)}",
        f"port = {PORT}",
        f"user = {_quoted(_ADMINISTRATOR)}",
        'password = { file = "secrets/vcenter.secret" }',
        'ca_file = "ca.pem"',
        "",
        "[winrm]",
        'ca_file = "ca.pem"',
        "",
        "[budgets]",
        "restart = 60",  # Windows is back within seconds here, unless the host is busy
        "",
        "[leases]",  # they end with the lab: the next one of this name has the same addresses and clean machines
        'url = "sqlite:///leases.sqlite3"',
    ]
    for level, account in accounts.items():
        lines += ["", f"[accounts.{level}]", f"user = {_quoted(account)}"]
        lines.append(f'password = {{ file = "secrets/{level}.secret" }}')
    for machine in machines:
        lines += ["", "[[machines]]", *(f"{key} = {_quoted(value)}" for key, value in machine.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _password() -> str:
    # letters and digits only: it has to survive user files, URLs and command lines of every client
    return secrets.token_hex(16)


def _release() -> str:
    try:
        return metadata.version("pytest-wincompat")
    except metadata.PackageNotFoundError:
        return "0"
