"""The table of the corpus: every installer with its defect, or none, and what must be said of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
Form = Literal["nsis", "msi", "zip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be said of a seeded defect: the class of its cause, and ``names``, words that the reason must hold.

    ``code`` is that of a finding; where there is none the scenario itself fails. ``verdict`` is failed or hung.
    """

    cause: str
    names: str
    code: str = ""
    verdict: str = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is special about one version's package, by the seams of the two templates; the rest is ordinary.

    NSIS: ``top``, ``first``, ``last``, ``refused``, ``uninstall_first``, ``uninstall_last``, ``key``. MSI: ``product``,
    ``program``, ``components``, ``directories``, and ``rows``, statements of Windows Installer's SQL; ``variables`` are
    rows of the table Environment. ``needs_missing_dll`` packs a program that needs a DLL that no Windows has,
    ``broken_setup`` makes the installer itself such a program. Of a ZIP ``members`` are names of further files, and
    ``is_cut`` leaves half of it away.
    """

    top: str = ""
    first: str = ""
    last: str = ""
    refused: str = ""
    uninstall_first: str = ""
    uninstall_last: str = ""
    key: str = ""
    title: str = ""
    product: str = ""
    program: str = ""
    components: str = ""
    directories: str = ""
    rows: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    upgrade_code: str = ""
    needs_missing_dll: bool = False
    broken_setup: bool = False
    agent: bool = False
    says_version: str = ""
    members: tuple[str, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """One installer: ``kind`` names its defect (or, of a clean one, its form), ``scenario`` is the one that shows it.

    ``keys`` and ``tables`` are lines of its product file; ``old``, ``new`` and ``fails`` are the parts of its versions.
    ``vendor`` is a folder between Program Files and its own.
    """

    name: str
    kind: str
    form: Form
    scenario: str
    build: str
    parts: Parts
    old: Parts
    fails: Parts
    expected: Expected | None
    keys: str = ""
    tables: str = ""
    proofs: str = ""
    per_user: bool = False
    vendor: str = ""

    @property
    def title(self) -> str:
        """Its name as people see it."""
        return "Corpus " + self.name.replace("-", " ")

    @property
    def folder(self) -> str:
        """Where it installs to."""
        if self.per_user:
            return rf"C:\users\Administrator\AppData\Local\Programs\{self.title}"
        return rf"C:\Program Files\{self.vendor}\{self.title}" if self.vendor else rf"C:\Program Files\{self.title}"


_PARTS = {one.name for one in fields(Parts)}
_OWN = {"name", "kind", "form", "scenario", "build", "keys", "tables", "proofs", "per_user", "vendor"}


def installers() -> list[Installer]:
    """Read the whole table, seeded ones first."""
    found: list[Installer] = []
    for file in sorted(HERE.glob("*.toml"), key=lambda file: (file.stem == "clean", file.stem)):
        found += map(_read, tomllib.loads(file.read_text("utf-8"))["installer"])
    return found


def _read(row: dict[str, Any]) -> Installer:
    expected = row.pop("expected", None)
    versions = {version: row.pop(version, {}) for version in ("old", "fails")}
    own = {name: row.pop(name) for name in _OWN & row.keys()}
    parts = _parts(Parts(), row)
    return Installer(
        **{"scenario": "install", "build": "22631"} | own,
        parts=parts,
        old=_parts(parts, versions["old"]),
        fails=_parts(parts, versions["fails"]),
        expected=Expected(**expected) if expected else None,
    )


def _parts(common: Parts, row: dict[str, Any]) -> Parts:
    if unknown := row.keys() - _PARTS:
        raise ValueError(f"the corpus has no seam {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {name: _hashable(value) for name, value in row.items()}
    return replace(common, **values)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
