"""Ending a command that outlived its deadline: first the picture, then the process tree, all within seconds."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable

from harness.errors import GuestLost, Hung
from harness.guest import envelope
from harness.guest.advice import SHELL_OR_COMMAND_MISSING, site_error
from harness.guest.questions import BEGINNING
from harness.guest.transport import Endpoint, Fault, Lost, NothingYet, NotSent, Transport, TransportError
from harness.guest.waits import Clock

log = logging.getLogger(__name__)

PICTURE = 2.0
"""Seconds that ``at_deadline`` may take; it goes on alone after that."""

PROMPT = 2.5
"""Seconds for a message to a guest that may be gone: a busy one, or a busy controller, must not look like that."""

# ending these by name would end the shells that we work with, or Windows itself
_NEVER_BY_NAME = {"cmd.exe", "conhost.exe", "winrshost.exe", "wsmprovhost.exe", "svchost.exe", "services.exe"}


def end_command(
    endpoint: Endpoint,
    *,
    machine: str,
    shell_id: str,
    command_id: str,
    line: str,
    deadline: float,
    by: float,
    at_deadline: Callable[[], None] | None,
    clock: Clock,
) -> Hung | GuestLost:
    """End a command from a connection of its own until ``by`` on ``clock``, and give the error that it deserves.

    That is Hung when the guest answered, and GuestLost when it is gone or has restarted meanwhile.
    """
    note = take_picture(at_deadline)
    transport = Transport(endpoint, connect_within=PROMPT)
    try:
        silence = _end_tree(transport, shell_id, command_id, by=by, clock=clock)
        if silence is not None:
            lost = site_error(silence, machine, endpoint, "ending a command that outlived its deadline")
            if isinstance(lost, GuestLost):
                lost.__cause__ = silence
                return lost
        if (image := image_of(line)) and clock() < by - 1.0:
            _end_by_name(transport, image, by=by, clock=clock)
    finally:
        transport.disconnect()
    hung = Hung(line, deadline)
    if note:
        hung.add_note(note)
    return hung


def image_of(line: str) -> str | None:
    """Name the program that a command line starts, when ending it by name is safe: ``msiexec.exe``."""
    words = re.match(r"""\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^\s"&|<>()]+))""", line.removeprefix(BEGINNING))
    if words is None:
        return None
    name = re.split(r"[\\/]", words["quoted"] or words["plain"])[-1].lower()
    name = name if "." in name else f"{name}.exe"
    return name if re.fullmatch(r"[\w.+ -]+\.exe", name) and name not in _NEVER_BY_NAME else None


def take_picture(at_deadline: Callable[[], None] | None) -> str | None:
    """Call ``at_deadline`` while the command can still be seen; gives a note when no picture came of it in time."""
    if at_deadline is None:
        return None
    problem: list[str] = []

    def attempt() -> None:
        try:
            at_deadline()
        except Exception as error:  # noqa: BLE001 - a picture that fails must not keep the command running
            problem.append(f"no picture at the deadline: {error}")
            log.warning("%s", problem[0])

    picture = threading.Thread(target=attempt, name="at-deadline", daemon=True)
    picture.start()
    picture.join(PICTURE)
    if picture.is_alive():
        problem.append(f"no picture within {PICTURE:g} s of the deadline")
    return problem[0] if problem else None


def _end_tree(
    transport: Transport, shell_id: str, command_id: str, *, by: float, clock: Clock
) -> TransportError | None:
    """Ask politely, then firmly, then delete the shell; gives what proves that the guest is gone, if anything does."""

    def within(most: float) -> float:
        return max(0.2, min(most, by - clock()))

    grace = envelope.receive(transport.url, shell_id, command_id, seconds=0.5)
    answered = False
    silence: TransportError | None = None
    for ask in (
        # Ctrl+C lets msiexec tell the installer service to roll back; ended outright, the service would go on alone
        lambda: transport.signal(shell_id, command_id, "ctrl_c", within=within(PROMPT)),
        lambda: transport.receive(grace, wait=0.5, within=within(PROMPT)),
        lambda: transport.signal(shell_id, command_id, "terminate", within=within(PROMPT)),
        lambda: transport.delete(shell_id, within=within(PROMPT)),
    ):
        try:
            ask()
            answered = True
        except NothingYet:
            answered = True
        except Fault as fault:
            if fault.code == SHELL_OR_COMMAND_MISSING and not answered:
                return fault  # not even the first signal found its shell: the guest has restarted
            answered = True
        except (NotSent, Lost) as error:
            silence = error
            transport.disconnect()
            if not answered and isinstance(error, NotSent):
                break
        except TransportError:
            answered = True
    return None if answered else silence


def _end_by_name(transport: Transport, image: str, *, by: float, clock: Clock) -> None:
    """End what survived its shell, such as a program that left the job; the machine is ours alone, so by name."""
    try:
        shell_id = transport.create(within=max(0.2, by - clock()), profile=False, idle=60.0)
        try:
            # in full, for what runs may have taken System32 out of PATH
            line = rf"%SystemRoot%\System32\taskkill.exe /F /T /IM {image}"
            command_id = transport.command(shell_id, envelope.new_id(), line, within=max(0.2, by - clock()))
            wait = max(0.2, by - 0.5 - clock())
            message = envelope.receive(transport.url, shell_id, command_id, seconds=wait)
            transport.receive(message, wait=wait, within=wait)
        finally:
            transport.delete(shell_id, within=max(0.2, by - clock()))
    except TransportError as error:
        log.debug("could not end %s by name: %s", image, error)
