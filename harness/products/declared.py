"""The parts of a product file that say what its versions are and how its installer is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from harness.authoring import Authored, Text
from harness.mistakes import quoted
from harness.products.packages import PackageSource
from harness.products.placeholders import checked

DEFAULT_SWITCHES: Mapping[str, str] = {"msi": "/qn /norestart", "exe": "/S", "zip": ""}


def _switches(text: str) -> str:
    if not text.isprintable():
        raise ValueError("should be one line")
    checked(text, ("version", "install_dir", "log"))
    return text


def _product_id(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", text):
        raise ValueError(f"no id {quoted(text)}; write it in small letters, digits, '.', '_' and '-'")
    return text


def _product_code(text: str) -> str:
    if not re.fullmatch(r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}", text):
        raise ValueError("should be a product code like '{22EA7650-4AC6-4001-BF29-F4B8775DB1C0}'")
    return text.upper()


def _version(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,59}", text):
        raise ValueError(f"no version {quoted(text)}; write it like '1.13.0'")
    return text


ProductId = Annotated[Text, AfterValidator(_product_id)]
ProductCode = Annotated[Text, AfterValidator(_product_code)]
VersionText = Annotated[Text, AfterValidator(_version)]
Switches = Annotated[str, Field(strict=True, max_length=2000), AfterValidator(_switches)]


class Version(PackageSource):
    """One version of the product and its package; an MSI may name its product code."""

    version: VersionText
    product_code: ProductCode | None = None


class Rollback(PackageSource):
    """A package that fails half-way through an upgrade: a variant of the newest version, or of ``version``."""

    version: VersionText | None = None


class Install(Authored):
    """How the product is installed: ``switches`` are passed as they are, ``{log}`` is where its log should be."""

    switches: Switches | None = None


class Uninstall(Authored):
    """How the product is removed; an EXE by what it registered, or by ``command``.

    ``settle``: seconds that the removal may still go on after its command has returned, as NSIS uninstallers do.
    """

    switches: Switches | None = None
    command: Switches | None = None
    settle: Annotated[float, Field(strict=True, ge=0, le=600, allow_inf_nan=False)] = 0.0
