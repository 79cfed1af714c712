"""A site: a vCenter, its machines and accounts, as one TOML file says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from harness import authoring
from harness.authoring import Authored, Flag, LocalPath, Seconds, Text, Whole, shown
from harness.mistakes import quoted
from harness.secret import Secret as Secret
from harness.site_machines import FROM_TOOLS as FROM_TOOLS
from harness.site_machines import Clones as Clones
from harness.site_machines import Host
from harness.site_machines import SiteMachine as SiteMachine
from harness.site_machines import Strategy as Strategy


def _thumbprint(text: str) -> str:
    digits = text.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]*", digits):
        raise ValueError("should be hexadecimal, with or without colons")
    if len(digits) != 64:
        raise ValueError(f"should be a SHA-256 thumbprint of 64 digits; this one has {len(digits)}")
    return digits


Port = Annotated[Whole, Field(ge=1, le=65535)]
Thumbprint = Annotated[Text, AfterValidator(_thumbprint)]


class VCenter(Authored):
    """Where the vCenter is and how to trust it: by its CA, or by the thumbprint of its one certificate."""

    host: Host
    port: Port = 443
    user: Text
    password: Secret
    ca_file: LocalPath | None = None
    thumbprint: Thumbprint | None = None
    verify: Flag = True

    @model_validator(mode="after")
    def _one_trust(self) -> VCenter:
        if self.thumbprint is not None and not self.verify:
            raise ValueError("a thumbprint is a verification; leave out 'verify = false'")
        return self


class WinRM(Authored):
    """How the guests are reached: HTTPS with NTLM unless told otherwise."""

    scheme: Literal["https", "http"] = "https"
    port: Port | None = None
    auth: Literal["ntlm", "basic", "negotiate"] = "ntlm"
    ca_file: LocalPath | None = None
    verify: Flag = True

    @property
    def listening_port(self) -> int:
        """5986 for HTTPS, 5985 for HTTP, unless the site says otherwise."""
        return self.port or (5986 if self.scheme == "https" else 5985)


class Account(Authored):
    """An account of the guests, by its name there and where its password is."""

    user: Text
    password: Secret


class Budgets(Authored):
    """How long the harness waits for the site, in seconds.

    ``restart`` is how long a guest that was lost in the middle of a cell is waited for, to learn whether it restarted.
    ``settle`` is how long an address from VMware Tools must stay before it is believed; ``tools`` the same for one that
    was told before the revert already: longer than the 30 s between two reports of Tools.
    """

    task: Seconds = 300.0
    ready: Seconds = 600.0
    lease: Seconds = 1800.0
    request: Seconds = 30.0
    restart: Seconds = 120.0
    settle: Seconds = 5.0
    tools: Seconds = 35.0


def _store(written: str, info: ValidationInfo) -> str:
    scheme, separator, rest = written.partition("://")
    if scheme == "sqlite" and separator:
        path = rest.removeprefix("/")  # sqlite:///relative, sqlite:////absolute, sqlite:///C:/absolute
        if not rest.startswith("/") or not path:
            raise ValueError('should name a file, like "sqlite:///leases.sqlite3"; an absolute path has four slashes')
        folder = (info.context or {}).get("folder")
        return written if folder is None else f"sqlite:///{folder / Path(path).expanduser()}"
    if scheme not in ("postgresql", "postgresql+psycopg") or not separator:
        raise ValueError('should start with "sqlite:///" or "postgresql://"')
    if ":" in rest.partition("/")[0].rpartition("@")[0] or "password=" in rest:
        raise ValueError("should hold no password; leases.password says where it is")
    return f"postgresql+psycopg://{rest}"


class Leases(Authored):
    """Where it is kept who has which machine, and how many seconds a lease lasts that nobody renews.

    Without ``url`` a file of this user on this host keeps them; controllers on several hosts share a PostgreSQL
    database.
    """

    url: Annotated[Text, AfterValidator(_store)] | None = None
    password: Secret | None = None
    expires: Seconds = 60.0


class Site(Authored):
    """A vCenter, its machines and accounts, described by one TOML file."""

    name: Text
    vcenter: VCenter
    winrm: WinRM = WinRM()
    accounts: dict[Literal["administrator", "standard"], Account]
    machines: tuple[SiteMachine, ...] = Field(min_length=1)
    budgets: Budgets = Budgets()
    leases: Leases = Leases()

    @field_validator("accounts")
    @classmethod
    def _an_administrator(cls, accounts: dict[str, Account]) -> dict[str, Account]:
        if "administrator" not in accounts:
            raise ValueError("the key 'administrator' is missing: the account that installs")
        return accounts

    @field_validator("machines")
    @classmethod
    def _each_once(cls, machines: tuple[SiteMachine, ...]) -> tuple[SiteMachine, ...]:
        # two cells on one machine would undo each other, whatever the leases say
        parts: dict[str, Callable[[SiteMachine], str]] = {
            "path": lambda machine: machine.path.strip("/"),
            "moid": lambda machine: machine.moid or "",
            "address": lambda machine: "" if machine.address == FROM_TOOLS else machine.address.casefold(),
        }
        for key, part in parts.items():
            seen: dict[str, int] = {}
            for index, machine in enumerate(machines):
                if not part(machine):
                    continue
                first = seen.setdefault(part(machine), index)
                if first != index:
                    raise ValueError(f"[{index}] has the {key} {quoted(getattr(machine, key))} of [{first}] again")
        return machines


def read_site(path: Path) -> Site:
    """Read a site file; relative paths in it start at its folder. Raises AuthoringError with one line."""
    site = authoring.read(path, Site)
    mistakes = [
        f"{key}.ca_file: no file {quoted(shown(part.ca_file))}"
        for key, part in (("vcenter", site.vcenter), ("winrm", site.winrm))
        if part.ca_file is not None and not part.ca_file.is_file()
    ]
    if mistakes:
        raise authoring.refusal(path, mistakes)
    return site
