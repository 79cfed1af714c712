"""A secret is named in a file by its place and read when it is used: environment, file or keyring."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import AfterValidator, SecretStr, model_validator

from harness.authoring import Authored, LocalPath, Text, shown
from harness.errors import AuthoringError


def _keyring_place(text: str) -> str:
    service, _, user = text.partition("/")
    if not service or not user:
        raise ValueError("should name the service and the user: 'vcenter.example.com/svc-compat'")
    return text


class Secret(Authored):
    """Where a secret is, never what it is.

    ``{ env = "VCENTER_PASSWORD" }``, ``{ file = "vcenter.secret" }`` or ``{ keyring = "service/user" }``.
    """

    env: Text | None = None
    file: LocalPath | None = None
    keyring: Annotated[Text, AfterValidator(_keyring_place)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_itself(cls, written: object) -> object:
        if isinstance(written, str):
            raise ValueError(
                "say where the password is, not what it is: "
                '{ env = "NAME" }, { file = "PATH" } or { keyring = "SERVICE/USER" }'
            )
        return written

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if sum(place is not None for place in (self.env, self.file, self.keyring)) != 1:
            raise ValueError("name one place for the secret: env, file or keyring")
        return self

    @property
    def place(self) -> str:
        """Say where it is, for a message."""
        if self.env is not None:
            return f"the environment variable {self.env}"
        return str(self.file) if self.file is not None else f"the keyring's entry {self.keyring}"

    def read(self) -> SecretStr:
        """Read the secret; raises AuthoringError naming the place when nothing is there."""
        if self.env is not None:
            if not os.environ.get(self.env):
                raise AuthoringError(f"the environment variable {self.env} is not set; it should hold a password")
            return SecretStr(os.environ[self.env])
        if self.keyring is not None:
            return _from_the_keyring(self.keyring)
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


def _from_the_keyring(place: str) -> SecretStr:
    service, _, user = place.partition("/")
    try:
        import keyring
    except ImportError:
        raise AuthoringError(
            f"the keyring's entry {place} cannot be read: pip install pytest-wincompat[keyring]"
        ) from None
    try:
        found = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise AuthoringError(
            f"the keyring's entry {place} cannot be read: {' '.join(str(error).split()) or type(error).__name__}"
        ) from None
    if not found:
        raise AuthoringError(f"the keyring has no entry {place}; make it with: keyring set {service} {user}")
    return SecretStr(found)
