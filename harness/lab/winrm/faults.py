"""How the service refuses: SOAP faults with the codes and words that clients look for.

The codes are those of Windows' ``wsmerror.h`` and ``winerror.h``; clients act on them (open a new shell, ask again), so
a wrong code is a wrong answer even when the words are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from harness.lab.winrm import names

_WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
_DETAIL = names.WSMAN.removesuffix(".xsd") + "/faultDetail/"


@dataclass(eq=False)
class Fault(Exception):
    """An answer that says no: Windows error code, SOAP subcode, reason, and detail where it differs from the reason."""

    code: int
    subcode: str
    reason: str
    message: str = ""
    sender: bool = True
    detail: str = ""
    quota: bool = False

    @property
    def action(self) -> str:
        """The action header of the answer."""
        family = names.WSMAN.removesuffix(".xsd") if self.subcode.startswith("w:") else names.ADDRESSING
        return family + "/fault"

    def body(self, machine: str) -> str:
        """Write the fault as the content of a SOAP body."""
        detail = f"<w:FaultDetail>{_DETAIL}{self.detail}</w:FaultDetail>" if self.detail else ""
        # clients read quota refusals from either element: Ansible from the second, WinRM for Ruby from the first
        wmi = (
            f'<m:MSFT_WmiError b:IsCIM_Error="true" xmlns:m="{_WMI_ERROR}" '
            'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd">'
            f"<m:Message>{escape(self.message or self.reason)}</m:Message>"
            f"<m:MessageID>HRESULT 0x{self.code:x}</m:MessageID><m:error_Code>{self.code}</m:error_Code>"
            "<m:error_Type>HRESULT</m:error_Type></m:MSFT_WmiError>"
            if self.quota
            else ""
        )
        code = f"<s:Value>{'s:Sender' if self.sender else 's:Receiver'}</s:Value>"
        code += f"<s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode>"
        if self.subcode.startswith("s:"):  # one of SOAP's own, which has no finer name
            code = f"<s:Value>{self.subcode}</s:Value>"
        return (
            f"<s:Fault><s:Code>{code}</s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{escape(self.reason)}</s:Text></s:Reason>'
            f'<s:Detail>{detail}<f:WSManFault xmlns:f="{names.WSMAN_FAULT}" Code="{self.code}" '
            f"Machine={quoteattr(machine)}><f:Message>{escape(self.message or self.reason)}</f:Message></f:WSManFault>"
            f"{wmi}</s:Detail></s:Fault>"
        )


_INVALID_SELECTORS = (
    "The WS-Management service cannot process the request because the request contained invalid selectors for the "
    "resource. "
)


def malformed(why: str) -> Fault:
    """Say that the request is not XML, or not an envelope."""
    return Fault(
        2150858817,
        "w:SchemaValidationError",
        f"The SOAP XML in the message does not match the corresponding XML schema definition. {why} ",
    )


def another_soap() -> Fault:
    """Say that the envelope is of another version of SOAP."""
    return Fault(
        2150858765,
        "s:VersionMismatch",
        "The WS-Management service does not support the SOAP version specified in the request. ",
    )


def not_understood(name: str) -> Fault:
    """Say that a header has to be understood that nobody here understands."""
    return Fault(
        2150858768,
        "s:MustUnderstand",
        "The WS-Management service cannot process a SOAP header in the request that is marked as mustUnderstand by the "
        "client. This could be caused by the use of a version of the protocol which is not supported, or may be an "
        "incompatibility between the client and server implementations. ",
        message=f"The header {name} is not understood. ",
    )


def header_missing(name: str) -> Fault:
    """Say that the request lacks a header that every request has."""
    return Fault(
        2150858769,
        "a:MessageInformationHeaderRequired",
        "The WS-Management service cannot process the request. The request does not have all the expected SOAP "
        "headers. ",
        message=f"The header {name} is missing. ",
    )


def envelope_too_small(least: int) -> Fault:
    """Say that the client wants answers smaller than the protocol lets it."""
    return Fault(
        2150858805,
        "w:EncodingLimit",
        "The WS-Management service cannot process the request because the encoding of the request exceeds an internal "
        "encoding limit. Reconfigure the client to send messages which fit the encoding limits of the service. ",
        message=f"MaxEnvelopeSize is {least} bytes at least. ",
        detail="MinimumEnvelopeLimit",
    )


def no_such_stream(name: str, *, of_input: bool) -> Fault:
    """Say that the shell was opened without the stream that is written to or read."""
    which = "input" if of_input else "output"
    return Fault(
        2150859147 if of_input else 2150859149,
        "w:InvalidParameter",
        f"The Windows Remote Shell has no {which} stream {name}. ",
        detail="InvalidValue",
    )


def invalid_value(what: str) -> Fault:
    """Say that a value in the request cannot be read or used."""
    return Fault(87, "w:InvalidParameter", "The parameter is incorrect. ", message=what, detail="InvalidValue")


def unknown_action(action: str) -> Fault:
    """Say that nobody here answers to that action."""
    return Fault(
        2150858753,
        "a:ActionNotSupported",
        f"The WS-Management service cannot process the request because the action is not supported: {action} ",
        detail="InvalidActionURI",
    )


def unknown_resource(resource: str) -> Fault:
    """Say that nobody here serves that resource."""
    return Fault(
        2150858752,
        "a:DestinationUnreachable",
        "The WS-Management service cannot process the request. "
        f"The resource URI ({resource}) was not found in the WS-Management catalog. ",
        detail="InvalidResourceURI",
    )


def unknown_option(name: str) -> Fault:
    """Say that the client insists on an option that this shell does not have."""
    return Fault(
        2150858834,
        "w:InvalidOptions",
        f"The WS-Management service cannot process the request. The option {name} is not known. ",
        detail="InvalidName",
    )


def shell_missing(identity: str) -> Fault:
    """Say that there is no such shell: never created, deleted, idle too long, or from before a reboot."""
    return Fault(
        2150858843,
        "w:InvalidSelectors",
        _INVALID_SELECTORS,
        message=f"The request for the Windows Remote Shell with ShellId {identity} failed because the shell was not "
        "found on the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on "
        "the server. Provide the correct ShellId or create a new shell and retry the operation. ",
        detail="UnexpectedSelectors",
    )


def command_missing() -> Fault:
    """Say that there is no such command; Windows uses the code of a missing shell, only the words tell them apart."""
    return Fault(
        2150858843,
        "w:InvalidSelectors",
        _INVALID_SELECTORS,
        message="The Windows Remote Shell received a request to perform an operation on a command identifier that does "
        "not exist. Either the command has completed execution or the client specified an invalid command identifier. ",
        detail="UnexpectedSelectors",
    )


def shell_exists(identity: str) -> Fault:
    """Say that the client proposed a ShellId that is taken."""
    return Fault(
        2150858798, "w:AlreadyExists", f"The proposed identifier {identity} is in use. ", detail="InvalidProposedId"
    )


def access_denied() -> Fault:
    """Say that the shell belongs to somebody else."""
    return Fault(5, "w:AccessDenied", "Access is denied. ")


def timed_out() -> Fault:
    """Say that nothing came within the operation timeout: normal on Receive; some clients match these very words."""
    return Fault(
        2150858793,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
        sender=False,
    )


def too_many_shells(limit: int) -> Fault:
    """Say that MaxShellsPerUser is reached."""
    return Fault(
        2150859173,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent shells for this user "
        "has been exceeded. Close existing shells or raise the quota for this user. ",
        message="The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user. ",
        quota=True,
    )


def too_many_operations(limit: int) -> Fault:
    """Say that MaxConcurrentOperationsPerUser is reached."""
    return Fault(
        2150859174,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this "
        "user has been exceeded. Close existing operations for this user, or raise the quota for this user. ",
        message="The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent operations, which has been exceeded. Close existing operations for this user, or raise "
        "the quota for this user. ",
        quota=True,
    )


def too_many_processes() -> Fault:
    """Say that MaxProcessesPerShell is reached."""
    return Fault(2147944216, "w:InternalError", "Not enough quota is available to process this command. ", sender=False)


def no_such_file() -> Fault:
    """Say that the program is not there (only without cmd, which would have said so itself)."""
    return Fault(2147942402, "w:InternalError", "The system cannot find the file specified. ", sender=False)


def no_such_directory() -> Fault:
    """Say that the shell's working directory is not there."""
    return Fault(2147942667, "w:InternalError", "The directory name is invalid. ", sender=False)


def aborted() -> Fault:
    """Say that somebody ended the command while this request waited for it."""
    return Fault(
        995,
        "w:InternalError",
        "The I/O operation has been aborted because of either a thread exit or an application request. ",
        sender=False,
    )


def pipe_closed() -> Fault:
    """Say that the command has ended, or its input was closed before."""
    return Fault(2147942632, "w:InternalError", "The pipe is being closed. ", sender=False)


def internal(what: str) -> Fault:
    """Say that the service itself went wrong."""
    return Fault(2147500037, "w:InternalError", f"The lab's WinRM service failed: {what} ", sender=False)
