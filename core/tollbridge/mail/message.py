"""A mail as it goes over the wire: plain text and HTML, under headers that nothing can be smuggled into.

The headers are written here and not by the email package, which takes encoded words in a value for what they mean,
folds some long values so that blanks are lost, and in older releases let an encoded line break through.
"""

import re
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import attrs

from tollbridge.errors import Refused
from tollbridge.ledger.outbox import OutgoingMail
from tollbridge.mail.addresses import Address, bare_address, one_line

_PLAIN = re.compile(r"(?!.*=\?)[!-~]+(?: [!-~]+)*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_LONGEST_PLAIN = 60


@attrs.frozen
class Message:
    """What is handed to a mail server; the content, with lines that end in CRLF, shows in no ``repr``."""

    sender: Address
    recipient: Address
    content: bytes = attrs.field(repr=False)


def write_message(mail: OutgoingMail, sender: Address) -> Message:
    """The mail, ready to be sent: the same to the byte whenever and however often it is written.

    Raises:
        Refused: the recipient is no address, or a header would hold what no header can.
    """
    try:
        recipient = bare_address(mail.recipient)
        headers = {
            "Date": format_datetime(mail.created_at),
            "From": f"{_phrase(one_line(sender.name, 'the name'))} <{sender}>" if sender.name else str(sender),
            "To": str(recipient),
            "Subject": _words(one_line(mail.mail.subject, "the subject")),
            "Message-ID": f"<{mail.message_id}@{sender.domain}>",
            "Auto-Submitted": "auto-generated",
        }
        content = _content(mail)
    except ValueError as error:  # and so UnicodeEncodeError, of half a character
        raise Refused(f"this mail cannot be written: {error}") from None
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return Message(sender, recipient, head.encode() + content)


def _content(mail: OutgoingMail) -> bytes:
    """The two bodies and the headers that tell them apart.

    Quoted-printable throughout, so that no server on the way has a reason to rewrite or break a line: a link arrives
    as it was.
    """
    message = EmailMessage(policy=SMTP)
    message.set_content(mail.mail.text, cte="quoted-printable")
    message.add_alternative(mail.mail.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{mail.message_id}")
    return message.as_bytes()


def _words(text: str) -> str:
    """Unstructured text in a header, encoded by RFC 2047 unless it is short and plain."""
    if len(text) <= _LONGEST_PLAIN and _PLAIN.fullmatch(text):
        return text
    return Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n")


def _phrase(name: str) -> str:
    """A name before an address, encoded unless it is so plain that it needs no quotes."""
    if len(name) <= _LONGEST_PLAIN and _PLAIN_NAME.fullmatch(name):
        return name
    return Header(name, "utf-8", header_name="From").encode(linesep="\r\n")
