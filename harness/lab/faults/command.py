"""``wincompat lab fault``: let something go wrong in a lab that is up."""

from __future__ import annotations

import json
from typing import Any

import click

from harness.lab.faults.table import FOR_SO_LONG, OPTIONS, TABLE
from harness.lab.folder import LabFolder, LabIsDown
from harness.lab.options import Failed, lab_folder, name_option


def _told() -> str:
    """Lay the table out for --help, each fault with what it takes."""
    lines = ["\b", "Faults:"]
    for fault in TABLE.values():
        takes = "".join(f" [--with {name}=...]" for name in fault.takes)
        lines += [f"  {fault.name}{takes}", f"      {fault.does}; {_often(fault.times)}"]
        if fault.seconds != FOR_SO_LONG:
            lines += [f"      --seconds: {fault.seconds}"]
    lines += ["", "\b", "Options of faults:", *(f"  {name:12}{words}" for name, words in OPTIONS.items())]
    return "\n".join(lines)


def _often(times: int | None) -> str:
    return "until cleared" if times is None else "once" if times == 1 else f"{times} times"


@click.command(epilog=_told())
@name_option("lab")
@click.argument("fault_name", metavar="[FAULT]", required=False)
@click.option("--machine", default="", help="Only this machine; every one unless named.")
@click.option("--times", type=click.IntRange(1), help="How often; see the fault for what is usual.")
@click.option("--seconds", type=click.FloatRange(0), help="How long it lasts, or what the fault says of it.")
@click.option("--with", "options", multiple=True, metavar="NAME=VALUE", help="An option of the fault; can be repeated.")
@click.option("--list", "listing", is_flag=True, help="List what was asked for and how often it struck.")
@click.option("--clear", is_flag=True, help="Take faults back: the one named, of the machine named, or all.")
@click.option("--json", "as_json", is_flag=True, help="Print what was asked for as JSON.")
def fault(
    name: str, fault_name: str | None, machine: str, times: int | None, seconds: float | None,
    options: tuple[str, ...], listing: bool, clear: bool, as_json: bool,
) -> None:  # fmt: skip
    """Let something go wrong in a lab that is up, to see what becomes of it.

    A fault strikes as often as it says, or until it is cleared. Each strike is a line in the lab's audit.

    \b
    Examples:
      wincompat lab fault task-fails --with method=RevertToSnapshot_Task
      wincompat lab fault privilege-refused --with privilege=VirtualMachine.Interact.PowerOn
      wincompat lab fault power-off --machine win11-23h2-a --with method=Command
      wincompat lab fault winrm-reset --machine win11-23h2-a --times 3
      wincompat lab fault vcenter-hangs --seconds 20
      wincompat lab fault --list
      wincompat lab fault --clear
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    folder = lab_folder(name, check=False)
    query: dict[str, str] = {"machine": machine} if machine else {}
    if fault_name:
        query["name"] = fault_name
    if clear:
        asked = _ask(folder, "DELETE", query)
    elif listing:
        asked = _ask(folder, "GET", {})
    elif fault_name:
        given = {"times": times, "seconds": seconds}
        query.update({word: str(value) for word, value in given.items() if value is not None})
        asked = _ask(folder, "POST", {**query, **_read(options)})
    else:
        raise click.UsageError("name a fault, or say --list or --clear")
    if as_json:
        click.echo(json.dumps(asked, indent=2))
    else:
        click.echo("\n".join(map(_line, asked)) or f"nothing is asked to go wrong in the lab {name!r}")


def _read(options: tuple[str, ...]) -> dict[str, str]:
    read = {}
    for option in options:
        word, equals, value = option.partition("=")
        if not equals:
            raise click.BadParameter(f"{option!r} is not NAME=VALUE", param_hint="--with")
        read[word] = value
    return read


def _ask(folder: LabFolder, verb: str, query: dict[str, str]) -> list[dict[str, Any]]:
    try:
        told: list[dict[str, Any]] = json.loads(folder.ask(verb, "faults", patience=10.0, **query))
    except LabIsDown as error:
        raise Failed(f"{error}; start it with: wincompat lab up") from error
    except RuntimeError as error:
        raise Failed(str(error), 2) from error
    return told


def _line(asked: dict[str, Any]) -> str:
    where = f"of {asked['machine']}" if asked["machine"] else "of every machine"
    seconds = "" if asked["seconds"] is None else f", {asked['seconds']:g} s"
    options = "".join(f", {name} {value}" for name, value in asked["options"].items())
    struck = f"struck {asked['struck']} times so far"
    return f"{asked['number']:3} {asked['name']} {where}, {_often(asked['times'])}{seconds}{options}: {struck}"
