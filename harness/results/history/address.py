"""What the URL of a history may say."""

from __future__ import annotations

import re

from harness.errors import AuthoringError


def refuse_password(url: str) -> None:
    """Raise AuthoringError for a URL with a password in it: it would be written down with the run's command."""
    if re.match(r"[^:/]+://[^/]*:[^/]*@", url):
        raise AuthoringError(f"{url.partition('://')[0]}://...: a URL should hold no password; use the environment")
