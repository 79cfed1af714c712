"""Signed messages (PKCS #7 and CMS): what was signed, by whom, and whether the word holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.packages.unreadable import Unreadable

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

DIGESTS = frozenset({"md5", "sha1", "sha256", "sha384", "sha512"})
_CONTEXT = 2


def inner_of(signed: Any) -> bytes:
    """Give what was signed: the content of the innermost value.

    PKCS #7, which Authenticode uses, holds the value itself in a tag, CMS, which time stamps use, an octet string.
    """
    from asn1crypto import parser  # type: ignore[import-untyped]  # has no types

    kind, _, _, _, content, _ = parser.parse(signed["encap_content_info"]["content"].dump())
    if kind == _CONTEXT:
        content = parser.parse(content)[4]
    return bytes(content)


def second_in(content: bytes) -> bytes:
    """Give the second of the values that stand side by side in some content."""
    from asn1crypto import parser

    _, _, _, header, first, trailer = parser.parse(content)
    rest = content[len(header) + len(first) + len(trailer) :]
    _, _, _, header, second, trailer = parser.parse(rest)
    return bytes(header + second + trailer)


def certificates_of(signed: Any) -> Sequence[Certificate]:
    """Give the certificates that a message brings along."""
    from cryptography import x509

    found = signed["certificates"]
    choices = [one.chosen for one in found if one.name == "certificate"] if found else []
    return [x509.load_der_x509_certificate(one.dump()) for one in choices]


def signer_of(signer_info: Any, certificates: Sequence[Certificate], file: Path) -> Certificate:
    """Find the certificate of a signer; raises Unreadable where it is not among these."""
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


def broken(signer_info: Any, signer: Certificate, content: bytes) -> str:
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
