"""downgrade: an older version over a newer one is refused, unless the product's file says that it replaces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.matrix import Cell
    from harness.scenarios.installation import Installation
    from harness.scenarios.steps import Steps


def downgrade(cell: Cell, installation: Installation, step: Steps) -> None:
    """Refuse an older version and change nothing; where it is allowed, put it cleanly in the newer one's place."""
    new, old = cell.from_version, cell.version
    assert new is not None, "a downgrade needs a newer version to start from"
    with step("look at the guest before"):
        installation.examination.begin()
    with step(f"install {new}"):
        installation.install(new)
    with step(f"look what {new} did"):
        installation.examination.after("install", new, contents=True)
    with step(f"prove {new}"):
        installation.prove(new, seen=installation.examination.last)
    with step("make something of one's own"):
        made = installation.make_user_files(new)
    with step(f"try to install {old} over it"):
        refused = installation.goes_back(old, over=new)
    if refused:
        with step(f"prove that {new} is still there"):
            installation.prove(new, when=f"after the refused downgrade to {old}")
        with step("look for one's own files"):
            installation.kept(made, after=f"the refused downgrade to {old}")
        with step("look for what the refused downgrade left"):
            spared = [file.path for file in made]
            installation.examination.after("refused downgrade", old, old=new, spared=spared)
        installation.examination.conclude()
        return
    with step(f"look what {old} did"):
        installation.examination.after("downgrade", old, old=new, whole=False)
    installation.examination.conclude()
    with step(f"prove {old}"):
        installation.prove(old, seen=installation.examination.last)
    with step(f"look for what is left of {new}"):
        installation.replaced(new, by=old)
    with step("look for one's own files"):
        installation.kept(made, after=f"the downgrade to {old}")
    with step(f"uninstall {old}"):
        installation.uninstall(old)
    with step("look for what is left"):
        installation.examination.after("uninstall", old, old=new, spared=[file.path for file in made])
    installation.examination.conclude()
