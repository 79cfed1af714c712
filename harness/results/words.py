"""Counts and lists as people say them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def count(number: int, thing: str, things: str = "") -> str:
    """Say a number with its noun: ``1 cell``, ``1,204 cells``."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def skipped_in_words(number: int) -> str:
    """Say that nothing was left: ``the only cell was skipped``, ``all 3 cells were skipped``."""
    return "the only cell was skipped" if number == 1 else f"all {count(number, 'cell')} were skipped"


def listed(words: Sequence[str], most: int = 0) -> str:
    """Join words: ``a, b and c``; beyond ``most``, the rest is counted: ``a, b and 7 more``."""
    if most and len(words) > most:
        words = [*words[:most], f"{len(words) - most:,} more"]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def builds_in_words(names: Iterable[str]) -> str:
    """Join build names without repeating the system: ``Windows 10 21H2 and 22H2, Windows 11 23H2``."""
    systems: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        system, _, release = name.rpartition(" ")
        systems.setdefault(system, []).append(release)
    return ", ".join(f"{system} {listed(releases, 6)}".strip() for system, releases in systems.items())


def seconds(value: float) -> str:
    """Say a duration: ``0.84 s``, ``12.3 s``, ``2 min 05 s``, ``1 h 04 min``."""
    if not 0 <= value < float("inf"):
        return "unknown"
    if value < 59.95:
        return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02} min"
