"""The file, registry key or service that Windows Installer was at: from its script's operations, or its action data."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.installer_logs.reading import Thing

_ROOTS = {
    "-2147483648": "HKEY_CLASSES_ROOT",
    "-2147483647": "HKEY_CURRENT_USER",
    "-2147483646": "HKEY_LOCAL_MACHINE",
    "-2147483645": "HKEY_USERS",
}
_NAMED = re.compile(r"(?:DestName|FileName|Name|Folder|Action|Key)=([^,)]{1,400})")
_DEST = re.compile(r"DestName=([^,)]{1,400})")
_KEY = re.compile(r"RegOpenKey\(Root=(-?[0-9]{1,12}),Key=([^,)]{1,400})")
_FILE_DATUM = re.compile(r"File: ([^,]{1,400}),\s*Directory: ([^,]{1,400})")
_KEY_DATUM = re.compile(r"Key: ([^,]{1,400}?)\\?, ")
_SERVICE_DATUM = re.compile(r"Service: (.{1,200})")


class Script:
    """Follows the script's operations; ``thing`` is what the last of them was about."""

    def __init__(self) -> None:
        self._last = self._folder = self._key = ""

    def follow(self, operation: str) -> None:
        """Take an operation, such as ``FileCopy(SourceName=...)``."""
        self._last = operation
        if operation.startswith("SetTargetFolder(Folder="):
            self._folder = operation[23:].rstrip().rstrip(")")[:500]
        elif operation.startswith("RegOpenKey(") and (found := _KEY.match(operation)):
            self._key = f"{_ROOTS.get(found[1], found[1])}\\{found[2]}"

    @property
    def thing(self) -> Thing | None:
        """The thing that the last operation was about, where it tells one."""
        last = self._last
        if last.startswith("Reg") and self._key:
            return Thing(kind="registry key", name=self._key)
        if (named := _DEST.search(last) or _NAMED.search(last)) is None:
            return None
        if last.startswith("File"):
            return Thing(kind="file", name=_within(self._folder, named[1]))
        if last.startswith("Service"):
            return Thing(kind="service", name=named[1])
        if last.startswith("Folder"):
            return Thing(kind="file", name=named[1])
        return None


def thing_of_datum(datum: str, properties: Mapping[str, str]) -> Thing | None:
    """Read what an action said of its progress: ``File: a.exe, Directory: INSTALLDIR``, ``Key: HKEY_..., Name: b``."""
    if found := _FILE_DATUM.match(datum):
        folder = found[2].strip()
        return Thing(kind="file", name=_within(properties.get(folder, folder), found[1].strip()))
    if found := _KEY_DATUM.match(datum):
        return Thing(kind="registry key", name=found[1].rstrip("\\"))
    if found := _SERVICE_DATUM.match(datum):
        return Thing(kind="service", name=found[1].strip())
    return None


def _within(folder: str, name: str) -> str:
    name = name.rpartition("|")[2]
    return f"{folder.rstrip(chr(92))}\\{name}" if folder else name
