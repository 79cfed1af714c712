"""What comes in is read without being trusted; what goes out is well-formed."""

from __future__ import annotations

import pytest

from harness.lab.winrm import names
from harness.lab.winrm.envelope import parse, read_duration, read_request, write_answer
from harness.lab.winrm.faults import Fault, too_many_operations, unknown_resource

HEAD = f'<s:Envelope xmlns:s="{names.SOAP}" xmlns:a="{names.ADDRESSING}" xmlns:w="{names.WSMAN}">'


def test_a_request_says_what_it_wants() -> None:
    """Action, resource, message, selectors, options, time and size come out of the header."""
    request = read_request(
        f"""{HEAD}<s:Header><a:Action>act</a:Action><a:MessageID>uuid:AbC</a:MessageID>
        <w:ResourceURI>res</w:ResourceURI><w:OperationTimeout>PT1M0.5S</w:OperationTimeout>
        <w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize>
        <w:SelectorSet><w:Selector Name="ShellId">S</w:Selector></w:SelectorSet>
        <w:OptionSet><w:Option Name="A" MustComply="true">TRUE</w:Option><w:Option Name="B">no</w:Option></w:OptionSet>
        </s:Header><s:Body><x/></s:Body></s:Envelope>""".encode()
    )
    assert (request.action, request.resource, request.message_id) == ("act", "res", "uuid:AbC")
    assert (request.timeout, request.max_envelope) == (60.5, 153600)
    assert request.selectors == {"ShellId": "S"}
    assert request.flag("A")
    assert not request.flag("B")
    assert request.insisted == {"A"}
    assert request.body is not None
    assert request.body.tag == "x"


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le"])
@pytest.mark.parametrize("told", ["UTF-16", "utf-8"])
def test_utf_16_is_read_too(charset: str, told: str) -> None:
    """Windows' own client writes UTF-16, with and without a mark; a sealed message's media type does not tell."""
    text = f'<?xml version="1.0" encoding="UTF-16"?>{HEAD}<s:Header><a:Action>ä</a:Action></s:Header>'
    text += "<s:Body/></s:Envelope>"
    assert read_request(text.encode(charset), told).action == "ä"


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(12))
    + f"]>{HEAD}<s:Body>&m;</s:Body></s:Envelope>"
)
OUTSIDE = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{HEAD}<s:Body>&e;</s:Body></s:Envelope>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "<a>",
        "<a/>",
        f"{HEAD}</s:Envelope>",
        "\0\1\2",
        f'<?xml version="1.0" encoding="nonsense"?>{HEAD}<s:Body/></s:Envelope>',
        BOMB,
        OUTSIDE,
        f"<!DOCTYPE x>{HEAD}<s:Body/></s:Envelope>",
        f'<!DOCTYPE x [<!ENTITY e "small">]>{HEAD}<s:Body><x>&e;</x></s:Body></s:Envelope>',
    ],
    ids=["empty", "prose", "torn", "no envelope", "no body", "binary", "encoding", "bomb", "file", "type", "entity"],
)
def test_what_is_not_a_request_is_refused(text: str) -> None:
    """Malformed XML, another document and any document type end in one fault, and nothing is expanded."""
    with pytest.raises(Fault) as refused:
        read_request(text.encode())
    assert refused.value.code == 2150858817


def test_a_command_that_mentions_a_doctype_is_only_text() -> None:
    """What a character section says is the command's own business."""
    request = read_request(
        f"{HEAD}<s:Body><x><![CDATA[echo <!DOCTYPE html> & more]]></x></s:Body></s:Envelope>".encode()
    )
    assert request.body is not None
    assert request.body.text == "echo <!DOCTYPE html> & more"


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT20S", 20), ("PT60.000S", 60), ("PT1M", 60), ("P1DT2H", 93600), ("7200", 7200)]
)
def test_durations_of_every_client_are_understood(text: str, seconds: float) -> None:
    """ISO 8601 with any of its parts, and the bare number that pywinrm passes on."""
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["P", "PT", "20S", "", "PT-1S", "PT1S!"])
def test_a_bad_duration_is_a_fault(text: str) -> None:
    """A duration that cannot be read is refused, not guessed."""
    with pytest.raises(Fault):
        read_duration(text)


def test_an_answer_relates_to_its_request_letter_by_letter() -> None:
    """Clients compare RelatesTo as text, so its case and its spelling stay; what it holds is escaped."""
    answer = parse(write_answer("<b/>", action="a&b", relates_to="uuid:AbC<&>"))
    assert answer.findtext(f".//{{{names.ADDRESSING}}}RelatesTo") == "uuid:AbC<&>"
    assert answer.findtext(f".//{{{names.ADDRESSING}}}Action") == "a&b"


def test_a_quota_fault_carries_its_code_twice() -> None:
    """Some clients look for WSManFault/@Code, others for MSFT_WmiError/error_Code."""
    body = parse(write_answer(too_many_operations(1500).body("m"), action="f", relates_to=""))
    codes = [
        node.get("Code") or node.text for node in body.iter() if node.get("Code") or node.tag.endswith("error_Code")
    ]
    assert codes == ["2150859174", "2150859174"]


def test_a_fault_escapes_what_it_repeats() -> None:
    """A resource name with markup in it comes back as text."""
    body = parse(write_answer(unknown_resource("<x>&").body("<m>"), action="f", relates_to=""))
    assert any("<x>&" in (node.text or "") for node in body.iter())
