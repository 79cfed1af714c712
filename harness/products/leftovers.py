"""What a product may leave, as its file says it: paths and names with ``*`` and with variables of Windows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from harness.authoring import Text
from harness.mistakes import nearest

# a guest's own paths are compared with these, whoever's they are
_VARIABLES: Mapping[str, str] = {
    "APPDATA": r"?:\Users\*\AppData\Roaming",
    "LOCALAPPDATA": r"?:\Users\*\AppData\Local",
    "USERPROFILE": r"?:\Users\*",
    "TEMP": r"?:\Users\*\AppData\Local\Temp",
    "TMP": r"?:\Users\*\AppData\Local\Temp",
    "PUBLIC": r"?:\Users\Public",
    "PROGRAMDATA": r"?:\ProgramData",
    "ALLUSERSPROFILE": r"?:\ProgramData",
    "PROGRAMFILES": r"?:\Program Files",
    "PROGRAMFILES(X86)": r"?:\Program Files (x86)",
    "COMMONPROGRAMFILES": r"?:\Program Files\Common Files",
    "SYSTEMROOT": r"?:\Windows",
    "WINDIR": r"?:\Windows",
    "SYSTEMDRIVE": "?:",
}
_NAMED = re.compile(r"%([^%\\]+)%")


def _known(text: str) -> str:
    for name in _NAMED.findall(text):
        if name.upper() not in _VARIABLES:
            raise ValueError(f"no variable {name!r} here; {nearest(name.upper(), tuple(_VARIABLES))}")
    return text


LeftoverGlob = Annotated[Text, AfterValidator(_known)]


def as_glob(text: str) -> str:
    """Replace variables by what they stand for."""
    return _NAMED.sub(lambda name: _VARIABLES[name[1].upper()], text)


def literally(value: str) -> str:
    """Write a value so that none of its characters is a wildcard."""
    return re.sub(r"([*?\[])", r"[\1]", value)
