"""What an exit code means: success, a restart, a refusal, a crash; and whose fault it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from harness.results.result import Fault

Origin = Literal["windows_installer", "windows", "xcopy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitMeaning:
    """What one exit code says: ``words`` for a report, ``name`` as Microsoft writes it ("" where nobody named it).

    ``refused`` is an honest refusal for want of a right; ``fault`` is whose it is when it is no success.
    """

    code: int
    name: str
    words: str
    success: bool = False
    reboot: bool = False
    refused: bool = False
    fault: Fault = Fault.PRODUCT

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


def meaning(code: int, origin: Origin = "windows") -> ExitMeaning:
    """Tell what an exit code means where it comes from; a code that nobody named is the product's failure."""
    code = signed(code)
    orders: dict[Origin, tuple[str, ...]] = {
        "windows_installer": ("windows_installer", "windows", "crash", "hresult"),
        "windows": ("windows", "windows_installer", "crash", "hresult"),
        "xcopy": ("xcopy", "crash"),
    }
    for table in orders[origin]:
        found = _tables()[table].get(code)
        if found is not None:
            return found
    return ExitMeaning(code=code, name="", words="failed" if code != 1 else "failed without saying why")


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
    )
