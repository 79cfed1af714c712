"""From what a site file says of machines to the machines themselves: folders, tags and attributes are drawn out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyVmomi import vim, vmodl

from harness.builds import Build
from harness.errors import MachineMissing, SiteError
from harness.machines.border import crossing
from harness.machines.inventory import find_by_moid, paths_of
from harness.machines.session import Session
from harness.machines.tags import machines_tagged
from harness.mistakes import nearest
from harness.site import SiteMachine

CLONE = "wincompat-"
"""How the names of all our clones begin: one is never drawn as if it were a machine of the site."""


class Slot(SiteMachine):
    """One of the clones that an entry allows: ``number`` counts from 1; a lease of it is a lease of that clone."""

    number: int

    @property
    def lease_name(self) -> str:
        """What a lease of it is held on."""
        return f"{super().lease_name} clone {self.number}"


def offered(session: Session, build: Build) -> tuple[SiteMachine, ...]:
    """List what the site has for a build: each entry is one machine, or one of the clones that a machine may have.

    Entries of other builds stay as they are written. Raises MachineMissing when nothing can be drawn.
    """
    entries: list[SiteMachine] = []
    listed: set[str] = set()
    # machines that are named come first: one that also lies in a folder keeps its own settings
    for entry in sorted(session.site.machines, key=lambda entry: entry.draws):
        for one in one_by_one(session, entry) if entry.carries(build) else (entry,):
            if one.path not in listed or not entry.draws:
                listed.add(one.path)
                entries += slots(one) if entry.carries(build) else (one,)
    return tuple(entries)


def slots(entry: SiteMachine) -> Iterator[SiteMachine]:
    """Give the machine itself, or one entry for each of the clones that may be made of it."""
    if entry.strategy == "revert":
        yield entry
        return
    fields = {name: getattr(entry, name) for name in SiteMachine.model_fields}
    yield from (Slot.model_construct(**fields, number=number) for number in range(1, entry.clones.at_most + 1))


def one_by_one(session: Session, entry: SiteMachine) -> list[SiteMachine]:
    """Give the machines that an entry stands for, an entry each; raises MachineMissing when nothing can be drawn."""
    site = session.site
    if entry.path:
        return [entry]
    with crossing(site, entry.told, "looking it up", otherwise=SiteError):
        if entry.moid is not None:
            return [entry.model_copy(update={"path": find_by_moid(session, entry.moid).path})]
        return _drawn(session, entry)


def _drawn(session: Session, entry: SiteMachine) -> list[SiteMachine]:
    seen = _machines(session, entry)
    wanted = _by_key(session, entry.attributes) if entry.attributes else {}
    fits = {
        moid: facts
        for moid, facts in seen.items()
        if not str(facts.get("name", "")).startswith(CLONE)
        and not facts.get("config.template")
        and wanted.items() <= {value.key: value.value for value in facts.get("customValue") or ()}.items()
    }
    if not fits:
        raise MachineMissing(
            "no machine is there", machine=entry.told, advice="put machines there in vSphere, or correct the site file"
        )
    named = [(found.path, found.vm._moId) for found in paths_of(session, fits)]
    return [entry.model_copy(update={"path": path, "moid": moid}) for path, moid in sorted(named)]


def _machines(session: Session, entry: SiteMachine) -> dict[str, Mapping[str, Any]]:
    """Read the machines in the folder, or everywhere, and of these the ones with the tag."""
    paths: dict[type[Any], tuple[str, ...]] = {vim.VirtualMachine: ("name", "parent", "config.template", "customValue")}
    tagged = None if entry.tag is None else machines_tagged(session, entry.tag)
    if tagged is not None and entry.folder is None:
        rows = session.retrieve([vmodl.query.PropertyCollector.ObjectSpec(obj=vm) for vm in tagged], paths)
    else:
        with session.everything_of([vim.VirtualMachine], below=_folder(session, entry.folder)) as objects:
            rows = session.retrieve(objects, paths)
    among = None if tagged is None else {vm._moId for vm in tagged}
    return {
        row.obj._moId: {prop.name: prop.val for prop in row.propSet or ()}
        for row in rows
        if among is None or row.obj._moId in among
    }


def _folder(session: Session, path: str | None) -> Any:
    if path is None:
        return None
    folder = session.content.searchIndex.FindByInventoryPath(path.strip("/"))
    if not isinstance(folder, vim.Folder):
        raise MachineMissing(
            "no such folder in the inventory", machine=f"folder {path}", advice="write its path: Datacenter/vm/Folder"
        )
    return folder


def _by_key(session: Session, attributes: Mapping[str, str]) -> dict[int, str]:
    """Find the numbers that custom attributes go by."""
    fields = session.content.customFieldsManager
    known = session.read(fields, "field").get("field") or () if fields is not None else ()
    keys = {field.name: field.key for field in known if field.managedObjectType in (None, vim.VirtualMachine)}
    for name in attributes:
        if name not in keys:
            raise MachineMissing(
                f"no custom attribute {name!r} in vSphere", machine=f"attribute {name}", advice=nearest(name, keys)
            )
    return {keys[name]: value for name, value in attributes.items()}
