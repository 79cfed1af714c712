"""What is wrong with a site is said in one line that tells what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from .conftest import Controller
from .installers import write_project


@pytest.fixture
def site_text(lab_site_file: Path) -> str:
    """Give the lab's site file with absolute paths, so that a changed copy can lie elsewhere."""
    folder = lab_site_file.parent
    return "\n".join(_absolute(line, folder) for line in lab_site_file.read_text("utf-8").splitlines())


def _absolute(line: str, folder: Path) -> str:
    for key in ("file", "ca_file"):
        line = line.replace(f'{key} = "', f'{key} = "{folder}/') if f'{key} = "/' not in line else line
    return line.replace(f"ca_{folder}", "ca_")


def test_a_wrong_password_is_named(controller: Controller, site_text: str) -> None:
    """The cell is blocked, and the line names the vCenter, the account and the next move."""
    wrong = controller.folder / "wrong.secret"
    wrong.write_text("not the password")
    before, vcenter, after = site_text.partition("[vcenter]")
    first, rest = after.split("password =", 1)
    changed = f'{before}{vcenter}{first}password = {{ file = "{wrong}" }}\n' + rest.partition("\n")[2]
    reason = _blocked(controller, changed)
    assert "password" in reason.lower() or "log-in" in reason.lower()


def test_an_unknown_snapshot_is_named_with_those_there_are(controller: Controller, site_text: str) -> None:
    """The line names the machine, the snapshot that is not there and the ones that are."""
    reason = _blocked(controller, site_text.replace('snapshot = "clean"', 'snapshot = "cleen"'))
    assert "cleen" in reason
    assert "clean" in reason.replace("cleen", "")


def test_a_vcenter_that_does_not_answer_is_named(controller: Controller, site_text: str) -> None:
    """The line names the address that refuses and says what to look at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    lines = [f"port = {port}" if line.startswith("port =") else line for line in site_text.splitlines()]
    assert str(port) in _blocked(controller, "\n".join(lines))


def _blocked(controller: Controller, site: str) -> str:
    """Run on a changed site; the one cell must be blocked, in one line on the terminal and in the journal."""
    write_project(controller.folder, "", deadline=30)
    file = controller.folder / "changed.toml"
    file.write_text(site, "utf-8")
    status, said = controller.run("matrices/habit.toml", site=str(file))
    (result,) = controller.results()
    assert (status, result["verdict"], result["fault"]) == (1, "blocked", "site"), said
    assert "Traceback" not in said
    assert "\n" not in result["reason"]
    return str(result["reason"])
