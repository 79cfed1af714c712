"""Where a clone goes: folder, datastore, resource pool and host, by the paths or names that a site file gives."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from harness.errors import MachineMissing
from harness.machines.session import Session
from harness.mistakes import nearest
from harness.site import Clones

_KINDS = {
    "folder": vim.Folder,
    "datastore": vim.Datastore,
    "pool": vim.ResourcePool,
    "host": vim.HostSystem,
}


def folder_of(session: Session, vm: Any, clones: Clones) -> Any:
    """Find the folder for clones: the one named, else the one that their source lies in."""
    if clones.folder is not None:
        return _place(session, "folder", clones.folder)
    return session.read(vm, "parent").get("parent") or session.content.rootFolder


def location(session: Session, clones: Clones) -> Any:
    """Make the placement that the site file asks for; what it leaves open is as it is with the source."""
    spec = vim.vm.RelocateSpec()
    for key in ("datastore", "pool", "host"):
        wanted = getattr(clones, key)
        if wanted is not None:
            setattr(spec, key, _place(session, key, wanted))
    return spec


def _place(session: Session, key: str, wanted: str) -> Any:
    kind = _KINDS[key]
    if "/" in wanted:
        found = session.content.searchIndex.FindByInventoryPath(wanted.strip("/"))
        if isinstance(found, kind):
            return found
    with session.everything_of([kind]) as objects:
        rows = session.retrieve(objects, {kind: ("name",)})
    named: dict[str, list[Any]] = {}
    for row in rows:
        for prop in row.propSet or ():
            named.setdefault(str(prop.val), []).append(row.obj)
    match named.get(wanted, []):
        case [one]:
            return one
        case []:
            problem, advice = f"no such {key} in the inventory", nearest(wanted, sorted(named))
        case several:
            problem, advice = f"{len(several)} have this name", f"write the {key}'s inventory path"
    raise MachineMissing(problem, machine=f"clones.{key} {wanted}", advice=advice)
