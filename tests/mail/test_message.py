"""A mail arrives as it was written, and nothing in it becomes a header."""

from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import compat32, default

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mail.waiting import LINK, MAIL
from tollbridge.errors import Refused
from tollbridge.ledger.outbox import Mail, OutgoingMail
from tollbridge.mail.addresses import Address, named_address
from tollbridge.mail.message import write_message

SENDER = named_address("Example Cloud <billing@example.com>")
WRITTEN = datetime(2026, 7, 1, 4, 5, 6, tzinfo=UTC)
OUTGOING = OutgoingMail(1, "signup:1", "ada@example.com", MAIL, "0123456789abcdef0123456789abcdef", 1, WRITTEN)
HEADERS = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


def with_subject(subject: str) -> OutgoingMail:
    return attrs.evolve(OUTGOING, mail=attrs.evolve(MAIL, subject=subject))


def read(content: bytes) -> EmailMessage:
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def bodies(content: bytes) -> dict[str, str]:
    """What the parts say, by their type, with line ends as Python has them."""
    parts = [part for part in read(content).walk() if not part.is_multipart()]
    return {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in parts}


def lines_are_fit_for_smtp(content: bytes) -> bool:
    return all(
        len(line) <= 998 and b"\r" not in line and b"\n" not in line and b"\0" not in line
        for line in content.split(b"\r\n")
    )


def test_a_mail_has_exactly_the_headers_it_needs() -> None:
    message = read(write_message(OUTGOING, SENDER).content)
    assert message.keys() == HEADERS
    assert message["From"] == "Example Cloud <billing@example.com>"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == "Your link"
    assert message["Date"].datetime == WRITTEN
    assert message["Message-ID"] == "<0123456789abcdef0123456789abcdef@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"


def test_both_bodies_arrive_with_their_link_whole_and_html_is_the_last_choice_of_two() -> None:
    content = write_message(OUTGOING, SENDER).content
    assert read(content).get_content_type() == "multipart/alternative"
    assert [*bodies(content).items()] == [("text/plain", MAIL.text), ("text/html", MAIL.html)]


def test_a_mail_that_is_sent_again_is_the_same_to_the_byte() -> None:
    again = attrs.evolve(OUTGOING, attempts=7)
    assert write_message(OUTGOING, SENDER) == write_message(again, SENDER)


def test_a_link_is_not_shown_by_accident() -> None:
    assert LINK not in repr(write_message(OUTGOING, SENDER)) + repr(OUTGOING)


def test_an_address_of_many_letters_stands_in_the_header_as_it_is() -> None:
    message = write_message(attrs.evolve(OUTGOING, recipient="jürgen@bücher.example"), SENDER)
    assert "To: jürgen@xn--bcher-kva.example\r\n".encode() in message.content
    assert message.recipient.needs_utf8


@pytest.mark.parametrize(
    "subject",
    ["Hi\r\nBcc: eve@example.com", "Hi\nBcc: eve@example.com", "Hi\rBcc: x", "Hi\u2028Bcc: x", "Hi\x85Bcc: x", "Hi\0"],
)
def test_a_subject_with_a_line_break_is_refused(subject: str) -> None:
    with pytest.raises(Refused, match="line breaks"):
        write_message(with_subject(subject), SENDER)


@pytest.mark.parametrize("recipient", ["ada@example.com\r\nBcc: eve@example.com", "Ada <ada@example.com>", "nobody"])
def test_a_recipient_that_is_no_bare_address_is_refused(recipient: str) -> None:
    with pytest.raises(Refused, match="e-mail address"):
        write_message(attrs.evolve(OUTGOING, recipient=recipient), SENDER)


def test_a_body_with_half_a_character_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be written"):
        write_message(attrs.evolve(OUTGOING, mail=Mail("Hi", "\ud800", "")), SENDER)


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?x=0D=0ABcc:_eve@example.com?=",
        "Ihre Bestätigung für Größte Wolke GmbH & Co. KG: bitte prüfen Sie, ob Ihre Angaben stimmen",
        "a long subject " * 30,
        "unbroken" * 200,
        "  blanks  inside  and  around  ",
        "日本語の件名" * 30,
    ],
)
def test_a_subject_arrives_as_it_was_however_long_or_odd(subject: str) -> None:
    content = write_message(with_subject(subject), SENDER).content
    assert read(content)["Subject"] == subject
    assert read(content).keys() == HEADERS


LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@settings(deadline=None)
@given(subject=LINES)
def test_every_line_of_text_arrives_as_a_subject(subject: str) -> None:
    content = write_message(with_subject(subject), SENDER).content
    assert lines_are_fit_for_smtp(content)
    assert read(content).keys() == HEADERS
    assert read(content)["Subject"].rstrip() == subject.rstrip()


@settings(deadline=None)
@given(name=LINES.filter(bool))
def test_every_line_of_text_arrives_as_the_senders_name_and_changes_no_address(name: str) -> None:
    content = write_message(OUTGOING, Address("billing", "example.com", name)).content
    assert lines_are_fit_for_smtp(content)
    message = read(content)
    assert message.keys() == HEADERS
    [address] = message["From"].addresses
    assert address.addr_spec == "billing@example.com"
    phrase = BytesParser(policy=compat32).parsebytes(content)["From"].removesuffix("<billing@example.com>")
    assert str(make_header(decode_header(phrase))).rstrip() == name.rstrip(), "the policy above is careless with blanks"


@settings(deadline=None)
@given(
    subject=st.text(),
    name=st.text(),
    recipient=st.just("ada") | st.text(),
    text=st.text(),
    html=st.text(),
)
def test_whatever_is_mailed_has_the_headers_it_should_or_is_refused(
    subject: str, name: str, recipient: str, text: str, html: str
) -> None:
    mail = attrs.evolve(OUTGOING, recipient=f"{recipient}@example.com", mail=Mail(subject, text, html))
    try:
        content = write_message(mail, Address("billing", "example.com", name)).content
    except Refused:
        return
    assert read(content).keys() == HEADERS


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])), html=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_body_arrives_with_its_lines_and_can_end_neither_its_part_nor_the_mail(text: str, html: str) -> None:
    content = write_message(attrs.evolve(OUTGOING, mail=Mail("Hi", text, html)), SENDER).content
    assert lines_are_fit_for_smtp(content)
    arrived = bodies(content)
    assert [*arrived] == ["text/plain", "text/html"]
    for body, found in zip((text, html), arrived.values(), strict=True):
        assert found.rstrip("\n") == body.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
