r"""The environment that a guest offers a product: languages, pending restarts, free disk, policies, virus scanner.

Read from where Windows keeps it, with ``reg`` and cmd's own commands: every program that is started for a question
costs each cell its start. Restarts are looked for where Microsoft's own PendingReboot DSC resource looks, and where
Windows Installer leaves its mark.
"""

from __future__ import annotations

import locale
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.guest.figures import figure
from harness.guest.outcome import Outcome
from harness.guest.registry import RegistryValue, read_keys

# what only Windows itself has: where it is missing, as in a lab, so is what writes these keys, and asking is in vain
_ON_WINDOWS = r"if exist %SystemRoot%\servicing\TrustedInstaller.exe"
_CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
_CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
_POLICIES = r"HKLM\SOFTWARE\Policies\Microsoft"

_ASKED: Mapping[str, str] = {
    "active name": "echo %COMPUTERNAME%",
    "disk": r"dir /-c /ad %SystemDrive%\Windows*",
    "files": rf'reg query "{_CONTROL}\Session Manager" /v PendingFileRenameOperations',
    "name": rf"{_ON_WINDOWS} reg query {_CONTROL}\ComputerName\ComputerName",
    "languages": rf"reg query {_CONTROL}\Nls\Language",
    "installer": rf"{_ON_WINDOWS} reg query {_CURRENT}\Installer\InProgress",
    "preferred": rf"{_ON_WINDOWS} reg query {_CONTROL}\MUI\Settings",
    "servicing": rf'{_ON_WINDOWS} reg query "{_CURRENT}\Component Based Servicing\RebootPending"',
    "updates": rf'{_ON_WINDOWS} reg query "{_CURRENT}\WindowsUpdate\Auto Update\RebootRequired"',
    "policies": rf"{_ON_WINDOWS} reg query {_POLICIES}\Windows /s",
    "user policies": rf"{_ON_WINDOWS} reg query HKCU\Software\Policies\Microsoft\Windows\Installer",
    "scanner policies": rf'{_ON_WINDOWS} reg query "{_POLICIES}\Windows Defender" /s',
    "scanner": rf'{_ON_WINDOWS} reg query "HKLM\SOFTWARE\Microsoft\Windows Defender\Real-Time Protection"',
    "scanner service": rf"{_ON_WINDOWS} reg query HKLM\SYSTEM\CurrentControlSet\Services\WinDefend",
}

QUESTIONS: tuple[str, ...] = tuple(_ASKED.values())

_SERVICE_DISABLED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a guest says of itself beyond its build; None is "not told".

    ``language`` is that of the user interface, ``locale`` the system's, both as ``de-DE``. ``pending`` says in words
    what waits for a restart. ``free_disk`` is in bytes on the system's drive. ``updates``, ``installer_rollback`` and
    ``defender`` are "on" or "off"; of the scanner that is what registry and policies ask for.
    """

    language: str | None = None
    locale: str | None = None
    pending: tuple[str, ...] | None = None
    free_disk: int | None = None
    updates: str | None = None
    installer_rollback: str | None = None
    defender: str | None = None

    def as_text(self) -> dict[str, str]:
        """Give it as plain text by name, for a journal or a page."""
        pending = None if self.pending is None else "; ".join(self.pending) or "no"
        told = {
            "language": self.language,
            "system locale": self.locale,
            "pending restart": pending,
            "free disk": None if self.free_disk is None else f"{self.free_disk / 1e9:.1f} GB",
            "Windows Update": self.updates,
            "installer rollback": self.installer_rollback,
            "Defender": self.defender,
        }
        return {name: NOT_TOLD if value is None else value for name, value in told.items()}


NOT_TOLD = "not told"


def read_environment(answers: Sequence[Outcome]) -> Environment:
    """Read the answers to QUESTIONS; what cannot be read is not told."""
    told = dict(zip(_ASKED, answers, strict=True))
    languages = _values(told["languages"])
    return Environment(
        language=_preferred(told["preferred"]) or _language(languages.get("installlanguage")),
        locale=_language(languages.get("default")),
        pending=tuple(_pending(told)) if told["files"].exit_code in (0, 1) else None,
        free_disk=_free(told["disk"]),
        updates=_updates(told["policies"]),
        installer_rollback=_rollback(told["policies"], told["user policies"]),
        defender=_defender(told),
    )


def _answered(answer: Outcome) -> bool:
    """Whether a guarded question was asked at all: ``reg`` prints the key, or fails for want of it."""
    return answer.exit_code != 0 or bool(answer.stdout.strip())


def _is_there(answer: Outcome) -> bool:
    return answer.ok and bool(answer.stdout.strip())


def _values(answer: Outcome) -> dict[str, RegistryValue]:
    """Give the values of every key that was printed; of several keys with the same value, the last one's."""
    return {name: value for values in read_keys(answer.stdout).values() for name, value in values.items()}


def _preferred(answer: Outcome) -> str | None:
    value = _values(answer).get("preferreduilanguages")
    return value.text.split(r"\0")[0].strip() or None if value else None


def _language(value: RegistryValue | None) -> str | None:
    """Give the tag of a language that the registry names by four hexadecimal digits."""
    if value is None:
        return None
    try:
        return locale.windows_locale[int(value.text, 16)].replace("_", "-")
    except (ValueError, KeyError):
        return value.text or None


def _pending(told: Mapping[str, Outcome]) -> Iterator[str]:
    if _is_there(told["servicing"]):
        yield "component servicing"
    if _is_there(told["updates"]):
        yield "Windows Update"
    files = _values(told["files"]).get("pendingfilerenameoperations")
    if files is not None and files.text.replace(r"\0", "").strip():
        yield f"files to be replaced at the next start ({files.text.split(chr(92) + '0')[0].strip()[:120]})"
    name, active = _values(told["name"]).get("computername"), told["active name"].stdout.strip()
    if name is not None and active and name.text.casefold() != active.casefold():
        yield f"a new computer name ({name.text}, still {active})"
    if _is_there(told["installer"]):
        yield "an installation that Windows Installer has not finished"


def _free(answer: Outcome) -> int | None:
    """Read the last number that ``dir`` prints: in every language it is what is free."""
    numbers = re.findall(r"\d+", answer.stdout)
    return figure(numbers[-1]) if answer.ok and numbers else None


def _updates(policies: Outcome) -> str | None:
    if not _answered(policies):
        return None
    keys = {key.lower(): values for key, values in read_keys(policies.stdout).items()}
    automatic = next((keys[key] for key in keys if key.endswith(r"\windowsupdate\au")), {})
    return "off" if _is_set(automatic.get("noautoupdate")) else "on"


def _rollback(machine: Outcome, user: Outcome) -> str | None:
    if not _answered(machine):
        return None
    off = [
        values.get("disablerollback")
        for answer in (machine, user)
        for key, values in read_keys(answer.stdout).items()
        if key.lower().endswith(r"\windows\installer")
    ]
    return "off" if any(map(_is_set, off)) else "on"


def _defender(told: Mapping[str, Outcome]) -> str | None:
    service = told["scanner service"]
    if not _answered(service):
        return None
    start = _values(service).get("start")
    policies, own = _values(told["scanner policies"]), _values(told["scanner"])
    off = (
        start is None
        or start.number == _SERVICE_DISABLED
        or _is_set(policies.get("disablerealtimemonitoring"))
        or _is_set(policies.get("disableantispyware"))
        or _is_set(own.get("disablerealtimemonitoring"))
    )
    return "off" if off else "on"


def _is_set(value: RegistryValue | None) -> bool:
    return value is not None and bool(value.number)
