"""The thing at fault, picked out of an error's words: a file, a registry key, a service, a custom action."""

from __future__ import annotations

import re

from harness.installer_logs import vocabulary
from harness.installer_logs.reading import Thing, ThingKind

ROUTINE = frozenset(("INSTALL", "ExecuteAction", "ADMIN", "ADVERTISE", "InstallFinalize", "InstallExecute"))
"""Actions that only pass on what failed inside them."""

_QUOTED = re.compile(r"['\"]([A-Za-z]:\\[^'\"]{1,400}|\\\\[^'\"]{1,400})['\"]")
_BARE = re.compile(r"(?<![\w])([A-Za-z]:\\[^'\"<>|*?\r\n]{1,400})")
_END = re.compile(r"(?:[.,;:)]+(?=\s|$)|\s-\s|\s\().*", re.DOTALL)
_KEY = re.compile(
    r"((?:HKEY_[A-Z_]{4,20}|HK(?:LM|CU|CR|U)|UNKNOWN)?(?:32|64)?\\[^'\"\r\n]{1,400}|HKEY_[A-Z_]{4,20}\\[^'\"\r\n]{1,400})"
)
_SERVICE = re.compile(r"'([^']{1,256})' \(([^()]{1,256})\)|\(([\w.$ -]{1,256})\)|'([^']{1,256})'")
_ACTION = re.compile(r"(?:Action|Aktion|Azione|Acción|Ação|Actie|action)\s+([^\s,:.]{1,100})[,:]")


def thing_in(words: str, kind: ThingKind | None) -> Thing | None:
    """Pick the thing of this kind out of an error's words; None where it is not named."""
    name = ""
    if kind in ("file", "package"):
        name = path_in(words)
    elif kind == "registry key" and (found := _KEY.search(words)):
        name = _END.sub("", found[1]).rstrip("\\ ")
    elif kind == "service" and (found := _SERVICE.search(words)):
        name = found[2] or found[3] or found[4]
    elif kind == "custom action" and (found := _ACTION.search(words)):
        name = found[1]
    return Thing(kind=kind, name=name) if kind is not None and name else None


def path_in(words: str) -> str:
    """Find the first path of a file or folder, between quotes or up to the end of its sentence."""
    if quoted := _QUOTED.search(words):
        return quoted[1].rstrip(" .")
    if bare := _BARE.search(words):
        return _END.sub("", bare[1]).rstrip(" .")
    return ""


def is_custom(action: str) -> bool:
    """Whether an action is the package's own."""
    return action not in vocabulary.STANDARD_ACTIONS
