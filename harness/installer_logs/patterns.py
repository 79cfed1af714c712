"""What the lines of a verbose Windows Installer log look like, and the words that its languages use."""

from __future__ import annotations

import re

from harness.installer_logs.clock import TIME

# Lines without the engine's prefix; those of actions in any language: words, a time of day, the action, and for its end
# a number at the end: "Action ended 10:00:02: InstallFiles. Return value 3."
ACTION = re.compile(rf"([^\d:\[(]{{2,40}}?) ?{TIME} ?[:\uff1a] ?([^\s:。]{{1,100}}?)(?:\.(?=\s|$)|。)\s*(.*)$")
VALUE = re.compile(r"\D{2,30} ?([0-5])\s?[.。]?\s*$")
ERROR = re.compile(r"(?:(?:Internal|DEBUG:) )?(\w{2,12}) ([1-3][0-9]{3,4})\s?[.。:] ?(.*)$")
PRODUCT = re.compile(r"(\w{2,20}) ?[:\uff1a] ?(.{1,200}?) -- (.*)$")
CUSTOM = re.compile(r"CustomAction (\S{1,100}) returned actual error code (-?[0-9]{1,10})(.*)$")
QUIET = re.compile(r"(\w{3,40}):  Error (0x[0-9A-Fa-f]{8}): (.*)$")
PROPERTY = re.compile(r"Property\([A-Z]\): (\S{1,200}) = (.*)$")
BUILD = re.compile(r"Build type: [A-Z ]{0,40}?([0-9][0-9.]{3,20})")
USED_BY = re.compile(r"by the following process:? Name: ?(.{1,100}?) ?, Id:? ?([0-9]{1,10})")

# Lines of the engine, behind its prefix "MSI (s) (0C:B8) [10:00:01:123]: ". These are in English everywhere.
CHANGE = re.compile(r"PROPERTY CHANGE: (\w{1,20}) (\S{1,200}) property\.")
CHANGED_TO = re.compile(r"(?:Its value is|Its new value:) '(.*)'\.?\s*$")
RETURNING = re.compile(r"MainEngineThread is returning ([0-9]{1,10})")
NOTE = re.compile(r"Note: 1: ([0-9]{4,5})(?: 2: (.*?))?(?: 3: (.*?))?\s*$")
RESTART = re.compile(r"Type of System Restart: ([0-9])\. Reason for Restart: ([0-9])")
RESULT = re.compile(
    r"Windows Installer (\w{1,20}) the product\. Product Name: (.{1,200}?)\. Product Version: .*: ([0-9]{1,10})\."
)
HOLDER = re.compile(r"with id ([0-9]{1,10}),? (?:and )?friendly name '([^']{1,200})'.{0,200}?holds file")
STARTING = re.compile(r"ActionStart\(Name=([^,)]{1,100})")
INFO = re.compile(r"ProductInfo\(ProductKey=(\{[0-9A-Fa-f-]{36}\}),ProductName=([^,)]{0,200})")

REFUSED = re.compile(
    r"(?:System [Ee]rror|[Ee]rror|Code|code)(?: code)?:? ?\(?5\b|0x80070005"
    r"|Access is denied|Zugriff verweigert|Accès refusé"
)
GUID = re.compile(r"\{[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}\}")

# the number of the message that comes before "Product: X -- Installation failed.", which says nothing of the reason
OUTCOMES = frozenset((1707, 1708, 1715, 1716, 1717, 1724, 1725, 1726, 1727, 1728, 1729, 1733))
REMOVAL_DONE = 1724
OUTCOME_WORDS = re.compile(
    r"(?:Installation|Removal|Configuration|Advertisement|Update|Patch)\b.{0,80}?"
    r"(?:completed|failed|successfully|operation)"
)
REBOOTING = frozenset((1610, 1611, 1702, 1703, 1732, 1902, 1903))
"""Error numbers that say that a restart is needed."""
RESTART_TYPES = {"1": "at once", "2": "later"}
RESTART_REASONS = {
    "1": "files in use",
    "2": "the action ScheduleReboot",
    "3": "the action ForceReboot",
    "4": "a custom action",
}
