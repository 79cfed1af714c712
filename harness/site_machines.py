"""What a site file says of its machines: which they are, and in what way a clean one comes about."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from harness.authoring import Authored, BuildName, Text, Whole
from harness.builds import Build
from harness.environment import Demands
from harness.mistakes import quoted


def _host(text: str) -> str:
    if "://" in text or "/" in text:
        raise ValueError("should be a name or an address alone, without https:// and without a path")
    if text.count(":") == 1:
        raise ValueError("should be without a port; the key 'port' is for it")
    if not re.fullmatch(r"[^\s\x00-\x20@\[\]]{1,253}", text):
        raise ValueError("should be a host's name or address")
    return text


Host = Annotated[Text, AfterValidator(_host)]

FROM_TOOLS = "from-tools"
"""Stands for an address that nobody knows beforehand: VMware Tools tell it once Windows is up."""

Strategy = Literal["revert", "linked-clone", "instant-clone"]


class Clones(Authored):
    """Where clones of a machine go, how many there are at most, and what makes each of them itself."""

    at_most: Annotated[Whole, Field(ge=1, le=99)] = 1
    folder: Text | None = None
    datastore: Text | None = None
    pool: Text | None = None
    host: Text | None = None
    customization: Text | None = None
    guestinfo: dict[str, str] = Field(default_factory=dict)
    addresses: tuple[Host, ...] = ()

    @model_validator(mode="after")
    def _an_address_each(self) -> Clones:
        if self.addresses and len(self.addresses) != self.at_most:
            raise ValueError(f"{len(self.addresses)} addresses for at most {self.at_most} clones; each needs its own")
        for key in self.guestinfo:
            if not key.startswith("guestinfo."):
                raise ValueError(
                    f"guestinfo: {quoted(key)} should begin with 'guestinfo.', or the guest cannot read it"
                )
        return self


class SiteMachine(Authored):
    """Machines of the inventory: one by path or MoRef, or all of a folder, a tag or custom attributes.

    With the build that they carry, the snapshot they are reverted to or cloned from, how their guests are
    reached, and what else they are known to be.
    """

    path: Text = ""
    moid: Text | None = None
    folder: Text | None = None
    tag: Text | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    build: BuildName
    snapshot: Text
    address: Host = FROM_TOOLS
    strategy: Strategy = "revert"
    fallback: Strategy | None = None
    clones: Clones = Clones()
    environment: Demands = Demands()

    @property
    def windows(self) -> Build:
        """The build as a value."""
        return Build.parse(self.build)

    def carries(self, build: Build) -> bool:
        """Tell whether its machines may serve a build; one without a revision may carry any of the build."""
        # the guest is asked what it is before anything is judged
        ours = self.windows
        return ours.number == build.number and (not build.revision or ours.revision in (0, build.revision))

    @property
    def draws(self) -> bool:
        """Whether it stands for whatever machines its folder, tag and attributes lead to."""
        return not self.path and self.moid is None

    @property
    def told(self) -> str:
        """What the entry says of where its machines are, for a message."""
        words = [("folder", self.folder), ("tag", self.tag)]
        drawn = [f"{key} {value}" for key, value in words if value]
        drawn += [f"{key} = {value}" for key, value in self.attributes.items()]
        return self.path or self.moid or ", ".join(drawn)

    @property
    def lease_name(self) -> str:
        """What a lease of it is held on."""
        return self.path.strip("/") or self.told

    @model_validator(mode="before")
    @classmethod
    def _a_place(cls, written: Any) -> Any:
        if not isinstance(written, dict):
            return written
        one = [key for key in ("path", "moid") if key in written]
        many = [key for key in ("folder", "tag", "attributes") if key in written]
        if len(one) + bool(many) > 1:
            raise ValueError(
                f"{' and '.join(one + many)} contradict each other: name one machine, or where to draw from"
            )
        if not one and not many:
            raise ValueError("the key 'path' is missing: say which machine, or draw with 'moid', 'folder' or 'tag'")
        if one and "address" not in written and written.get("strategy", "revert") == "revert":
            raise ValueError(f"the key 'address' is missing: the guest's, or {FROM_TOOLS!r}")
        if many and written.get("address", FROM_TOOLS) != FROM_TOOLS:
            raise ValueError(f"one address cannot serve all machines drawn; leave it out, it is {FROM_TOOLS!r}")
        return written

    @model_validator(mode="after")
    def _a_way(self) -> SiteMachine:
        if self.tag is not None and not re.fullmatch(r"[^/]+/[^/]+", self.tag):
            raise ValueError(f"tag: {quoted(self.tag)} should name category and tag: 'wincompat/win11'")
        if self.strategy == "revert" and self.clones != Clones():
            raise ValueError(
                "'clones' says how to clone, and the strategy is 'revert'; add strategy = \"linked-clone\""
            )
        if self.strategy != "revert" and self.address != FROM_TOOLS:
            raise ValueError("one address cannot serve several clones; give each its own in clones.addresses")
        if self.fallback == self.strategy:
            raise ValueError(f"fallback: {quoted(self.fallback)} is the strategy itself")
        if self.strategy == "instant-clone" and self.fallback == "revert":
            raise ValueError("fallback: the source of instant clones must stay as it is; fall back on 'linked-clone'")
        if self.strategy == "revert" and self.fallback is not None:
            raise ValueError("fallback: there is nothing to fall back on when a revert fails")
        return self
