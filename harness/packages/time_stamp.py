"""Time stamps: when an authority saw a signature, in either of the two forms that Windows knows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.packages.chain import chain_of, root_of
from harness.packages.signed_message import broken, certificates_of, inner_of, signer_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_MICROSOFTS, _STANDARD, _COUNTER_SIGNATURE = (
    "1.3.6.1.4.1.311.3.3.1",
    "1.2.840.113549.1.9.16.2.14",
    "1.2.840.113549.1.9.6",
)


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """When the authority saw the signature, in UTC, and its root as in Signature; a ``problem`` where it fails."""

    moment: datetime | None
    problem: str
    root: str = ""


def read_stamp(signer_info: Any, certificates: Sequence[Certificate], file: Path) -> TimeStamp | None:
    """Read and verify the time stamp of a signature; None without one."""
    unsigned = signer_info["unsigned_attrs"]
    kept: Mapping[str, Any] = {one["type"].dotted: one["values"] for one in unsigned} if unsigned else {}
    value = signer_info["signature"].native
    for kind in (_MICROSOFTS, _STANDARD):
        if kind in kept:
            return _token(kept[kind][0].dump(), value, certificates, file)
    if _COUNTER_SIGNATURE in kept:
        return _counter_signature(kept[_COUNTER_SIGNATURE][0].dump(), value, certificates, file)
    return None


def _token(content: bytes, value: bytes, certificates: Sequence[Certificate], file: Path) -> TimeStamp:
    from asn1crypto import cms, tsp  # type: ignore[import-untyped]  # has no types

    signed = cms.ContentInfo.load(content)["content"]
    # the octet string's content, of which inner_of gives the inside
    told_bytes = inner_of(signed)
    told = tsp.TSTInfo.load(told_bytes)
    own = [*certificates_of(signed), *certificates]
    stamper_info = signed["signer_infos"][0]
    stamper = signer_of(stamper_info, own, file)
    problem = broken(stamper_info, stamper, told_bytes)
    imprint = told["message_imprint"]
    named = str(imprint["hash_algorithm"]["algorithm"].native)
    seen = hashlib.new(named, value, usedforsecurity=False).digest()
    if not problem and seen != imprint["hashed_message"].native:
        problem = "it speaks of another signature"
    return _judged(told["gen_time"].native.astimezone(UTC), problem, stamper, own)


def _counter_signature(content: bytes, value: bytes, certificates: Sequence[Certificate], file: Path) -> TimeStamp:
    from asn1crypto import cms

    stamper_info = cms.SignerInfo.load(content)
    stamper = signer_of(stamper_info, certificates, file)
    attributes = stamper_info["signed_attrs"]
    times = [one["values"][0].native for one in attributes if one["type"].native == "signing_time"]
    if not times:
        return TimeStamp(None, "it tells no time")
    return _judged(times[0].astimezone(UTC), broken(stamper_info, stamper, value), stamper, certificates)


def _judged(moment: datetime, problem: str, stamper: Certificate, certificates: Sequence[Certificate]) -> TimeStamp:
    if not problem and not stamper.not_valid_before_utc <= moment <= stamper.not_valid_after_utc:
        problem = "its authority's certificate was not valid then"
    return TimeStamp(None if problem else moment, problem, root_of(chain_of(stamper, certificates)))
