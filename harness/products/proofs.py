"""How a product proves that it is installed: files, registry values, an uninstall entry, PATH, a command's words."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from harness.authoring import Authored, Text, Whole
from harness.mistakes import nearest
from harness.products.placeholders import checked

PLACEHOLDERS = ("version", "install_dir")
HIVES = ("HKLM", "HKCU", "HKCR", "HKU")


def _with_placeholders(text: str) -> str:
    checked(text, PLACEHOLDERS)
    return text


def _windows_path(text: str) -> str:
    _with_placeholders(text)
    if not re.match(r"(?:[A-Za-z]:\\|\{install_dir\}|%[A-Za-z()0-9_]+%)", text):
        raise ValueError(r"should be a full Windows path like 'C:\Program Files\Demo' or '{install_dir}\demo.exe'")
    if re.search(r'["<>|\x00-\x1f/]', text):
        raise ValueError("holds a character that a Windows path cannot hold")
    return text


def _registry_key(text: str) -> str:
    _with_placeholders(text)
    hive, slash, below = text.partition("\\")
    if hive not in HIVES:
        raise ValueError(f"no registry hive {hive[:80]!r}; {nearest(hive, HIVES)}")
    if not slash or not below.strip("\\") or not text.isprintable() or '"' in text:
        raise ValueError(r"should be a full registry key like 'HKLM\SOFTWARE\Demo'")
    return text


def _pattern(text: str) -> str:
    _with_placeholders(text)
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


Phrase = Annotated[Text, AfterValidator(_with_placeholders)]
WindowsPath = Annotated[Text, AfterValidator(_windows_path)]
RegistryKey = Annotated[Text, AfterValidator(_registry_key)]
Pattern = Annotated[Text, AfterValidator(_pattern)]


class RegistryValue(Authored):
    """A registry value that must be there; ``value`` "" is the key's default value, ``equals`` None means any."""

    key: RegistryKey
    value: str = ""
    equals: Phrase | Whole | None = None


class UninstallEntry(Authored):
    """The product's entry in "Apps & features": exactly one, with this name and, where given, this version."""

    display_name: Phrase
    display_version: Phrase | None = None
    publisher: Phrase | None = None
    account: Literal["machine", "user"] = "machine"


class PathEntry(Authored):
    """A folder that must be in the system's or the user's PATH, once."""

    scope: Literal["system", "user"]
    folder: WindowsPath


class CommandProof(Authored):
    """A command of the product and what it must print: the text ``prints``, or the regular expression ``matches``."""

    run: Phrase
    prints: Phrase | None = None
    matches: Pattern | None = None
    exit_code: Whole = 0

    @model_validator(mode="after")
    def _one_way(self) -> CommandProof:
        if (self.prints is None) == (self.matches is None):
            raise ValueError("say what the command must print in one way: prints or matches")
        return self

    def holds(self, output: str) -> bool:
        """Tell whether a command's output is what it must be; "1.3.0" is not found in "11.3.0" nor in "1.3.01"."""
        if self.matches is not None:
            return re.search(self.matches, output, re.MULTILINE) is not None
        text = self.prints or ""
        before = r"(?<![\d])(?<!\d\.)" if text[0].isdigit() else ""
        after = r"(?!\d)(?!\.\d)" if text[-1].isdigit() else ""
        return re.search(before + re.escape(text) + after, output) is not None

    @property
    def expected(self) -> str:
        """What it must print, in words for a report."""
        return repr(self.prints) if self.prints is not None else f"a match of {self.matches!r}"


class Proofs(Authored):
    """Everything that an installed product shows, and that must be gone after its removal.

    ``file_version`` is what its program's version resource says where that is another than the product's version;
    ``any`` where the two have nothing to do with each other.
    """

    files: tuple[WindowsPath, ...] = ()
    registry: tuple[RegistryValue, ...] = ()
    uninstall_entry: UninstallEntry | None = None
    path: tuple[PathEntry, ...] = ()
    command: CommandProof | None = None
    file_version: Phrase | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Proofs:
        if not any((self.files, self.registry, self.uninstall_entry, self.path, self.command)):
            raise ValueError("should name at least one proof: files, registry, uninstall_entry, path or command")
        return self


class UserValue(Authored):
    """A registry value that a person sets while the old version is installed, and that an upgrade must keep."""

    key: RegistryKey
    value: Text
    text: Annotated[str, Field(strict=True, max_length=200, pattern=r'^[^"%\r\n]*$')] = "set by a person"


class UserFile(Authored):
    """A file that a person makes while the old version is installed, and that an upgrade must keep as it is."""

    path: WindowsPath
    text: Annotated[str, Field(strict=True, max_length=2000)] = "made by a person"
