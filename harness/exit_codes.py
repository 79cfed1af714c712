"""What an exit code means: success, a restart, a refusal, a crash; what class of cause, and whose fault it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal, cast

from harness.errors import Fault

Origin = Literal["windows_installer", "windows", "xcopy", "nsis", "inno_setup", "burn"]
Cause = Literal[
    "", "compatibility", "permission", "packaging", "rollback", "reboot", "signature", "in use", "cancelled",
    "crash at start", "environment",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitMeaning:
    """What one exit code says: ``words`` for a report, ``name`` as Microsoft writes it ("" where nobody named it).

    ``refused`` is an honest refusal for want of a right; ``fault`` is whose it is when it is no success, and ``cause``
    the class of its cause, "" where the code alone does not tell.
    """

    code: int
    name: str
    words: str
    success: bool = False
    reboot: bool = False
    refused: bool = False
    fault: Fault = Fault.PRODUCT
    cause: Cause = ""

    def __str__(self) -> str:
        return f"exit code {shown(self.code)}: {self.words}"


def signed(code: int) -> int:
    """Read a 32-bit exit code as Windows tools print it: 0xC0000005 and 3221225477 are both -1073741819."""
    low = code & 0xFFFF_FFFF
    return low - 0x1_0000_0000 if low & 0x8000_0000 else low


def shown(code: int) -> str:
    """Write an exit code as people look it up: ``1603``, ``-1``, ``0xC0000005``."""
    code = signed(code)
    return f"0x{code & 0xFFFF_FFFF:08X}" if code < -0xFFFF else str(code)


_ORDERS: Mapping[Origin, tuple[str, ...]] = {
    "windows_installer": ("windows_installer", "windows", "crash", "hresult"),
    "windows": ("windows", "windows_installer", "crash", "hresult"),
    "xcopy": ("xcopy", "crash"),
    "nsis": ("nsis", "windows", "windows_installer", "crash", "hresult"),
    "inno_setup": ("inno_setup", "windows", "windows_installer", "crash", "hresult"),
    "burn": ("windows_installer", "windows", "crash", "hresult"),
}
# what kinds of products, and of logs, are called elsewhere
_ORIGINS: Mapping[str, Origin] = {
    "msi": "windows_installer",
    "windows-installer": "windows_installer",
    "exe": "windows",
    "unknown": "windows",
    "zip": "xcopy",
    "nsis": "nsis",
    "inno-setup": "inno_setup",
    "burn": "burn",
}


def explain(exit_code: int, kind: str) -> ExitMeaning:
    """Tell what an exit code means by the kind of the product (msi, exe, zip) or of its log (nsis, burn, ...)."""
    return meaning(exit_code, _ORIGINS.get(kind, "windows"))


def meaning(code: int, origin: Origin = "windows") -> ExitMeaning:
    """Tell what an exit code means where it comes from; a code that nobody named is the product's failure."""
    code = signed(code)
    for table in _ORDERS[origin]:
        found = _tables()[table].get(code)
        if found is not None:
            return found
    return _by_its_form(code) or ExitMeaning(
        code=code, name="", words="failed" if code != 1 else "failed without saying why"
    )


def _by_its_form(code: int) -> ExitMeaning | None:
    """Read a code that no table names by what its upper bits say: an error of Windows, a crash, another facility."""
    high, low = (code >> 16) & 0xFFFF, code & 0xFFFF
    if high == _WIN32:
        named = _tables()["windows_installer"].get(low) or _tables()["windows"].get(low)
        if named is None:
            return ExitMeaning(code=code, name="", words=f"error {low} of Windows")
        # an error that wraps the code of a success says that something went wrong on the way to it
        fault = Fault.PRODUCT if named.success else named.fault
        return replace(named, code=code, success=False, fault=fault)
    facility = _tables()["facility"].get(high)
    if facility is not None:
        return replace(facility, code=code)
    if high >> 12 == _CRASHED:
        return ExitMeaning(code=code, name="", words="crashed", cause="crash at start")
    return None


_WIN32 = 0x8007
_CRASHED = 0xC  # the first digit of an NTSTATUS that is an error


@cache
def _tables() -> Mapping[str, Mapping[int, ExitMeaning]]:
    text = resources.files("harness").joinpath("exit_codes.toml").read_text("utf-8")
    return {table: dict(map(_read, entries.items())) for table, entries in tomllib.loads(text).items()}


def _read(entry: tuple[str, dict[str, str | bool]]) -> tuple[int, ExitMeaning]:
    code = signed(int(entry[0], 0))
    named = entry[1]
    return code, ExitMeaning(
        code=code,
        name=str(named["name"]),
        words=str(named["words"]),
        success=named.get("success") is True,
        reboot=named.get("reboot") is True,
        refused=named.get("refused") is True,
        fault=Fault(str(named.get("fault", "product"))),
        cause=cast(Cause, named.get("cause", "")),
    )
