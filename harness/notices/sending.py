"""Telling webhooks: signed, tried again within a budget, and never a reason for anything else to fail."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from harness.errors import AuthoringError
from harness.notices.brief import Brief
from harness.notices.places import Webhook
from harness.notices.shapes import shaped
from harness.notices.waits import NotTaken, until_it_is_taken

TIMEOUT = 5.0  # seconds for a connection, and again for an answer
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Refused(Exception):
    """The address does not take it, now or later."""


def tell(
    webhooks: Sequence[Webhook], told: Brief, *, budget: float, sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """Tell all of them at once, and say in a sentence each how that went; takes no longer than the budget in seconds.

    Raises nothing: a channel that is away is no reason to hold, and no reason to wait.
    """
    wanted = [webhook for webhook in webhooks if webhook.on in ("always", told.word)]
    said = {webhook.name: f"{webhook.name}: no answer within {budget:g} s, given up" for webhook in wanted}

    def deliver(webhook: Webhook) -> None:
        words = _delivered(webhook, told, budget, sleep)
        said[webhook.name] = f"{webhook.name}: {words}"

    # daemons: one that hangs in a server's dripping answer must not keep the process
    threads = [threading.Thread(target=deliver, args=(webhook,), daemon=True) for webhook in wanted]
    until = time.monotonic() + budget
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return [said[webhook.name] for webhook in wanted]


def signature(secret: str, moment: str, body: bytes) -> str:
    """Sign a message: HMAC with SHA-256 over the time stamp, a dot and the body; ``v1=`` and hexadecimal digits."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def _delivered(webhook: Webhook, told: Brief, budget: float, sleep: Callable[[float], None]) -> str:
    try:
        url = webhook.url.read().get_secret_value()
        secret = webhook.secret.read().get_secret_value() if webhook.secret is not None else ""
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            return f"not told: {webhook.url.place} should hold an address that begins with https://"
        body = json.dumps(shaped(webhook.kind, told), ensure_ascii=True).encode()
        delivery = str(uuid.uuid4())  # the same for every try, so that a receiver can tell a second one
        until_it_is_taken(budget, sleep=sleep)(_post, url, body, secret, delivery)
    except (AuthoringError, _Refused) as error:
        return f"not told: {error}"
    except NotTaken as error:
        return f"not told: {error}, given up"
    except Exception as error:  # noqa: BLE001 - whatever it is; and its words may hold the address, which is a secret
        return f"not told: {type(error).__name__}"
    return "told"


def _post(url: str, body: bytes, secret: str, delivery: str) -> None:
    # late: it takes longer to import than everything else here; it is here anyway through pywinrm
    import requests

    moment = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "pytest-wincompat",
        "X-Wincompat-Delivery": delivery,
        "X-Wincompat-Timestamp": moment,
    }
    if secret:
        headers["X-Wincompat-Signature"] = signature(secret, moment, body)
    try:
        # no redirects: an address is where its owner put it; no reading: nobody needs what it answers
        with requests.post(
            url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            status, after = answer.status_code, answer.headers.get("Retry-After", "")
    except requests.exceptions.SSLError:
        raise _Refused("its certificate is not trusted") from None
    except requests.Timeout:
        raise NotTaken("it did not answer in time") from None
    except requests.ConnectionError:
        raise NotTaken("there is no connection") from None
    if status in LATER:
        raise NotTaken(f"it answers {status}", float(after) if after.isdecimal() else 0.0)
    if not 200 <= status < 300:
        raise _Refused(f"it answers {status}")
