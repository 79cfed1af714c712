"""The rules: each looks at a phase and says what is wrong; a table says which phases it is for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from harness.expectations.finding import Cause, Finding, packaging
from harness.expectations.phase import Phase, What
from harness.expectations.search_path import keeps_path, path_is_sound
from harness.expectations.wording import expanded, plain, program
from harness.guest.state import UninstallEntry
from harness.guest.state.hooks import NEXT_START
from harness.guest.state.members import ADMINISTRATORS

Rule = Callable[[Phase], Iterator[Finding]]

_FILES = ("file", "folder", "shortcut")
_OTHERS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(_FILES, ("others-file", "which was there before")),
    "scheduled task": ("others-task", "which was there before"),
    "uninstall entry": ("others-program", "another program's entry in Windows' list"),
    "service": ("others-service", "another program's service"),
    "driver": ("others-service", "another program's driver"),
    "run entry": ("others-setting", "another program's"),
    "environment variable": ("others-setting", "which was there before"),
    "file association": ("others-setting", "another program's"),
    "app path": ("others-setting", "another program's"),
    "shell extension": ("others-setting", "another program's"),
    "COM class": ("others-setting", "another program's"),
    "Windows setting": ("others-setting", "which was there before"),
    "policy": ("others-setting", "which was there before"),
    "vendor key": ("others-setting", "another program's"),
    "registry entry": ("others-setting", "which was there before"),
    "firewall rule": ("others-setting", "which was there before"),
    "certificate": ("others-setting", "which was there before"),
    "local user": ("others-setting", "which was there before"),
    "local group": ("others-setting", "which was there before"),
    "group member": ("others-setting", "who was there before"),
}


def _touches_others(phase: Phase) -> Iterator[Finding]:
    """Find what was there without the product and is not as it was."""
    for change in phase.since_clean:
        if change.did == "added" or change.area not in _OTHERS or phase.permits(change):
            continue
        if change.area == "environment variable" and phase.what in _IN and _only_longer(phase, change.subject):
            continue  # one more entry in a list, as PATHEXT: the removal has to take it away again
        code, whose = _OTHERS[change.area]
        name = change.subject if change.area in _FILES else f"{change.area} {change.subject}"
        detail = f" ({change.detail})" if change.detail and change.did == "changed" else ""
        verb = "changed" if change.did == "changed" else "removed"
        yield packaging(code, f"{_when(phase, change.area)} {verb} {name}, {whose}{detail}", change.subject)


def _when(phase: Phase, area: str) -> str:
    """Say what did it; what was not looked at before the removal may as well be the installation's doing."""
    unseen = area in phase.after.things and area not in phase.before.things
    return f"installing or {phase}" if phase.what == "uninstall" and unseen else str(phase)


def _stops_services(phase: Phase) -> Iterator[Finding]:
    """Find services of others that ran before and do not any more.

    Only such as have a name of their own and start with the machine: Windows' own come and go as they are needed.
    """
    automatic = {
        name.casefold()
        for key, service in phase.clean.things.get("service", {}).items()
        if service.facts.get("start") == "automatic"
        for name in (service.name, _display_name(phase, key))
    }
    for change in phase.since_clean:
        if change.area == "running service" and change.did == "removed" and change.subject.casefold() in automatic:
            yield packaging("others-service-stopped", f"{phase} stopped the service {change.subject}", change.subject)


def _display_name(phase: Phase, key: str) -> str:
    named = phase.clean.things.get("service name", {}).get(key)
    return named.facts.get("display name", "") if named else ""


def _services_are_sound(phase: Phase) -> Iterator[Finding]:
    """Find new services without their program, or whose path may mean another one."""
    for change in phase.since_clean:
        if change.area not in ("service", "driver") or change.did != "added":
            continue
        image = change.detail.removeprefix("image path ").removesuffix(" is gone")
        if change.detail.endswith(" is gone"):
            words = (
                f"after {phase} the {change.area} {change.subject} is registered and its program {image} is not there"
            )
            yield packaging("service-without-program", words, change.subject)
        if plain(program(image)).startswith(_OF_PERSONS):
            words = (
                f"the service {change.subject} runs a program out of a person's own folder, who may put another one in "
                f"its place: {image}"
            )
            yield Finding(code="service-in-profile", cause=Cause.PERMISSION, sentence=words, subject=change.subject)
        if phase.judges_service_paths and re.match(r'[^"\s]+\s[^"]*\.exe', expanded(image), re.IGNORECASE):
            words = f"the service {change.subject} has a path with blanks and no quotes: {image}"
            yield Finding(code="service-path-unquoted", cause=Cause.PERMISSION, sentence=words, subject=change.subject)


_OF_PERSONS = ("c:\\users\\", "%userprofile%", "%localappdata%", "%appdata%", "%temp%", "%tmp%", "c:\\windows\\temp\\")


def _adds_no_root(phase: Phase) -> Iterator[Finding]:
    """Find certificates that a machine, or the account that installed, trusts since."""
    for change in phase.since_clean:
        if change.area != "certificate" or change.did != "added" or "\\CA\\" in change.detail:
            continue  # what lies in CA is not trusted for lying there
        if not phase.permits(change):
            who = "the account" if change.detail.startswith("HKEY_CURRENT_USER") else "the machine"
            words = f"{phase} made {who} trust the certificate {change.subject}"
            yield Finding(code="certificate-added", cause=Cause.SIGNATURE, sentence=words, subject=change.subject)


def _makes_no_administrators(phase: Phase) -> Iterator[Finding]:
    """Find who may do everything on the machine since."""
    for change in phase.since_clean:
        if change.area != "group member" or change.did != "added" or change.detail != ADMINISTRATORS:
            continue
        if not phase.permits(change):
            member, _, group = change.subject.rpartition(" in ")
            words = f"{phase} made {member} a member of {group}, who may do everything"
            yield Finding(code="administrator-added", cause=Cause.PERMISSION, sentence=words, subject=change.subject)


def _registers_once(phase: Phase) -> Iterator[Finding]:
    """Find more than one version of the product in Windows' list of programs."""
    if len(phase.registered) < 2:
        return
    if phase.what in ("upgrade", "downgrade") and (
        stayed := [entry for key, entry in phase.registered.items() if key in phase.before.uninstall]
    ):
        also = ", ".join(sorted(entry.title for entry in stayed))
        yield packaging("registered-twice", f"after {phase} {also} is still in the list of programs", also)
        return
    by_name = Counter(entry.name for entry in phase.registered.values())
    for name, times in by_name.items():
        if times > 1:
            yield packaging("registered-twice", f"after {phase} {name} is {times} times in the list of programs", name)


def _registers_its_version(phase: Phase) -> Iterator[Finding]:
    """Find another version in Windows' list than was installed, unless the product's file says which it is to be."""
    if phase.registers is not None or len(phase.registered) != 1:
        return
    (entry,) = phase.registered.values()
    if entry.version and not same_version(entry.version, phase.version):
        words = f"after {phase} the list of programs says version {entry.version}"
        yield packaging("version-registered", words, entry.title)


def _shows_in_the_list(phase: Phase) -> Iterator[Finding]:
    """Find a product that people do not see in Windows' list of programs, though it is registered."""
    hidden = [entry for entry in phase.registered.values() if _is_hidden(entry)]
    if hidden and len(hidden) == len(phase.registered):  # a bundle hides the packages in it, not itself
        words = f"{phase} registered {hidden[0].title} and hides it from the list of programs (SystemComponent is 1)"
        yield packaging("hidden-from-list", words, hidden[0].title)


def _can_be_removed(phase: Phase) -> Iterator[Finding]:
    """Find an entry in the list of programs whose removal starts a program that is not there."""
    for entry in phase.registered.values():
        for name, key in (("UninstallString", "uninstallstring"), ("QuietUninstallString", "quietuninstallstring")):
            file = program(entry.values.get(key, ""))
            if file and not phase.has_file(plain(file)) and not phase.has_file(f"{plain(file)}.exe"):
                words = f"after {phase} {name} of {entry.title} starts {file}, which is not there"
                yield packaging("removal-without-program", words, entry.title)


def _is_hidden(entry: UninstallEntry) -> bool:
    return entry.values.get("systemcomponent", "0x0") not in ("0x0", "")


def _finishes_now(phase: Phase) -> Iterator[Finding]:
    """Find files of the product's that Windows is to remove or rename when it starts next, and nobody was told.

    Others, as Windows' own updates, leave such work at any time: only what is done to the product's files is its own.
    """
    own = {path.casefold() for state in (phase.before, phase.after) for path in state.files} - {
        path.casefold() for path in phase.clean.files
    }
    for change in phase.since_clean if not phase.restart_asked else ():
        if change.area == NEXT_START and change.did == "added" and change.subject.casefold() in own:
            words = (
                f"{_when(phase, change.area)} asks for a restart and no exit code says so: {change.subject} "
                f"{change.detail} when Windows starts next"
            )
            yield Finding(code="restart-untold", cause=Cause.REBOOT, sentence=words, subject=change.subject)


def _leaves_nothing(phase: Phase) -> Iterator[Finding]:
    """Find what the removal left, but for what the product's file allows."""
    for change in phase.since_clean:
        if change.area == NEXT_START:
            continue
        # a service that runs since may be Windows' own; the product's is still registered, and that is told
        if change.did != "added" or change.area == "running service" or phase.permits(change):
            continue
        if (change.area, change.subject) in phase.old_ones:
            words = (
                f"after {phase}, which had replaced {phase.old}, {change.as_leftover}, which {phase.old} had brought"
            )
            yield Finding(code="orphaned", cause=Cause.LEFTOVER, sentence=words, subject=change.subject)
        else:
            words = f"after {phase} {change.as_leftover}"
            yield Finding(code="left-behind", cause=Cause.LEFTOVER, sentence=words, subject=change.subject)


def _leaves_no_trace(phase: Phase) -> Iterator[Finding]:
    """Find what a refused installation has changed."""
    for change in phase.since_clean:
        if change.area == NEXT_START:
            continue
        words = f"after {phase} {change.as_leftover}"
        yield Finding(code="refused-and-left", cause=Cause.PERMISSION, sentence=words, subject=change.subject)


def _undoes_itself(phase: Phase) -> Iterator[Finding]:
    """Find what a failed upgrade has not undone, and what a refused downgrade has changed."""
    for change in phase.done:
        if change.area != NEXT_START and not phase.permits(change):
            words = f"after {phase} {change.as_leftover}"
            yield Finding(code="not-rolled-back", cause=Cause.ROLLBACK, sentence=words, subject=change.subject)


_ALL: tuple[What, ...] = ("install", "upgrade", "downgrade", "uninstall")
_IN: tuple[What, ...] = ("install", "upgrade", "downgrade")

RULES: tuple[tuple[Rule, tuple[What, ...]], ...] = (
    (_touches_others, _ALL),
    (_stops_services, _ALL),
    (keeps_path, _ALL),
    (path_is_sound, _IN),
    (_services_are_sound, _IN),
    (_adds_no_root, _IN),
    (_makes_no_administrators, _IN),
    (_registers_once, _IN),
    (_registers_its_version, _IN),
    (_shows_in_the_list, _IN),
    (_can_be_removed, _IN),
    (_finishes_now, _ALL),
    (_leaves_nothing, ("uninstall",)),
    (_leaves_no_trace, ("refused installation",)),
    (_undoes_itself, ("failed upgrade", "refused downgrade")),
)


def findings(phase: Phase) -> tuple[Finding, ...]:
    """Hold a phase against every rule that is for it."""
    return tuple(found for rule, phases in RULES if phase.what in phases for found in rule(phase))


def _only_longer(phase: Phase, name: str) -> bool:
    """Whether a variable is a list that has what it had, in its order, and something more."""
    was, now = (
        next((one.facts.get("value", "") for one in things.values() if one.name == name), "")
        for things in (state.things.get("environment variable", {}) for state in (phase.clean, phase.after))
    )
    before, after = (value.casefold().strip(";").split(";") for value in (was, now))
    return bool(was) and (after[: len(before)] == before or after[-len(before) :] == before)


def same_version(one: str, other: str) -> bool:
    """Whether two versions agree as far as both go: 1.13.0 and 1.13.0.2."""
    mine, theirs = (re.findall(r"\d+", text) for text in (one, other))
    return all(int(a) == int(b) for a, b in zip(mine, theirs, strict=False))
