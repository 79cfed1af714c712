"""The ways in which a clean machine comes about, a file each.

* revert.py         the machine itself, put back to its snapshot
* linked_clone.py   a clone of its snapshot, used once
* instant_clone.py  a clone of it as it runs, used once
"""

from __future__ import annotations

from harness.machines.strategies.supplying import Asked, Supplied, supplying

__all__ = ["Asked", "Supplied", "supplying"]
