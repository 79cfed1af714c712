"""What a matrix or a site file demands of the Windows in a machine, beyond its build."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from harness.authoring import Authored, BuildName, Seconds, Text

LanguageTag = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Gigabytes = Annotated[float, Field(strict=True, gt=0, le=100_000, allow_inf_nan=False)]


class Demands(Authored):
    """The table ``[environment]``: what is not declared is recorded and not compared, but for what has a default here.

    The defaults stand for what no product can be judged on: a Windows that waits for a restart, one whose installer may
    not roll back, and one whose clock is wrong by minutes although it was set. ``any`` takes such a default back.

    ``language`` is that of the user interface and ``locale`` the system's, both as ``de-DE``; ``minimum_builds`` are
    builds with revisions, each for machines of its number; ``clock_skew`` is in seconds and holds for what is left when
    the clock was set; ``free_disk_gb`` is in 10^9 bytes on C:.
    """

    edition: Text | None = None
    language: LanguageTag | None = None
    locale: LanguageTag | None = None
    minimum_builds: tuple[BuildName, ...] = ()
    free_disk_gb: Gigabytes | None = None
    clock_skew: Seconds = 300.0
    pending_reboot: Literal["none", "any"] = "none"
    installer_rollback: Literal["on", "any"] = "on"
    updates: Literal["off", "any"] = "any"
    defender: Literal["on", "off", "any"] = "any"

    def declared(self) -> dict[str, Any]:
        """Give what was written, defaults left out, by key."""
        return {key: getattr(self, key) for key in sorted(self.model_fields_set)}
