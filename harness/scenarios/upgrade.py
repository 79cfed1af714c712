"""upgrade: the new version takes the place of an older one, and what the user made stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.matrix import Cell
    from harness.scenarios.installation import Installation
    from harness.scenarios.steps import Steps


def upgrade(cell: Cell, installation: Installation, step: Steps) -> None:
    """Replace an older version: one is registered, it works, the user's own files survive, and nothing else does."""
    old, new = cell.from_version, cell.version
    assert old is not None, "an upgrade needs a version to start from"
    with step("look at the guest before"):
        installation.examination.begin()
    with step(f"install {old}"):
        installation.install(old)
    with step(f"look what {old} did"):
        installation.examination.after("install", old)  # a whole look: it tells later on whose a leftover is
    with step(f"prove {old}"):
        installation.prove(old, seen=installation.examination.last)
    with step("make something of one's own"):
        made = installation.make_user_files(old)
        values = installation.set_user_values(old)
    with step(f"upgrade to {new}"):
        installation.install(new, over=old)
    with step(f"look what {new} did"):
        installation.examination.after("upgrade", new, old=old, whole=False)
    with step(f"prove {new}"):
        installation.prove(new, seen=installation.examination.last)
    with step(f"look for what is left of {old}"):
        installation.replaced(old, by=new)
    with step("look for one's own files"):
        installation.kept(made, after=f"the upgrade to {new}")
        installation.kept_values(values, after=f"the upgrade to {new}")
    # what the old version left behind shows when the new one, which does not know of it, has gone
    with step(f"uninstall {new}"):
        installation.uninstall(new)
    own = [*(file.path for file in made), *(one.key for one in values)]
    with step("look for what is left"):
        installation.examination.after("uninstall", new, old=old, spared=own)
    installation.examination.conclude()
