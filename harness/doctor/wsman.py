"""Asking a port whether WS-Man is behind it, without an account: the Identify of DSP0226, section 11."""

from __future__ import annotations

import re
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from harness.doctor.finding import Answer, fail, ok

_IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
)
_HEADERS = {"Content-Type": "application/soap+xml;charset=UTF-8", "WSMANIDENTIFY": "unauthenticated"}


def identified(host: str, port: int, *, tls: ssl.SSLContext | None, within: float) -> Answer:
    """Knock as a stranger; Windows answers with its stack's version or asks for an account, and either will do."""
    connection = (
        HTTPConnection(host, port, timeout=within)
        if tls is None
        else HTTPSConnection(host, port, timeout=within, context=tls)
    )
    try:
        connection.request("POST", "/wsman", _IDENTIFY.encode(), _HEADERS)
        answer = connection.getresponse()
        said = answer.read(1 << 16).decode("utf-8", "replace")
    except TimeoutError:
        return fail(
            f"takes connections and says nothing within {within:g} s",
            "look at its console: Windows may still boot, or hang; restart the WinRM service or revert the machine",
        )
    except (OSError, HTTPException) as error:
        return fail(
            f"breaks off: {getattr(error, 'strerror', None) or error or type(error).__name__}",
            "check winrm.scheme and winrm.port, and that the WinRM service runs in the guest",
        )
    finally:
        connection.close()
    if answer.status == 200 and "IdentifyResponse" in said:
        vendor = re.search(r"<[^>]*ProductVendor>([^<]+)<", said)
        return ok(f"answers{f' as {vendor[1].strip()}' if vendor else ''}")
    if answer.status == 401:
        return ok("answers, and asks strangers for an account")
    return fail(
        f"answered with HTTP {answer.status} {answer.reason}",
        "check winrm.port: something else may listen there; make a listener with 'winrm quickconfig' in the guest",
    )
