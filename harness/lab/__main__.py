"""``python -m harness.lab``: the same as ``wincompat lab``."""

from harness.lab.commands import lab

lab(prog_name="python -m harness.lab")
