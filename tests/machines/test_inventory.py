"""A snapshot is named by its path in the tree, because names are not unique."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pyVmomi import vim

from harness.errors import MachineMissing
from harness.machines.inventory import find_snapshot


def tree(name: str, number: int, *children: Any) -> Any:
    """Make a node as a vCenter hands it out."""
    return vim.vm.SnapshotTree(
        snapshot=vim.vm.Snapshot(f"snapshot-{number}"),
        vm=vim.VirtualMachine("vm-1"),
        name=name,
        description="",
        createTime=datetime.now(UTC),
        state="poweredOff",
        quiesced=False,
        childSnapshotList=list(children),
    )


def snapshots(*roots: Any) -> Any:
    """Make a machine's snapshot property."""
    return vim.vm.SnapshotInfo(rootSnapshotList=list(roots))


FOREST = snapshots(
    tree("base", 1, tree("clean", 2, tree("patched", 3)), tree("tools", 4, tree("clean", 5))),
    tree("other%2fside", 6),
    tree("twin", 7, tree("x", 8), tree("x", 9)),
)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("base", 1), ("base/clean", 2), ("base/tools/clean", 5), ("patched", 3), ("other/side", 6)],
)
def test_a_snapshot_is_found_by_path_or_by_a_name_that_only_it_has(wanted: str, number: int) -> None:
    """A path goes from the root; a name alone serves where it is unique; vSphere's %2f is a slash."""
    assert find_snapshot("win10-a", FOREST, wanted)._moId == f"snapshot-{number}"


@pytest.mark.parametrize(
    ("forest", "wanted", "line"),
    [
        (None, "clean", "win10-a: it has no snapshot; take one named 'clean' in vSphere"),
        (
            snapshots(tree("base", 1, tree("clean", 2))),
            "cleam",
            "win10-a: no snapshot 'cleam'; it has base, base/clean",
        ),
        (
            FOREST,
            "clean",
            "win10-a: 2 snapshots are called 'clean'; write the path of one: base/clean, base/tools/clean",
        ),
        (FOREST, "twin/x", "win10-a: 2 snapshots are called 'twin/x'; rename one in vSphere"),
    ],
)
def test_what_is_not_there_or_not_one_is_said_with_what_is(forest: Any, wanted: str, line: str) -> None:
    """Nothing is guessed: the line names the snapshots that exist, or the paths to choose from."""
    with pytest.raises(MachineMissing) as raised:
        find_snapshot("win10-a", forest, wanted)
    assert str(raised.value) == line
