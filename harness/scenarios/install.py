"""install: silent, proven, and gone again without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.matrix import Cell
    from harness.scenarios.installation import Installation
    from harness.scenarios.steps import Steps


def install(cell: Cell, installation: Installation, step: Steps) -> None:
    """Install silently, prove it, uninstall it, and leave nothing behind."""
    with step("look at the guest before"):
        installation.examination.begin()
    with step(f"install {cell.version}"):
        installation.install(cell.version)
    with step(f"look what {cell.version} did"):
        installation.examination.after("install", cell.version, whole=False)
    with step(f"prove {cell.version}"):
        installation.prove(cell.version, seen=installation.examination.last)
    with step(f"uninstall {cell.version}"):
        installation.uninstall(cell.version)
    with step("look for what is left"):
        installation.examination.after("uninstall", cell.version)
    installation.examination.conclude()
