"""A guest without Windows: what the vCenter's own rules can be tested with, and nothing that a guest itself decides."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.builds import Build


@dataclass(frozen=True)
class Account:
    """An account of the stand-in."""

    name: str
    password: str
    level: Literal["administrator", "standard"]


@dataclass(eq=False)
class StandIn:
    """The signature of a lab guest; a disk is a dictionary, and booting takes as long as the test says."""

    name: str
    build: Build
    boots_in: float = 0.01
    takes: float = 0.02
    is_held: bool = False
    is_on: bool = False
    is_up: bool = False
    is_frozen: bool = False
    given_name: str = ""
    remembered: set[str] = field(default_factory=set)
    boot_id: str = ""
    disk: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"clean": {}})
    observers: list[Callable[[Any], None]] = field(default_factory=list)
    destroyed: bool = False
    accounts: Mapping[str, Account] = field(
        default_factory=lambda: {
            "administrator": Account("tester", "correct horse", "administrator"),
            "standard": Account("guest", "battery staple", "standard"),
        }
    )
    _boot: asyncio.Task[None] | None = None

    @property
    def computer_name(self) -> str:
        """What Windows calls itself."""
        return (self.given_name or self.name).upper()

    def _tell(self) -> None:
        for observer in list(self.observers):
            observer(self)

    async def _take(self) -> None:
        """Take as long as the test says, and until it no longer holds the operation."""
        await asyncio.sleep(self.takes)
        while self.is_held:
            await asyncio.sleep(0.01)

    async def power_on(self) -> None:
        """Power comes after a moment, Windows after another."""
        await self._take()
        self.is_on = True
        self._tell()
        self._boot = asyncio.create_task(self._come_up())

    async def _come_up(self) -> None:
        await asyncio.sleep(self.boots_in)
        self.is_up, self.boot_id = True, secrets.token_hex(4)
        self._tell()

    async def power_off(self) -> None:
        """Both go at once."""
        if self._boot is not None:
            self._boot.cancel()
        await self._take()
        self.is_on = self.is_up = False
        self._tell()

    shut_down = power_off

    async def put_file(self, path: str, content: bytes | AsyncIterable[bytes], *, account: Account) -> None:  # noqa: ARG002 - no rights here
        """Keep a file on the disk."""
        self.disk[path] = content if isinstance(content, bytes) else b"".join([piece async for piece in content])

    async def get_file(self, path: str, *, account: Account) -> bytes:  # noqa: ARG002 - as above
        """Give what was put on the disk."""
        return self.disk[path]

    async def screenshot(self) -> bytes:
        """Something that starts like a PNG."""
        return b"\x89PNG\r\n\x1a\n" + self.name.encode()

    async def snapshot(self, key: str, *, memory: bool = False) -> None:
        """Keep the disk."""
        await self._take()
        self.kept[key] = dict(self.disk)
        if memory:
            self.remembered.add(key)

    def holds_memory(self, key: str) -> bool:
        """Whether it was taken with the memory."""
        return key in self.remembered

    async def revert(self, key: str, *, stay_off: bool = False) -> None:
        """Off, with the disk as it was, or up if the memory was kept."""
        await self.power_off()
        self.disk = dict(self.kept[key])
        if key in self.remembered and not stay_off:
            self.is_on = True
            await self._come_up()

    async def drop_snapshot(self, key: str) -> None:
        """Forget a disk."""
        del self.kept[key]

    async def clone(self, name: str, key: str) -> StandIn:
        """Another one with that disk."""
        await self._take()
        return StandIn(name, self.build, disk=dict(self.kept[key]), kept={})

    async def instant_clone(self, name: str) -> StandIn:
        """Another one, up, with the disk of this moment."""
        await self._take()
        return StandIn(name, self.build, disk=dict(self.disk), kept={}, is_on=True, is_up=True, boot_id="cloned")

    async def freeze(self) -> None:
        """Hold still."""
        self.is_frozen = True
        self._tell()

    async def thaw(self) -> None:
        """Go on."""
        self.is_frozen = False
        self._tell()

    async def destroy(self) -> None:
        """Gone."""
        self.destroyed = True
