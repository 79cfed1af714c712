"""uninstall: removed as a person would, from Windows' own list of programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.matrix import Cell
    from harness.scenarios.installation import Installation
    from harness.scenarios.steps import Steps


def uninstall(cell: Cell, installation: Installation, step: Steps) -> None:
    """Uninstall with what Windows' list of programs would run; nothing stays, and a second try is refused."""
    with step("look at the guest before"):
        installation.examination.begin()
    with step(f"install {cell.version}"):
        installation.install(cell.version)
    with step("read what is registered to uninstall it"):
        registered = installation.registered_removal(cell.version)
    with step(f"uninstall {cell.version} as registered"):
        installation.remove(registered, cell.version)
    with step("look for what is left"):
        installation.examination.after("uninstall", cell.version)
    with step("uninstall a second time"):
        installation.is_not_there_any_more(registered, cell.version)
    installation.examination.conclude()
