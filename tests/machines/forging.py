"""A relay before a vCenter that reads along, and puts into questions and answers what no lab has to say."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import aside

FAULT = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>'
    "<faultcode>ServerFaultCode</faultcode><faultstring>forged</faultstring>"
    '<detail><{0}Fault xmlns="urn:vim25" xsi:type="{0}"/></detail>'
    "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


def _same(content: bytes) -> bytes:
    return content


@dataclass(kw_only=True)
class Forgery:
    """What happens to requests that hold some words, so many times: both sides are rewritten, or it is refused."""

    words: bytes
    times: int
    question: Callable[[bytes], bytes] = _same
    answer: Callable[[bytes], bytes] = _same
    refusal: tuple[int, bytes] | None = None
    struck: int = 0


class Forger:
    """The forgeries of one relay, and where it leads."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.port = 0
        self._forgeries: list[Forgery] = []

    def rewrite(
        self,
        words: str,
        *,
        question: Callable[[bytes], bytes] = _same,
        answer: Callable[[bytes], bytes] = _same,
        times: int = 1,
    ) -> Forgery:
        """Rewrite a request that holds these words, its answer, or both."""
        self._forgeries.append(Forgery(words=words.encode(), times=times, question=question, answer=answer))
        return self._forgeries[-1]

    def refuse(self, words: str, status: int, fault: str = "", *, times: int = 1) -> Forgery:
        """Answer a request that holds these words with a status, and a fault of the API; the vCenter never sees it."""
        body = FAULT.format(fault).encode() if fault else b"no"
        self._forgeries.append(Forgery(words=words.encode(), times=times, refusal=(status, body)))
        return self._forgeries[-1]

    def of(self, request: bytes) -> Forgery | None:
        """Find what happens to a request, and count it."""
        for forgery in self._forgeries:
            if forgery.words in request and forgery.struck < forgery.times:
                forgery.struck += 1
                return forgery
        return None

    def carry(self, verb: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Bring a request to the vCenter, and its answer back, unless it is refused."""
        forgery = self.of(f"{verb} {path}\n".encode() + body)
        if forgery is not None and forgery.refusal is not None:
            return forgery.refusal[0], {}, forgery.refusal[1]
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        onward = HTTPSConnection(*self.target, context=tls, timeout=30)
        try:
            onward.request(verb, path, forgery.question(body) if forgery else body, headers)
            answer = onward.getresponse()
            told = answer.read()
            kept = {name: value for name, value in answer.getheaders() if name in ("Set-Cookie", "Content-Type")}
            return answer.status, kept, forgery.answer(told) if forgery else told
        finally:
            onward.close()


@contextmanager
def forging(port: int, tls: ssl.SSLContext) -> Iterator[Forger]:
    """Stand on loopback before a vCenter on another port of it, with its certificate."""
    forger = Forger("127.0.0.1", port)

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name: value for name, value in self.headers.items() if name in ("Cookie", "SOAPAction")}
            status, headers, told = forger.carry(self.command, self.path, body, kept)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(told))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = do_PUT = _relay  # noqa: N815 - the names that the server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as server:
        server.daemon_threads = True
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        forger.port = server.server_address[1]
        with aside(server):
            yield forger
