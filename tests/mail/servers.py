"""Mail servers on loopback: a real one whose answers can be chosen, and one that says what no real one would."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tollbridge.config import MailSettings

CUT, HANG = "cut", "hang"
_PATIENCE = 30.0


@attrs.frozen
class Received:
    """A mail that the server took, or whose content it was given before a fault."""

    sender: str
    recipient: str
    options: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, read as a mail program reads it."""
        message = BytesParser(policy=default).parsebytes(self.content)
        assert isinstance(message, EmailMessage)
        return message


@attrs.define
class _Fault:
    answer: str
    times: int


class MailServer:
    """An SMTP server, and what it received.

    Without faults it takes every mail. A fault is an answer such as ``"452 4.2.2 mailbox full"``, or CUT, which closes
    the connection, or HANG, which does not answer before it is let go. At DATA both come after the whole content.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.commands: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.hung = threading.Event()
        self.port = 0
        self._let_go = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._faults: dict[tuple[str, str], _Fault] = {}

    def fault(self, stage: str, answer: str, *, address: str = "*", times: int = 1_000_000) -> None:
        """Answer so at this stage (MAIL, RCPT or DATA), for this recipient; at MAIL, for this sender."""
        self._faults[stage, address] = _Fault(answer, times)

    def clear(self) -> None:
        """Take every mail again."""
        self._faults.clear()

    def let_go(self) -> None:
        """Go on with what hangs, and take it."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._let_go.set)

    def recipients(self) -> list[str]:
        """Whose mails were received."""
        return [each.recipient for each in self.received]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Aiosmtpd's hook."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._answer(server, "MAIL", address) or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Aiosmtpd's hook."""
        answer = await self._answer(server, "RCPT", address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Aiosmtpd's hook."""
        assert isinstance(envelope.content, bytes)
        [recipient] = envelope.rcpt_tos
        self.received.append(
            Received(envelope.mail_from or "", recipient, tuple(envelope.mail_options), envelope.content)
        )
        return await self._answer(server, "DATA", recipient) or "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        """Aiosmtpd's authenticator: one user is known."""
        login = (data.login.decode(), data.password.decode())
        self.logins.append(login)
        return AuthResult(success=login == ("bridge", "s3cr3t-word"), handled=False)

    async def _answer(self, server: SMTP, stage: str, address: str) -> str | None:
        self.commands.append(f"{stage} {address}")
        fault = self._faults.get((stage, address)) or self._faults.get((stage, "*"))
        if fault is None or fault.times == 0:
            return None
        fault.times -= 1
        if fault.answer == CUT:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if fault.answer == HANG:
            self._loop = asyncio.get_running_loop()
            self.hung.set()
            await self._let_go.wait()
            return None
        return fault.answer

    def settings(self, **more: Any) -> MailSettings:
        """``[mail]`` for this server."""
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "sender": "Example Cloud <billing@example.com>",
        }
        return MailSettings(**values | more)


@contextmanager
def a_mail_server(*, tls: ssl.SSLContext | None = None, port: int = 0, **options: Any) -> Iterator[MailServer]:
    """A mail server that runs in a thread; ``tls`` is for TLS from the beginning, ``options`` are aiosmtpd's."""
    server = MailServer()
    server.port = port or free_port()
    if "tls_context" in options or tls is not None:
        options["authenticator"] = server.authenticate
    controller = Controller(server, hostname="127.0.0.1", port=server.port, ssl_context=tls, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def a_strange_server(converse: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that has this conversation with whoever connects, and hangs up."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(_PATIENCE)
                converse(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def says(*answers: bytes) -> Callable[[socket.socket], None]:
    """A conversation: the first answer is the greeting, each other follows a line, or a content, of the client."""

    def converse(connection: socket.socket) -> None:
        connection.sendall(answers[0])
        for answer in answers[1:]:
            if not connection.recv(65536):
                return
            connection.sendall(answer)

    return converse
