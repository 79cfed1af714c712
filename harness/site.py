"""A site: a vCenter, its machines and accounts, as one TOML file says."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from harness import authoring
from harness.authoring import Authored, BuildName, Flag, LocalPath, Seconds, Text, Whole, shown
from harness.builds import Build
from harness.errors import AuthoringError
from harness.mistakes import quoted


def _host(text: str) -> str:
    if "://" in text or "/" in text:
        raise ValueError("should be a name or an address alone, without https:// and without a path")
    if text.count(":") == 1:
        raise ValueError("should be without a port; the key 'port' is for it")
    if not re.fullmatch(r"[^\s\x00-\x20@\[\]]{1,253}", text):
        raise ValueError("should be a host's name or address")
    return text


Host = Annotated[Text, AfterValidator(_host)]
Port = Annotated[Whole, Field(ge=1, le=65535)]


class Secret(Authored):
    """Where a secret is, never what it is: ``{ env = "VCENTER_PASSWORD" }`` or ``{ file = "vcenter.secret" }``."""

    env: Text | None = None
    file: LocalPath | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_itself(cls, written: object) -> object:
        if isinstance(written, str):
            raise ValueError('say where the password is, not what it is: { env = "NAME" } or { file = "PATH" }')
        return written

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise ValueError("name one place for the secret: env or file")
        return self

    def read(self) -> SecretStr:
        """Read the secret; raises AuthoringError naming the place when nothing is there."""
        if self.env is not None:
            if not os.environ.get(self.env):
                raise AuthoringError(f"the environment variable {self.env} is not set; it should hold a password")
            return SecretStr(os.environ[self.env])
        assert self.file is not None  # noqa: S101 - the validator above left exactly one
        try:
            secret = self.file.read_text("utf-8").rstrip("\r\n")
        except OSError as error:
            raise AuthoringError(f"{shown(self.file)}: cannot read the secret: {error.strerror}") from error
        except UnicodeDecodeError:
            # the cause holds the file's bytes, which are the secret
            raise AuthoringError(f"{shown(self.file)}: the secret is not UTF-8 text") from None
        if not secret:
            raise AuthoringError(f"{shown(self.file)}: the file is empty; it should hold a password")
        return SecretStr(secret)


class VCenter(Authored):
    """Where the vCenter is and how to trust it."""

    host: Host
    port: Port = 443
    user: Text
    password: Secret
    ca_file: LocalPath | None = None
    verify: Flag = True


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


class SiteMachine(Authored):
    """A machine of the inventory: its path or name, the build it carries, the snapshot to revert to, its address."""

    path: Text
    build: BuildName
    snapshot: Text
    address: Host

    @property
    def windows(self) -> Build:
        """The build as a value."""
        return Build.parse(self.build)


class Budgets(Authored):
    """How long the harness waits for the site, in seconds."""

    task: Seconds = 300.0
    ready: Seconds = 600.0
    lease: Seconds = 1800.0
    request: Seconds = 30.0


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
            "address": lambda machine: machine.address.casefold(),
        }
        for key, part in parts.items():
            seen: dict[str, int] = {}
            for index, machine in enumerate(machines):
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
