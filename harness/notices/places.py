"""Who is told, as a person writes it down: ``notices.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness import authoring
from harness.authoring import Authored, Text
from harness.products.packages import WebAddress
from harness.secret import Secret

Budget = Annotated[float, Field(strict=True, gt=0, le=600, allow_inf_nan=False)]


class Webhook(Authored):
    """An address that is told; a webhook's address lets everybody write there, so it is named like a password.

    With a ``secret``, each message is signed (HMAC with SHA-256). ``on`` says which decisions are told.
    """

    name: Text
    kind: Literal["teams", "slack", "json"]
    url: Secret
    secret: Secret | None = None
    on: Literal["always", "hold", "ship"] = "always"


class NoticesFile(Authored):
    """Webhooks, the address of the report for people to open, and the seconds that telling may take in all."""

    link: WebAddress | None = None
    budget: Budget = 20.0
    webhooks: tuple[Webhook, ...] = ()


def read_notices(path: Path) -> NoticesFile:
    """Read who is told; raises AuthoringError with every mistake, a line each."""
    return authoring.read(path, NoticesFile)
