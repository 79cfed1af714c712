"""What the harness asks of a guest's WinRM service, against what the service allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.doctor.finding import Answer, fail, ok, warn
from harness.guest.shell import RENEW


@dataclass(frozen=True, slots=True)
class Need:
    """A setting of ``winrm get winrm/config``: below ``least`` cells break, below ``well`` they may.

    ``why`` says what the harness does with it.
    """

    setting: str
    least: int
    well: int
    why: str


NEEDS = (
    Need("Winrs/MaxShellsPerUser", 2, 5, "one shell for the cell, one to end what hangs"),
    Need("Winrs/MaxProcessesPerShell", 5, 15, "cmd, the installer and what it starts"),
    Need("Winrs/MaxMemoryPerShellMB", 256, 1024, "an installer that outgrows it is ended by Windows"),
    Need("Winrs/MaxConcurrentUsers", 2, 5, "the administrator and the standard account"),
    Need("Winrs/MaxShellRunTime", 600_000, 7_200_000, "milliseconds that a shell may live"),
    Need("Service/MaxConcurrentOperationsPerUser", 2 * RENEW, 1_000, f"a shell is renewed after {RENEW} commands"),
    Need("MaxEnvelopeSizekb", 150, 150, "the size of message that the client announces"),
    Need("MaxTimeoutms", 20_000, 60_000, "how long one question for output waits"),
)


def judged(settings: Mapping[str, str]) -> Answer:
    """Compare a guest's settings with NEEDS; raises nothing for settings that it does not tell."""
    if settings.get("Winrs/AllowRemoteShellAccess", "true").lower() == "false":
        return fail("remote shells are switched off", 'winrm set winrm/config/winrs @{AllowRemoteShellAccess="true"}')
    few: list[str] = []
    mends: list[str] = []
    breaks = False
    for need in NEEDS:
        text = settings.get(need.setting, "")
        if text.isdecimal() and int(text) < need.well:
            breaks = breaks or int(text) < need.least
            part, _, key = need.setting.rpartition("/")
            few.append(f"{key} is {text}, not {need.well} ({need.why})")
            place = f"winrm/config/{part.lower()}" if part else "winrm/config"
            mends.append(f'winrm set {place} @{{{key}="{need.well}"}}')
    if few:
        return (fail if breaks else warn)("; ".join(few), f"in the guest, before its snapshot: {'; '.join(mends)}")
    told = [
        f"{need.setting.rpartition('/')[2]} {settings[need.setting]}" for need in NEEDS[:3] if need.setting in settings
    ]
    return ok(", ".join(told) or "nothing is too small")
