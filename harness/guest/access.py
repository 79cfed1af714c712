r"""Who may write where: what an installer leaves open to everybody, read from access control lists.

``icacls /save`` writes them as SDDL, in no language of its own: ``(A;OICI;0x1301bf;;;BU)`` lets the machine's users
modify. The names of accounts and rights are those of Microsoft's "ACE Strings" and "SID Strings".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.errors import DeliveryFailed, Hung
from harness.guest.figures import figure

if TYPE_CHECKING:
    from harness.guest.guest import Guest

EVERYBODY = {
    "WD": "everyone",
    "BU": "every user",
    "AU": "every user who is known",
    "IU": "every user at the console",
}
_ACE = re.compile(r"\((?P<kind>[A-Z]+);(?P<flags>[A-Z]*);(?P<rights>[^;]*);[^;]*;[^;]*;(?P<who>[^;)]+)[^)]*\)")
_WRITES = {"GA", "GW", "FA", "FW", "WD", "WO"}  # all, write, change the list itself, take ownership
_WRITE_BITS = 0x2 | 0x4 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000  # data, append, DAC, owner, generic
_TWO = re.compile(r"[A-Z]{2}")
_NOT_THERE = 9
_SHARED = "c:\\programdata\\"
"""Where Windows itself lets every user add folders and files: what is only inherited there is no installer's doing."""


def open_to_all(guest: Guest, folders: Sequence[str]) -> dict[str, str] | None:
    """Find below these folders what everybody may write to: path by path, who; None where the guest cannot tell.

    The lists are written into the account's folder for temporary files and fetched.
    """
    found: dict[str, str] = {}
    for number, folder in enumerate(folders):
        saved = rf"{guest.facts().temp}\wincompat-acl-{number}.txt"
        parent, _, name = folder.rstrip("\\").rpartition("\\")
        # a program of this name that does nothing, as a lab's, is found out without a transfer
        asked = f'icacls "{name}" /save "{saved}" /t /c /q >nul & if not exist "{saved}" exit /b {_NOT_THERE}'
        try:
            outcome = guest.ask(asked, directory=f"{parent}\\", deadline=120.0)
            text = guest.read_text(saved) if outcome.exit_code != _NOT_THERE else ""
        except (DeliveryFailed, Hung):  # a question of ours that does not end is no product's fault
            text = ""
        if not text.strip():
            return None
        found |= read_lists(text, below=parent)
    return found


def read_lists(text: str, *, below: str) -> dict[str, str]:
    """Read what ``icacls /save`` wrote, a path and its list on two lines; gives who may write, for those all may."""
    found: dict[str, str] = {}
    lines = [line for line in text.splitlines() if line.strip()]
    for name, sddl in zip(lines[::2], lines[1::2], strict=False):
        path = f"{below}\\{name.strip()}"
        shared = path.lower().startswith(_SHARED)
        granted = _ACE.finditer(sddl.partition("D:")[2])
        who = [EVERYBODY[ace["who"]] for ace in granted if _lets_all_write(ace, shared=shared)]
        if who:
            found[path] = who[0]
    return found


def _lets_all_write(ace: re.Match[str], *, shared: bool) -> bool:
    flags = _TWO.findall(ace["flags"])
    only_handed_on = "IO" in flags or (shared and "ID" in flags)
    return ace["kind"] == "A" and ace["who"] in EVERYBODY and not only_handed_on and _writes(ace["rights"])


def _writes(rights: str) -> bool:
    if rights.startswith("0x"):
        return bool((figure(rights) or 0) & _WRITE_BITS)
    return bool(_WRITES & set(_TWO.findall(rights)))
