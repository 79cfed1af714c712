"""The chain of a certificate: who vouches for it, and who for them, up to a root."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.packages.roots import are_there, roots_named

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_LONGEST_CHAIN = 10


def chain_of(signer: Certificate, certificates: Sequence[Certificate]) -> Sequence[Certificate]:
    """Give the certificates from the signer up, each issued by the next; the last may be below any root."""
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


def root_of(chain: Sequence[Certificate]) -> str:
    """Tell where a chain ends: known, unknown, missing or unchecked, as Signature explains."""
    if not are_there():
        return "unchecked"
    if chain[-1].subject != chain[-1].issuer:
        return "missing"
    return "known" if chain[-1] in roots_named(chain[-1].subject) else "unknown"
