"""A site: a vCenter, its machines and accounts, as one TOML file says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from harness.builds import Build
from harness.errors import AuthoringError


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Secret(_Strict):
    """Where a secret is, never what it is: ``{ env = "VCENTER_PASSWORD" }`` or ``{ file = "vcenter.secret" }``."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise ValueError("name one place for the secret: env or file")
        return self

    def read(self) -> SecretStr:
        """Read the secret; raises AuthoringError naming the place when nothing is there."""
        if self.env is not None:
            if self.env not in os.environ:
                raise AuthoringError(f"the environment variable {self.env} is not set; it should hold a password")
            return SecretStr(os.environ[self.env])
        assert self.file is not None  # noqa: S101 - the validator above left exactly one
        try:
            return SecretStr(self.file.read_text("utf-8").rstrip("\r\n"))
        except OSError as error:
            raise AuthoringError(f"{self.file}: cannot read the secret: {error.strerror}") from error


class VCenter(_Strict):
    """Where the vCenter is and how to trust it."""

    host: str
    port: int = 443
    user: str
    password: Secret
    ca_file: Path | None = None
    verify: bool = True


class WinRM(_Strict):
    """How the guests are reached: HTTPS with NTLM unless told otherwise."""

    scheme: Literal["https", "http"] = "https"
    port: int | None = None
    auth: Literal["ntlm", "basic", "negotiate"] = "ntlm"
    ca_file: Path | None = None
    verify: bool = True

    @property
    def listening_port(self) -> int:
        """5986 for HTTPS, 5985 for HTTP, unless the site says otherwise."""
        return self.port or (5986 if self.scheme == "https" else 5985)


class Account(_Strict):
    """An account of the guests, by its name there and where its password is."""

    user: str
    password: Secret


class SiteMachine(_Strict):
    """A machine of the inventory: its path or name, the build it carries, the snapshot to revert to, its address."""

    path: str
    build: Annotated[str | int, Field(union_mode="left_to_right")]
    snapshot: str
    address: str

    @property
    def windows(self) -> Build:
        """The build as a value."""
        return Build.parse(self.build)


class Budgets(_Strict):
    """How long the harness waits for the site, in seconds."""

    task: float = 300.0
    ready: float = 600.0
    lease: float = 1800.0
    request: float = 30.0


class Site(_Strict):
    """A vCenter, its machines and accounts, described by one TOML file."""

    name: str
    vcenter: VCenter
    winrm: WinRM = WinRM()
    accounts: dict[Literal["administrator", "standard"], Account]
    machines: tuple[SiteMachine, ...] = Field(min_length=1)
    budgets: Budgets = Budgets()
