"""What linked and instant clones have in common: the clone in use as a machine, reached at an address of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from harness.machines.addresses import PATHS, Settling, settled_address, told
from harness.machines.border import crossing
from harness.machines.cloning import Ask, cloned
from harness.machines.drawing import Slot
from harness.machines.inventory import Found
from harness.machines.machine import Machine
from harness.machines.places import folder_of
from harness.machines.strategies.supplying import Asked, Supplied
from harness.site import FROM_TOOLS

Ready = Callable[[Machine], None]


def slot_of(asked: Asked) -> Slot:
    """Give the entry as the one of its clones that it is; of an entry that was not drawn out, the first."""
    entry = asked.entry
    if isinstance(entry, Slot):
        return entry
    return Slot.model_construct(**{name: getattr(entry, name) for name in type(entry).model_fields}, number=1)


@contextmanager
def clone_in_use(asked: Asked, source: Machine, ask: Ask, how: str, *, ready: Ready) -> Iterator[Supplied]:
    """Have a clone that is on and reached at its address; ``ready`` is called once it is on."""
    entry, site, session = slot_of(asked), asked.vcenter.site, source._session
    never = _addresses_of(source) if entry.strategy == "instant-clone" else []
    with ExitStack() as used:
        with crossing(site, source.name, "cloning it"):
            folder = folder_of(session, source._vm, entry.clones)
            life = used.enter_context(
                cloned(
                    session,
                    source._tasks,
                    entry,
                    source._vm,
                    folder,
                    ask,
                    run=asked.run,
                    holder=asked.holder,
                    tell=asked.tell,
                )
            )
        here = entry.model_copy(update={"path": life.path, "moid": life.vm._moId, "address": _address(entry)})
        clone = Machine(site, here, Found(life.vm, life.path), session, source._tasks, fence=asked.fence)
        clone.power_on()
        ready(clone)
        if here.address == FROM_TOOLS:
            settling = Settling(never=never, settle=site.budgets.settle, report=site.budgets.tools)
            with crossing(site, clone.name, "asking VMware Tools for its address"):
                clone = clone.reached_at(
                    settled_address(session, life.vm, clone.name, settling, within=site.budgets.ready)
                )
        yield Supplied(clone, f"{how} as {clone.name}", life.keep)


def _address(entry: Slot) -> str:
    return entry.clones.addresses[entry.number - 1] if entry.clones.addresses else FROM_TOOLS


def _addresses_of(source: Machine) -> list[str]:
    with crossing(source._site, source.name, "asking for its address"):
        return told(source._session.read(source._vm, *PATHS))
