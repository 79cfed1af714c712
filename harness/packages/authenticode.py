"""Authenticode: whether a file is what its signer signed, who that is, and until when it is so.

Everything is decided offline, from the file alone: integrity, signer, validity, time stamp, and whether the chain leads
to a root of Microsoft's programme. Revocation is not looked up. Structures are read with asn1crypto, keys are
cryptography's. signify, which knows all this, cannot be imported where OpenSSL's version is like 3.0.19: its oscrypto
does not read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.packages.chain import chain_of, root_of
from harness.packages.signed_message import DIGESTS, broken, certificates_of, inner_of, second_in, signer_of
from harness.packages.time_stamp import read_stamp
from harness.packages.unreadable import Unreadable, reading

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

WHAT = "a signature"
_CODE_SIGNING = "1.3.6.1.5.5.7.3.3"

Digest = Callable[[str], bytes]
"""Hashes the signed part of a file with the algorithm of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a file's signature says, and whether it is so.

    ``intact``: the file is what was signed, and the signature is the signer's. ``stamped``: when an authority saw it,
    if its word is good. ``chain``: names from the signer up. ``root``: ``known`` (in Microsoft's list), ``unknown``,
    ``missing`` (the chain ends below a root), ``unchecked`` (no list at hand). Times are UTC.
    """

    intact: bool
    problem: str
    algorithm: str
    signer: str
    organisation: str
    chain: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    stamped: datetime | None
    stamp_problem: str
    root: str
    is_for_code: bool

    @property
    def names(self) -> tuple[str, str]:
        """What the signer is called: common name and organisation."""
        return self.signer, self.organisation

    def counts_on(self, day: datetime) -> bool:
        """Tell whether it is valid on a day: within its dates, or stamped while it was."""
        moment = self.stamped or day
        return self.valid_from <= moment <= self.valid_to


def read_signature(content: bytes, digest: Digest, file: Path) -> Signature:
    """Read and verify a PKCS #7 signature; raises Unreadable where it is none."""
    with reading(file, WHAT):
        from asn1crypto import algos, cms  # type: ignore[import-untyped]  # has no types

        signed = cms.ContentInfo.load(content)["content"]
        if not isinstance(signed, cms.SignedData) or not len(signed["signer_infos"]):
            raise Unreadable(f"{file.name}: its signature has no signer")
        certificates = certificates_of(signed)
        inner = inner_of(signed)
        told = algos.DigestInfo.load(second_in(inner))
        algorithm = str(told["digest_algorithm"]["algorithm"].native)
        signer_info = signed["signer_infos"][0]
        signer = signer_of(signer_info, certificates, file)
        problem = broken(signer_info, signer, inner)
        if not problem and algorithm not in DIGESTS:
            problem = f"it is made with {algorithm}, which is unknown here"
        if not problem and digest(algorithm) != told["digest"].native:
            problem = "the file is not what was signed"
        chain = chain_of(signer, certificates)
        root, stamp = root_of(chain), read_stamp(signer_info, certificates, file)
        stamped, stamp_problem = (stamp.moment, stamp.problem) if stamp is not None else (None, "")
        if stamped is not None and root == "known" and stamp is not None and stamp.root != "known":
            # anybody can stamp: an unknown authority's word is good for a signer who is unknown anyway, and no other
            stamped, stamp_problem = None, "its authority is not of Microsoft's programme"
        return Signature(
            intact=not problem,
            problem=problem,
            algorithm=algorithm,
            signer=_name(signer, "2.5.4.3") or signer.subject.rfc4514_string(),
            organisation=_name(signer, "2.5.4.10"),
            chain=tuple(_name(one, "2.5.4.3") or one.subject.rfc4514_string() for one in chain),
            valid_from=signer.not_valid_before_utc,
            valid_to=signer.not_valid_after_utc,
            stamped=stamped,
            stamp_problem=stamp_problem,
            root=root,
            is_for_code=_is_for_code(signer),
        )


def _is_for_code(signer: Certificate) -> bool:
    from cryptography import x509

    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True  # without the extension a certificate is good for everything
    return any(one.dotted_string == _CODE_SIGNING for one in usage)


def _name(certificate: Certificate, oid: str) -> str:
    from cryptography import x509

    found = certificate.subject.get_attributes_for_oid(x509.ObjectIdentifier(oid))
    return str(found[0].value) if found else ""
