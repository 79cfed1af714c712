"""The processes of the sandbox: found, held and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time


def everyone() -> set[int]:
    """List the processes of the sandbox but its first and this one."""
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()} - {1, os.getpid()}


def carrying(name: str, value: str) -> set[int]:
    """Find the processes that were started with a Unix variable of this value."""
    mark = f"\0{name}={value}\0".encode()
    found = set()
    for pid in everyone():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if mark in b"\0" + file.read() + b"\0":
                found.add(pid)
    return found


def busy() -> bool:
    """Tell whether any program of the sandbox runs, would run if it were let, or reads from the disk."""
    for pid in everyone():
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/stat") as file:
                    # the state stands behind the name, which may hold anything
                    if file.read().rpartition(")")[2].split()[0] in ("R", "D"):
                        return True
    return False


def signalled(pids: set[int], number: int) -> None:
    """Send a signal; a process that has gone already is no matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end_processes(pids: set[int]) -> None:
    """Kill processes."""
    signalled(pids, signal.SIGKILL)


def end_windows(spared: set[int]) -> None:
    """End every program, and let Wine's server write the registry to the disk before it goes."""
    servers = {pid for pid in everyone() - spared if _name(pid).startswith("wineserver")}
    end_processes(everyone() - spared - servers)
    signalled(servers, signal.SIGTERM)  # unlike SIGINT it waits for nobody
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in servers) and time.monotonic() < deadline:
        time.sleep(0.002)
    end_processes(everyone() - spared)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
        return file.read().strip()
    return ""
