"""What this repository's own pytest runs begin with: the plugin as it stands in the checkout, installed or not."""

from __future__ import annotations

pytest_plugins = ["harness.plugin"]
