"""What the service allows: the limits and switches that ``winrm get winrm/config`` shows on Windows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How much one user may ask for, with the defaults of Windows 10 and 11.

    Sizes are in kilobytes where nothing else is said, times in seconds, the command line in characters.
    """

    max_shells_per_user: int = 30
    max_processes_per_shell: int = 25
    max_memory_per_shell_mb: int = 1024
    max_concurrent_operations_per_user: int = 1500
    max_envelope_kb: int = 500
    idle_timeout: float = 7200.0
    max_timeout: float = 60.0
    max_command_line: int = 8191

    @property
    def max_envelope(self) -> int:
        """The longest message accepted, in bytes."""
        return self.max_envelope_kb * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which ways in are open.

    Windows ships with Basic off and unencrypted traffic refused. The lab opens both, because its address never leaves
    the machine and because every client should be able to try it; ``Policy(basic=False, allow_unencrypted=False)`` is a
    guest as shipped.
    """

    basic: bool = True
    allow_unencrypted: bool = True
