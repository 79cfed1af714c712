"""Connections as requests makes them, each of which is told as soon as it stands: who waits may have to end it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import requests
import urllib3.connectionpool


class TellingAdapter(requests.adapters.HTTPAdapter):
    """Connects as requests does, and tells each socket as soon as it is connected."""

    def __init__(self, tell: Callable[[socket.socket], None]) -> None:
        self._tell = tell
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Make pools whose connections tell; requests calls this when it makes the adapter."""
        super().init_poolmanager(*args, **named)
        tell = self._tell

        class Plain(urllib3.connection.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                tell(self.sock)

        class Secured(urllib3.connection.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                tell(self.sock)

        class PlainPool(urllib3.connectionpool.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecuredPool(urllib3.connectionpool.HTTPSConnectionPool):
            ConnectionCls = Secured

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecuredPool}
