"""The names that WS-Management gives to things: namespaces, actions, resources, states and signals."""

from __future__ import annotations

from typing import Final

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WSMAN: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MICROSOFT: Final = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
WSMAN_FAULT: Final = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
IDENTITY: Final = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
CONFIG: Final = "http://schemas.microsoft.com/wbem/wsman/1/config"
SHELL: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD_SHELL: Final = SHELL + "/cmd"
ANONYMOUS: Final = ADDRESSING + "/role/anonymous"

GET: Final = TRANSFER + "/Get"
CREATE: Final = TRANSFER + "/Create"
DELETE: Final = TRANSFER + "/Delete"
COMMAND: Final = SHELL + "/Command"
RECEIVE: Final = SHELL + "/Receive"
SEND: Final = SHELL + "/Send"
SIGNAL: Final = SHELL + "/Signal"

STATE_RUNNING: Final = SHELL + "/CommandState/Running"
STATE_DONE: Final = SHELL + "/CommandState/Done"

SOAP_MEDIA_TYPE: Final = "application/soap+xml;charset=UTF-8"
