"""ZIPs: names that Windows cannot or should not unpack."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from harness.packages.archive import PROGRAMS, SCRIPTS, Archive, Member
from harness.packages.finding import Finding, Outcome, Severity, predictions

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)")
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_LONGEST_PATH = 259  # characters, without the end mark: what programs without long path support can open
_FAILS = predictions(Outcome.FAILS, "install", "upgrade")
_MAY_FAIL = predictions(Outcome.FAILS, "install", "upgrade", surely=False)
_LOSES = predictions(Outcome.LOSES_FILES, "install", "upgrade")


def escapes(archive: Archive) -> Iterator[Finding]:
    """Look for members that want to land outside the folder they are unpacked to."""
    found = [member for member in archive.members if _escapes(member)]
    if found:
        yield Finding(
            code="zip-slip",
            severity=Severity.ERROR,
            sentence=f"member {found[0].name!r} leads out of the folder it is unpacked to" + _count(found),
            subject=found[0].name,
            advice="do not unpack it; find out who made it",
            predicts=_MAY_FAIL,
        )
    links = [member for member in archive.members if member.is_link]
    if links:
        yield Finding(
            code="zip-links",
            severity=Severity.ERROR,
            sentence=f"member {links[0].name!r} is a symbolic link: Windows makes none without the right for it, and "
            "one can lead anywhere" + _count(links),
            subject=links[0].name,
            advice="pack the file itself",
            predicts=_MAY_FAIL,
        )


def names(archive: Archive, folder: str) -> Iterator[Finding]:
    """Look for names that Windows cannot write, each to a place of its own, below ``folder``."""
    bad = [member for member in archive.members if any(_is_unwritable(part) for part in member.parts)]
    if bad:
        yield Finding(
            code="zip-unwritable-name",
            severity=Severity.ERROR,
            sentence=f"member {bad[0].name!r} has a name that Windows keeps for itself or cannot write" + _count(bad),
            subject=bad[0].name,
            advice="rename it",
            predicts=_LOSES,
        )
    places: dict[tuple[str, ...], list[Member]] = defaultdict(list)
    for member in archive.members:
        if not member.is_folder:
            # the disk does not tell capitals apart, and drops dots and spaces at the end
            places[tuple(part.rstrip(". ").casefold() for part in member.parts)].append(member)
    twice = [members for members in places.values() if len(members) > 1]
    if twice:
        first = " and ".join(repr(member.name) for member in twice[0][:2])
        yield Finding(
            code="zip-names-collide",
            severity=Severity.ERROR,
            sentence=f"members {first} are one file on Windows: the last one unpacked wins" + _count(twice),
            subject=twice[0][0].name,
            advice="give them names that differ by more than capitals",
            predicts=_LOSES,
        )
    room = _LONGEST_PATH - len(folder) - 1
    long = [member for member in archive.members if len("\\".join(member.parts)) > room]
    if long:
        longest = max(len("\\".join(member.parts)) for member in long)
        yield Finding(
            code="zip-path-too-long",
            severity=Severity.WARNING,
            sentence=f"below {folder} the longest path has {len(folder) + 1 + longest} characters, and programs "
            "without "
            f"long path support end at {_LONGEST_PATH}" + _count(long),
            subject=long[0].name,
            advice="shorten the names, or install closer to the root",
            predicts=_MAY_FAIL,
        )


def holds_files(archive: Archive) -> Iterator[Finding]:
    """Ask whether there is anything in it at all."""
    if all(member.is_folder for member in archive.members):
        yield Finding(
            code="zip-without-files",
            severity=Severity.ERROR,
            sentence=f"{archive.file.name} holds no file",
            subject=archive.file.name,
            advice="look at what packs it",
            predicts=_FAILS,
        )


def contents(archive: Archive) -> Iterator[Finding]:
    """Ask whether what it holds is whole, and can be run."""
    locked = [member for member in archive.members if member.is_encrypted]
    if locked:
        yield Finding(
            code="zip-encrypted",
            severity=Severity.ERROR,
            sentence=f"member {locked[0].name!r} is encrypted: nobody is there to give the password" + _count(locked),
            subject=locked[0].name,
            advice="pack it without a password",
            predicts=_FAILS,
        )
    unusual = [member for member in archive.members if not member.is_plain]
    if unusual:
        yield Finding(
            code="zip-packed-unusually",
            severity=Severity.WARNING,
            sentence=f"member {unusual[0].name!r} is packed by method {unusual[0].method}, not stored nor deflated: "
            "older Windows cannot unpack it, and it was not looked into" + _count(unusual),
            subject=unusual[0].name,
            advice="pack it with deflate",
            predicts=_MAY_FAIL,
        )
    for member, why in archive.broken():
        yield Finding(
            code="zip-broken-member",
            severity=Severity.ERROR,
            sentence=f"member {member.name!r} cannot be unpacked: {why}",
            subject=member.name,
            advice="fetch the archive again and compare its SHA-256",
            predicts=_FAILS,
        )
        return  # one says it all
    if archive.members and not any(
        member.name.casefold().endswith((*PROGRAMS, *SCRIPTS)) for member in archive.members
    ):
        yield Finding(
            code="zip-nothing-to-run",
            severity=Severity.NOTE,
            sentence=f"none of its {len(archive.members)} members can be run",
            subject=archive.file.name,
        )


def no_program(member: Member, why: str) -> Finding:
    """Say that a member is called a program and is none."""
    return Finding(
        code="member-no-program",
        severity=Severity.WARNING,
        sentence=f"member {member.name!r} is called a program and cannot be read as one: {why}",
        subject=member.name,
        advice="pack it again, or call it what it is",
    )


def _escapes(member: Member) -> bool:
    name = member.name.replace("\\", "/")
    return name.startswith("/") or ".." in member.parts or re.match(r"[A-Za-z]:", name) is not None


def _is_unwritable(part: str) -> bool:
    if part in (".", ".."):
        return False
    return bool(_RESERVED.match(part) or _FORBIDDEN.search(part) or part.rstrip(". ") != part)


def _count(found: list[Member] | list[list[Member]]) -> str:
    return f" ({len(found)} of this kind)" if len(found) > 1 else ""
