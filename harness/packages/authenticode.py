"""Authenticode: whether a file is what its signer signed, who that is, and until when it is so.

Everything is decided offline, from the file alone: integrity, signer, validity, time stamp, and whether the chain leads
to a root of Microsoft's programme. Revocation is not looked up. Structures are read with asn1crypto, keys are
cryptography's. signify, which knows all this, cannot be imported where OpenSSL's version is like 3.0.19: its oscrypto
does not read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.packages.roots import are_there, roots_named
from harness.packages.unreadable import Unreadable, reading

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

WHAT = "a signature"
DIGESTS = frozenset({"md5", "sha1", "sha256", "sha384", "sha512"})
_STAMP, _CODE_SIGNING = "1.3.6.1.4.1.311.3.3.1", "1.3.6.1.5.5.7.3.3"
_LONGEST_CHAIN = 10
_CONTEXT = 2

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
        certificates = _certificates(signed)
        inner = _inner(signed)
        told = algos.DigestInfo.load(_second(inner))
        algorithm = str(told["digest_algorithm"]["algorithm"].native)
        signer_info = signed["signer_infos"][0]
        signer = _signer_of(signer_info, certificates, file)
        problem = _broken(signer_info, signer, inner)
        if not problem and algorithm not in DIGESTS:
            problem = f"it is made with {algorithm}, which is unknown here"
        if not problem and digest(algorithm) != told["digest"].native:
            problem = "the file is not what was signed"
        stamped, stamp_problem = _stamp(signer_info, certificates, file)
        chain = _chain(signer, certificates)
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
            root=_root(chain),
            is_for_code=_is_for_code(signer),
        )


def _inner(signed: Any) -> bytes:
    """Give what was signed: the content of the innermost value.

    PKCS #7, which Authenticode uses, holds the value itself in a tag, CMS, which time stamps use, an octet string.
    """
    from asn1crypto import parser

    kind, _, _, _, content, _ = parser.parse(signed["encap_content_info"]["content"].dump())
    if kind == _CONTEXT:
        content = parser.parse(content)[4]
    return bytes(content)


def _second(content: bytes) -> bytes:
    """Give the second of the values that stand side by side in some content."""
    from asn1crypto import parser

    _, _, _, header, first, trailer = parser.parse(content)
    rest = content[len(header) + len(first) + len(trailer) :]
    _, _, _, header, second, trailer = parser.parse(rest)
    return bytes(header + second + trailer)


def _certificates(signed: Any) -> Sequence[Certificate]:
    from cryptography import x509

    found = signed["certificates"]
    choices = [one.chosen for one in found if one.name == "certificate"] if found else []
    return [x509.load_der_x509_certificate(one.dump()) for one in choices]


def _signer_of(signer_info: Any, certificates: Sequence[Certificate], file: Path) -> Certificate:
    sid = signer_info["sid"]
    if sid.name != "issuer_and_serial_number":
        raise Unreadable(f"{file.name}: its signer is named in a way that Authenticode does not know")
    serial, issuer = sid.chosen["serial_number"].native, sid.chosen["issuer"].dump()
    for one in certificates:
        if one.serial_number == serial and one.issuer.public_bytes() == issuer:
            return one
    for one in certificates:  # a name may be encoded in more than one way
        if one.serial_number == serial:
            return one
    raise Unreadable(f"{file.name}: the signer's certificate is not in its signature")


def _broken(signer_info: Any, signer: Certificate, content: bytes) -> str:
    """Say what is wrong with a signer's word on some content; empty where nothing is."""
    algorithm = str(signer_info["digest_algorithm"]["algorithm"].native)
    if algorithm not in DIGESTS:
        return f"it is made with {algorithm}, which is unknown here"
    hashed, signed_part = hashlib.new(algorithm, content, usedforsecurity=False).digest(), content
    attributes = signer_info["signed_attrs"]
    if attributes:
        told = {one["type"].native: one["values"] for one in attributes}
        if "message_digest" not in told or told["message_digest"][0].native != hashed:
            return "what was signed is not what the signature speaks of"
        signed_part = b"\x31" + attributes.dump()[1:]  # signed as a SET, kept under another tag
    return "" if _signed_by(signer, signer_info, signed_part, algorithm) else "the signature is not the signer's"


def _signed_by(signer: Certificate, signer_info: Any, content: bytes, algorithm: str) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    value, key = signer_info["signature"].native, signer.public_key()
    kind: hashes.HashAlgorithm = getattr(hashes, algorithm.upper())()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            pss = signer_info["signature_algorithm"]["algorithm"].native == "rsassa_pss"
            salted = padding.PSS(padding.MGF1(kind), padding.PSS.AUTO)
            key.verify(value, content, salted if pss else padding.PKCS1v15(), kind)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, content, ec.ECDSA(kind))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _stamp(signer_info: Any, certificates: Sequence[Certificate], file: Path) -> tuple[datetime | None, str]:
    """Find when an authority saw the signature, and why its word is not good, where it is not."""
    from asn1crypto import cms, tsp

    unsigned = signer_info["unsigned_attrs"]
    kept: Mapping[str, Any] = {one["type"].native: one["values"] for one in unsigned} if unsigned else {}
    value = signer_info["signature"].native
    if _STAMP in kept or "signature_time_stamp_token" in kept:
        token = kept.get(_STAMP) or kept["signature_time_stamp_token"]
        signed = cms.ContentInfo.load(token[0].dump())["content"]
        told_bytes = _inner(signed)
        told = tsp.TSTInfo.load(told_bytes)
        stamper_info = signed["signer_infos"][0]
        stamper = _signer_of(stamper_info, [*_certificates(signed), *certificates], file)
        problem = _broken(stamper_info, stamper, told_bytes)
        imprint = told["message_imprint"]
        named = str(imprint["hash_algorithm"]["algorithm"].native)
        if (
            not problem
            and hashlib.new(named, value, usedforsecurity=False).digest() != imprint["hashed_message"].native
        ):
            problem = "it speaks of another signature"
        moment = told["gen_time"].native.astimezone(UTC)
    elif "counter_signature" in kept:
        stamper_info = cms.SignerInfo.load(kept["counter_signature"][0].dump())
        stamper = _signer_of(stamper_info, certificates, file)
        problem = _broken(stamper_info, stamper, value)
        times = [
            one["values"][0].native for one in stamper_info["signed_attrs"] if one["type"].native == "signing_time"
        ]
        if not times:
            return None, "it tells no time"
        moment = times[0].astimezone(UTC)
    else:
        return None, ""
    if not problem and not stamper.not_valid_before_utc <= moment <= stamper.not_valid_after_utc:
        problem = "its authority's certificate was not valid then"
    return (None, problem) if problem else (moment, "")


def _chain(signer: Certificate, certificates: Sequence[Certificate]) -> Sequence[Certificate]:
    chain = [signer]
    while len(chain) < _LONGEST_CHAIN and chain[-1].subject != chain[-1].issuer:
        candidates = [*certificates, *roots_named(chain[-1].issuer)]
        above = next((one for one in candidates if _issued(one, chain[-1])), None)
        if above is None:
            break
        chain.append(above)
    return chain


def _issued(issuer: Certificate, issued: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if issuer.subject != issued.issuer:
        return False
    try:
        issued.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _root(chain: Sequence[Certificate]) -> str:
    if not are_there():
        return "unchecked"
    if chain[-1].subject != chain[-1].issuer:
        return "missing"
    return "known" if chain[-1] in roots_named(chain[-1].subject) else "unknown"


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
