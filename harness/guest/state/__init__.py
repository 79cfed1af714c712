"""What is on a guest at one moment, and what differs between two: files, software, services, PATH and more."""

from harness.guest.state.areas import HIVES, Hive
from harness.guest.state.change import Change
from harness.guest.state.differences import changes
from harness.guest.state.listing import Entry
from harness.guest.state.taking import DEFAULT_ROOTS, EVERYTHING, SOFTWARE, Scope, questions, read_state
from harness.guest.state.things import SearchPath, State, Thing, UninstallEntry

__all__ = [
    "DEFAULT_ROOTS",
    "EVERYTHING",
    "HIVES",
    "SOFTWARE",
    "Change",
    "Entry",
    "Hive",
    "Scope",
    "SearchPath",
    "State",
    "Thing",
    "UninstallEntry",
    "changes",
    "questions",
    "read_state",
]
