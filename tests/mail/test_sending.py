"""A mail reaches a server that can prove who it is, or it is said why not."""

import base64
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
import trustme

from tests.mail.servers import CUT, HANG, MailServer, a_mail_server, a_strange_server, free_port, says
from tests.mail.waiting import MAIL
from tollbridge.config import MailSettings
from tollbridge.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from tollbridge.ledger.outbox import Mail, OutgoingMail
from tollbridge.mail import NoServer, Sender
from tollbridge.mail.message import Message, write_message
from tollbridge.secret import Secret

PASSWORD = "s3cr3t-word"
OUTGOING = OutgoingMail(
    1, "signup:1", "ada@example.com", MAIL, "0123456789abcdef", 1, datetime(2026, 7, 1, 4, tzinfo=UTC)
)


def message_for(sender: Sender, recipient: str = "ada@example.com", mail: Mail = MAIL) -> Message:
    return write_message(attrs.evolve(OUTGOING, recipient=recipient, mail=mail), sender.address)


def send(settings: MailSettings, recipient: str = "ada@example.com", mail: Mail = MAIL) -> None:
    with Sender(settings) as sender:
        sender.send(message_for(sender, recipient, mail))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate."""
    path = tmp_path / "own-ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """TLS for a server of this name."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made


@pytest.fixture(params=["starttls", "tls"])
def secure_server(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[tuple[MailServer, str]]:
    """A server with a certificate, whose TLS begins with STARTTLS or with the connection."""
    security: str = request.param
    if security == "tls":
        with a_mail_server(tls=context(authority), auth_require_tls=False) as server:
            yield server, security
    else:
        with a_mail_server(tls_context=context(authority), require_starttls=True) as server:
            yield server, security


def test_a_mail_is_sent_over_tls_after_logging_in(secure_server: tuple[MailServer, str], ca_file: Path) -> None:
    server, security = secure_server
    send(server.settings(security=security, ca_file=ca_file, user="bridge", password=Secret(PASSWORD)))
    [received] = server.received
    assert (received.sender, received.recipient) == ("billing@example.com", "ada@example.com")
    assert received.message["Subject"] == "Your link"
    assert server.logins == [("bridge", PASSWORD)]


def test_a_server_whose_certificate_nobody_vouches_for_is_told_nothing(secure_server: tuple[MailServer, str]) -> None:
    server, security = secure_server
    with pytest.raises(NoServer, match=r"cannot be verified: .*mail\.ca_file"):
        send(server.settings(security=security, user="bridge", password=Secret(PASSWORD)))
    assert (server.commands, server.logins, server.received) == ([], [], [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_is_anothers_is_told_nothing(
    authority: trustme.CA, ca_file: Path, security: str
) -> None:
    other = context(authority, "other.example.com")
    options = {"tls": other} if security == "tls" else {"tls_context": other}
    with a_mail_server(**options) as server:  # type: ignore[arg-type]
        with pytest.raises(NoServer, match=r"mail\.host must be the name in it"):
            send(server.settings(security=security, ca_file=ca_file, user="bridge", password=Secret(PASSWORD)))
        assert (server.commands, server.logins) == ([], [])


def test_a_server_that_hides_its_tls_gets_no_password_in_clear(server: MailServer) -> None:
    with pytest.raises(NoServer, match=r"does not offer STARTTLS: change mail\.security"):
        send(server.settings(security="starttls", user="bridge", password=Secret(PASSWORD)))
    assert (server.commands, server.logins) == ([], [])


def test_a_wrong_password_is_not_shown(secure_server: tuple[MailServer, str], ca_file: Path) -> None:
    server, security = secure_server
    with pytest.raises(NoServer, match=r"does not accept mail\.user and mail\.password \(535\)") as caught:
        send(server.settings(security=security, ca_file=ca_file, user="bridge", password=Secret("wr0ng-word")))
    assert "wr0ng-word" not in repr(caught.value)
    assert server.received == []


def test_a_server_that_repeats_what_it_was_sent_does_not_get_the_password_into_an_error() -> None:
    def repeat(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        connection.recv(65536)
        connection.sendall(b"250-hello\r\n250 AUTH PLAIN\r\n")
        connection.sendall(b"535 no: " + connection.recv(65536))

    with a_strange_server(repeat) as port, pytest.raises(NoServer) as caught:
        send(MailSettings("127.0.0.1", "a@example.com", port, "none", "bridge", Secret(PASSWORD)))
    for form in (PASSWORD, base64.b64encode(f"\0bridge\0{PASSWORD}".encode()).decode()):
        assert form not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_password_that_smtp_cannot_say_is_explained(secure_server: tuple[MailServer, str], ca_file: Path) -> None:
    server, security = secure_server
    with pytest.raises(NoServer, match="in ASCII") as caught:
        send(server.settings(security=security, ca_file=ca_file, user="bridge", password=Secret("pässword")))
    assert "pässword" not in str(caught.value)


def test_a_server_that_knows_no_log_in_is_explained(server: MailServer) -> None:
    with pytest.raises(NoServer, match=r"does not offer to log in: change mail\.user"):
        send(server.settings(user="bridge", password=Secret(PASSWORD)))


def test_what_arrives_is_what_was_written_to_the_byte_dots_and_all(server: MailServer) -> None:
    settings = server.settings()
    mail = Mail("Dots", ".\n..\n.hidden\n\r.\r\n.\r\nMAIL FROM:<eve@example.com>\n" + "x" * 5000, "<p>.</p>\n.\n")
    send(settings, mail=mail)
    [received] = server.received
    assert received.content == message_for(Sender(settings), mail=mail).content


def test_several_mails_share_a_connection_and_a_refusal_between_them_harms_none(server: MailServer) -> None:
    server.fault("RCPT", "550 5.1.1 nobody here", address="eve@example.com")
    with Sender(server.settings()) as sender:
        sender.send(message_for(sender, "ada@example.com"))
        with pytest.raises(Refused, match=r"refuses the recipient: 550 5\.1\.1 nobody here"):
            sender.send(message_for(sender, "eve@example.com"))
        sender.send(message_for(sender, "bob@example.com"))
    assert server.recipients() == ["ada@example.com", "bob@example.com"]


def test_an_address_of_many_letters_is_sent_to_servers_that_take_it(server: MailServer) -> None:
    send(server.settings(), "jürgen@bücher.example")
    [received] = server.received
    assert received.recipient == "jürgen@xn--bcher-kva.example"
    assert "SMTPUTF8" in received.options


def test_an_address_of_many_letters_is_refused_in_words_where_it_cannot_be_sent() -> None:
    with a_mail_server(enable_SMTPUTF8=False) as server:
        with pytest.raises(Refused, match="takes only addresses in ASCII"):
            send(server.settings(), "jürgen@example.com")
        send(server.settings(), "ada@bücher.example")
        assert server.recipients() == ["ada@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("stage", "answer", "expected"),
    [
        ("MAIL", "451 4.3.0 try later", Unavailable),
        ("MAIL", "550 5.7.1 sender not allowed", Unavailable),
        ("MAIL", CUT, Unavailable),
        ("RCPT", "450 4.2.0 greylisted", Unavailable),
        ("RCPT", "421 4.3.2 going down", Unavailable),
        ("RCPT", "530 5.7.0 authentication required", Unavailable),
        ("RCPT", "550 5.1.1 nobody here", Refused),
        ("RCPT", CUT, Unavailable),
        ("RCPT", HANG, Unavailable),
        ("DATA", "452 4.3.1 disk full", Unavailable),
        ("DATA", "554 5.7.1 looks like spam", Refused),
        ("DATA", CUT, OutcomeUnknown),
        ("DATA", HANG, OutcomeUnknown),
    ],
)
def test_every_way_it_can_end_is_told_apart(
    server: MailServer, stage: str, answer: str, expected: type[Exception]
) -> None:
    server.fault(stage, answer)
    patience = 1 if answer == HANG else 20
    sender = Sender(server.settings(), step_seconds=patience, answer_seconds=patience)
    with pytest.raises(Unavailable if expected is not Refused else Refused) as caught:
        sender.send(message_for(sender))
    assert type(caught.value) is expected
    assert bool(server.received) == (stage == "DATA")
    server.clear()
    sender.send(message_for(sender))
    sender.close()


def test_a_mail_that_is_not_ours_any_more_is_not_sent(server: MailServer) -> None:
    with Sender(server.settings()) as sender:
        with pytest.raises(Unavailable, match="somebody else"):
            sender.send(message_for(sender), still_ours=lambda: False)
        assert server.received == []
        sender.send(message_for(sender))


GREETED = b"220 hello\r\n", b"250 hello\r\n"
STARTED = *GREETED, b"250 sender\r\n", b"250 recipient\r\n"


@pytest.mark.parametrize(
    ("converse", "expected", "words"),
    [
        (says(b"554 go away\r\n"), NoServer, "554 go away"),
        (says(b"421 too many\r\n"), NoServer, "421 too many"),
        (says(b""), NoServer, "cannot be used"),
        (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), NoServer, "answered"),
        (says(*GREETED, b"2" * 9000 + b"\r\n"), Unavailable, "broke off"),
        (says(*STARTED, b"250 no, go on\r\n"), Unavailable, "does not take the mail now"),
        (says(*STARTED, b"354 go on\r\n", b"5" * 9000 + b"\r\n"), OutcomeUnknown, "its answer was lost"),
        (says(*STARTED, b"354 go on\r\n", b"whatever\r\n"), OutcomeUnknown, "makes no sense"),
        (says(*GREETED, b"550 \x1b[31mred\x07\r\n"), Unavailable, r"550 \[31mred$"),
    ],
)
def test_a_server_that_makes_no_sense_is_never_taken_to_have_refused_or_taken_a_mail(
    converse: Callable[[socket.socket], None], expected: type[Exception], words: str
) -> None:
    with a_strange_server(converse) as port, pytest.raises(Unavailable, match=words) as caught:
        send(MailSettings("127.0.0.1", "a@example.com", port, "none"))
    assert type(caught.value) is expected


def test_a_server_that_is_not_there_is_said_to_be_unreachable() -> None:
    with pytest.raises(NoServer, match=r"the mail server 127\.0\.0\.1:\d+ cannot be used"):
        send(MailSettings("127.0.0.1", "a@example.com", free_port(), "none"))


def test_settings_that_cannot_work_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for sender, ca_file, words in (
        ("Example Cloud", None, "sender"),
        ("größte@example.com", None, "in ASCII"),
        ("billing@example.com", empty, "ca_file"),
        ("billing@example.com", tmp_path / "missing.pem", "ca_file"),
    ):
        with pytest.raises(ConfigError, match=words):
            Sender(MailSettings("smtp.example.com", sender, ca_file=ca_file))
