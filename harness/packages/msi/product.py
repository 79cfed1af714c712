"""What a package's tables say together: the product, its components and where they go, and the order of its actions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harness.packages.msi.tables import MsiPackage, Row, number, text

Scope = Literal["machine", "user", "either"]
ARCHITECTURES: Mapping[str, str] = {
    "intel": "x86",
    "x64": "x64",
    "amd64": "x64",
    "arm64": "arm64",
    "intel64": "itanium",
}
ROOTS: Mapping[int, str] = {-1: "HKCU or HKLM", 0: "HKCR", 1: "HKCU", 2: "HKLM", 3: "HKU"}

# where Microsoft's documentation puts the actions that divide an installation, for packages that leave them out
_USUAL = {"InstallValidate": 1400, "InstallInitialize": 1500, "InstallFinalize": 6600}
_REGISTRY_KEY_PATH, _ODBC_KEY_PATH = 4, 32
_LONGEST_NAME = 255  # characters of a folder's name that Windows takes


@dataclass(frozen=True, slots=True)
class Component:
    """A component: the unit that is installed, counted and removed; ``key_path`` is what stands for it in full."""

    name: str
    guid: str
    directory: str
    attributes: int
    condition: str
    key_path: str

    @property
    def is_64_bit(self) -> bool:
        """Whether it is marked as 64-bit (attribute 256)."""
        return bool(self.attributes & 256)

    @property
    def stays(self) -> bool:
        """Whether its removal is forbidden (attribute 16)."""
        return bool(self.attributes & 16)


@dataclass(frozen=True, slots=True)
class Action:
    """A custom action as it is sequenced: its type with all options, its source and target, its condition."""

    name: str
    type: int
    source: str
    target: str
    sequence: int
    condition: str

    @property
    def kind(self) -> int:
        """The type without its options: what is run, and where it comes from."""
        return self.type & 0x3F

    @property
    def deferred(self) -> bool:
        """Whether it runs inside the transaction, and is no rollback or commit action."""
        return self.type & 0x700 == 0x400

    @property
    def rollback(self) -> bool:
        """Whether it runs only when the installation is rolled back."""
        return self.type & 0x500 == 0x500

    @property
    def impersonates(self) -> bool:
        """Whether it runs with the rights of the account that installs, where it is in the script at all."""
        return bool(self.type & 0x400) and not self.type & 0x800

    @property
    def language(self) -> str:
        """What it runs: dll, exe, vbscript, jscript; empty for what runs no code of its own."""
        return {1: "dll", 2: "exe", 5: "jscript", 6: "vbscript"}.get(self.kind & 7, "") if self._runs else ""

    @property
    def _runs(self) -> bool:
        # 19 ends with a message, 35 and 51 set a folder and a property, 7, 23 and 39 install other packages
        return self.kind in (1, 2, 5, 6, 17, 18, 21, 22, 34, 37, 38, 50, 53, 54)


class Msi:
    """A product as its package describes it; every part is worked out when it is asked for."""

    def __init__(self, package: MsiPackage) -> None:
        self.package = package

    def rows(self, table: str) -> Sequence[Row]:
        """Read a table's rows."""
        return self.package.rows(table)

    @cached_property
    def properties(self) -> Mapping[str, str]:
        """The Property table."""
        return {text(row, "Property"): text(row, "Value") for row in self.rows("Property")}

    @property
    def version(self) -> str:
        """ProductVersion as it is written."""
        return self.properties.get("ProductVersion", "")

    @property
    def product_code(self) -> str:
        """ProductCode in capital letters."""
        return self.properties.get("ProductCode", "").upper()

    @property
    def upgrade_code(self) -> str:
        """UpgradeCode in capital letters; empty where there is none."""
        return self.properties.get("UpgradeCode", "").upper()

    @property
    def scope(self) -> Scope:
        """For whom it is installed when nobody says otherwise: the machine, a user, or either as the account may."""
        all_users = self.properties.get("ALLUSERS", "")
        if all_users == "1":
            return "machine"
        if all_users == "2":
            return "user" if self.properties.get("MSIINSTALLPERUSER") == "1" else "either"
        sets_it = any(
            action.kind == 51 and action.source == "ALLUSERS" for action in self.actions_in("InstallExecuteSequence")
        )
        return "either" if sets_it else "user"

    @property
    def architecture(self) -> str:
        """The platform of the summary information: x86, x64, arm64, itanium, or as it is written."""
        platform = self.package.summary.platform
        return ARCHITECTURES.get(platform.casefold(), platform)

    @cached_property
    def sequence(self) -> Mapping[str, tuple[int, str]]:
        """The actions of an installation: number and condition; negative numbers are ends and errors, left out."""
        return {
            text(row, "Action"): (number(row, "Sequence"), text(row, "Condition"))
            for row in self.rows("InstallExecuteSequence")
            if number(row, "Sequence") > 0
        }

    def place(self, action: str) -> int | None:
        """Tell an action's number in the sequence; the three that divide it have one even where they are left out."""
        if action in self.sequence:
            return self.sequence[action][0]
        return _USUAL.get(action)

    @cached_property
    def actions(self) -> Sequence[Action]:
        """The custom actions of an installation, in the order in which they run."""
        return tuple(self.actions_in("InstallExecuteSequence"))

    def actions_in(self, sequence: str) -> Iterator[Action]:
        """Give the custom actions of a sequence table, in order."""
        known = {text(row, "Action"): row for row in self.rows("CustomAction")}
        for row in sorted(self.rows(sequence), key=lambda row: number(row, "Sequence")):
            found = known.get(text(row, "Action"))
            if found is not None and number(row, "Sequence") > 0:
                yield Action(
                    text(found, "Action"),
                    number(found, "Type") & 0xFFFF,
                    text(found, "Source"),
                    text(found, "Target"),
                    number(row, "Sequence"),
                    text(row, "Condition").strip(),
                )

    @cached_property
    def components(self) -> Mapping[str, Component]:
        """The components by their name."""
        found = {}
        for row in self.rows("Component"):
            name = text(row, "Component")
            found[name] = Component(
                name,
                text(row, "ComponentId").upper(),
                self.folder(text(row, "Directory_")),
                number(row, "Attributes"),
                text(row, "Condition"),
                self._key_path(row),
            )
        return found

    @cached_property
    def files(self) -> Mapping[str, tuple[str, Row]]:
        """The files by their key: where each goes, and its row."""
        folders = {text(row, "Component"): text(row, "Directory_") for row in self.rows("Component")}
        return {
            text(row, "File"): (
                f"{self.folder(folders.get(text(row, 'Component_'), ''))}\\{long_name(text(row, 'FileName'))}",
                row,
            )
            for row in self.rows("File")
        }

    def folder(self, name: str) -> str:
        r"""Write a Directory entry as a path from the folder that Windows knows: ``[ProgramFiles64Folder]\Go``."""
        if name not in self._folders:
            self._folders[name] = self._folder(name)
        return self._folders[name]

    @cached_property
    def _folders(self) -> dict[str, str]:
        return {}

    @cached_property
    def _directories(self) -> Mapping[str, Row]:
        return {text(row, "Directory"): row for row in self.rows("Directory")}

    @cached_property
    def _set_folders(self) -> Mapping[str, str]:
        """The folders that are properties with a value, or are set by an action, and so go elsewhere."""
        return {name: value for name, value in self.properties.items() if name in self._directories and value}

    def _folder(self, name: str) -> str:
        parts: list[str] = []
        for _ in range(100):  # deeper than any path, and an end for folders that are each other's parents
            if name in self._set_folders:
                parts.append(self._set_folders[name].rstrip("\\"))
                break
            row = self._directories.get(name)
            parent = text(row, "Directory_Parent") if row is not None else ""
            if row is None or not parent or parent == name or _KNOWN_FOLDER.fullmatch(name):
                parts.append(f"[{name}]")
                break
            own = long_name(text(row, "DefaultDir").partition(":")[0])[:_LONGEST_NAME]
            if own != ".":
                parts.append(own)
            name = parent
        return "\\".join(reversed(parts))

    @cached_property
    def _registry(self) -> Mapping[str, Row]:
        return {text(row, "Registry"): row for row in self.rows("Registry")}

    def _key_path(self, row: Row) -> str:
        key, attributes = text(row, "KeyPath"), number(row, "Attributes")
        if not key:
            return self.folder(text(row, "Directory_")) + "\\"
        if attributes & _REGISTRY_KEY_PATH:
            return registry_path(self._registry[key]) if key in self._registry else f"registry value {key}"
        if attributes & _ODBC_KEY_PATH:
            return f"ODBC source {key}"
        return self.files[key][0] if key in self.files else f"file {key}"


# the folders that Windows Installer sets itself, whatever their rows say
_KNOWN_FOLDER = re.compile(
    "(AdminTools|AppData|CommonAppData|CommonFiles|CommonFiles64|Desktop|Favorites|Fonts|LocalAppData|MyPictures|NetHood"
    "|Personal|PrintHood|ProgramFiles|ProgramFiles64|ProgramMenu|Recent|SendTo|StartMenu|Startup|System|System16"
    "|System64|Temp|Template|Windows)Folder|WindowsVolume|ROOTDRIVE|TARGETDIR"
)


def long_name(name: str) -> str:
    """Take the long one of ``short|long``."""
    return name.rpartition("|")[2]


def registry_path(row: Row) -> str:
    r"""Write a Registry row as ``HKLM\Software\Go\installed``."""
    parts = (ROOTS.get(number(row, "Root"), "?"), text(row, "Key").strip("\\"), text(row, "Name"))
    return "\\".join(part for part in parts if part)


def three_fields(version: str) -> tuple[int, int, int]:
    """Read what Windows Installer compares of a version: its first three fields."""
    fields = [int(found) if (found := re.sub(r"\D.*", "", field)[:9]) else 0 for field in version.split(".")[:3]]
    major, minor, build = [*fields, 0, 0, 0][:3]
    return major, minor, build
