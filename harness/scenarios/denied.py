"""denied: someone without the right to install is refused, honestly and without a mess."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.matrix import Cell
    from harness.scenarios.installation import Installation
    from harness.scenarios.steps import Steps


def denied(cell: Cell, installation: Installation, step: Steps) -> None:
    """Refuse a standard user at once, with an honest exit code, and leave nothing behind."""
    with step("look at the guest before"):
        installation.examination.begin()
    with step(f"bring {cell.version} to the guest"):
        installation.bring(cell.version)
    with step("prove that the account is limited"):
        limited = installation.as_a_standard_user()
        limited.examination.begin()
    with step(f"try to install {cell.version}"):
        limited.is_refused(cell.version)
    with step("look for what is left"):
        limited.examination.after("refused installation", cell.version)
        installation.examination.after("refused installation", cell.version)
    limited.examination.conclude()
    installation.examination.conclude()
