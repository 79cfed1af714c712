"""Installers' own logs, read as a stream into what failed, why, and what it touched."""

from harness.installer_logs.reader import read_log
from harness.installer_logs.reading import LogReading

__all__ = ["LogReading", "read_log"]
