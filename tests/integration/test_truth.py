"""No product failure is hidden, and no lab fault is blamed on the product."""

from __future__ import annotations

from harness.machines.vcenter import connected
from harness.site import Site, SiteMachine

from .conftest import Controller
from .installers import ASKS, TAKES_LONG, write_project

DEADLINE = 4.0


def test_an_installer_that_waits_for_a_person_is_hung_and_its_dialog_is_shown(controller: Controller) -> None:
    """Its deadline is kept to within 5 s, the dialog is photographed, and the report shows the picture."""
    write_project(controller.folder, ASKS, deadline=DEADLINE)
    status, said = controller.run("matrices/habit.toml")
    (result,) = controller.results()
    assert (status, result["verdict"], result["fault"]) == (1, "hung", "product"), said
    (installing,) = (step for step in result["steps"] if step["name"] == "install 1.0")
    assert DEADLINE <= installing["seconds"] < DEADLINE + 5  # promised by the product, whatever the host does besides
    (picture,) = (one for one in result["evidence"] if one["kind"] == "screenshot")
    png = (controller.run_folder / picture["path"]).read_bytes()
    assert png.startswith(b"\x89PNG")
    page = (controller.run_folder / "report.html").read_text("utf-8")
    assert "data:image/png;base64," in page


def test_a_guest_that_is_switched_off_in_the_middle_of_a_step_is_blocked(
    controller: Controller, lab_site: Site
) -> None:
    """A power cut is the lab's fault, whatever the product was doing."""
    write_project(controller.folder, TAKES_LONG, deadline=300)
    process = controller.start("matrices/habit.toml")
    with connected(lab_site) as vcenter:
        machines = [vcenter.machine(entry) for entry in _of_build(lab_site, 22631)]
        controller.wait_for("install 1.0")
        for machine in machines:
            machine.power_off()
    said, _ = process.communicate(timeout=300)
    (result,) = controller.results()
    assert (process.returncode, result["verdict"], result["fault"]) == (1, "blocked", "site"), said
    assert "BLOCKED" in said.upper()


def _of_build(site: Site, number: int) -> list[SiteMachine]:
    return [entry for entry in site.machines if entry.windows.number == number]
