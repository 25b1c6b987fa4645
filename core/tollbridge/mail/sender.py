"""Handing mails to an SMTP server, over TLS that is always verified, with every way it can end told apart."""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from tollbridge.config import MailSettings
from tollbridge.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from tollbridge.ledger.outbox import OutgoingMail
from tollbridge.mail.addresses import named_address
from tollbridge.mail.message import Message, write_message
from tollbridge.secret import redact

STEP_SECONDS = 20.0
ANSWER_SECONDS = 200.0
_OURS = {530, 534, 535, 538}  # "log in first" and the like, wherever it is said: no fault of this mail


class NoServer(Unavailable):
    """The mail server cannot be reached, or does not let us in: it would take no other mail either."""


class Sender:
    """One connection to the mail server, opened when first needed; for one thread at a time.

    ``step_seconds`` is how long each step of the conversation may take, ``answer_seconds`` how long the server may
    think about a mail it has been given: a server that is given up too early may have taken the mail.
    """

    to_webhook = False

    def __init__(
        self,
        settings: MailSettings,
        *,
        step_seconds: float = STEP_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        try:
            self.address = named_address(settings.sender)
        except ValueError as error:
            raise ConfigError("[mail]", [f"sender: {error}"]) from None
        if self.address.needs_utf8:
            raise ConfigError("[mail]", ["sender must be in ASCII before its @, since not every server takes more"])
        self._settings = settings
        self._step_seconds = step_seconds
        self._answer_seconds = answer_seconds
        self._tls = _tls(settings)
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Say good-bye to the server; the next mail opens a new connection."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def try_out(self) -> None:
        """Connect as for a mail, without sending one; NoServer if that cannot be done."""
        self._smtp = self._smtp or self._connected()

    def carry(self, mail: OutgoingMail, still_ours: Callable[[], bool]) -> None:
        """Write the mail, and hand it over; errors as of :meth:`send`, and Refused for one that cannot be written."""
        self.send(write_message(mail, self.address), still_ours=still_ours)

    def send(self, message: Message, *, still_ours: Callable[[], bool] = lambda: True) -> None:
        """Hand one mail over: when this returns the server has taken charge of it.

        ``still_ours`` is asked at the last moment at which nothing has been sent yet.

        Raises:
            NoServer: no connection, no TLS that can be verified, or no log-in; no mail would be taken now.
            Refused: the server refuses this recipient or this mail for good (5xx).
            OutcomeUnknown: the whole mail was sent and no answer came: it may have been taken.
            Unavailable: the server does not take it now (4xx), the connection broke before the mail was sent, or it is
                no longer ours. So is a refusal of the sender, which is a fault of our settings and can be mended.
        """
        smtp = self._smtp = self._smtp or self._connected()
        try:
            self._converse(smtp, message, still_ours)
        except BaseException:
            self.close()  # whatever it was, the next mail begins afresh
            raise

    def _connected(self) -> smtplib.SMTP:
        """A connection on which mails can be sent at once."""
        where = f"the mail server {self._settings.host}:{self._settings.port}"
        try:
            return self._open()
        except ssl.SSLCertVerificationError as error:
            raise NoServer(
                f"{where} has a certificate that cannot be verified: {error.verify_message}; "
                "mail.host must be the name in it, and mail.ca_file its authority unless that is a public one"
            ) from None
        except smtplib.SMTPAuthenticationError as error:  # what it says may repeat what it was sent
            raise NoServer(f"{where} does not accept mail.user and mail.password ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError as error:
            missing = ("STARTTLS", "mail.security") if "STARTTLS" in str(error) else ("to log in", "mail.user")
            raise NoServer(f"{where} does not offer {missing[0]}: change {missing[1]}") from None
        except UnicodeEncodeError:
            raise NoServer("mail.user and mail.password must be in ASCII to log in by SMTP") from None
        except smtplib.SMTPResponseException as error:
            raise NoServer(f"{where} answered {_reply(error.smtp_code, error.smtp_error)}") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoServer(f"{where} cannot be used: {redact(reason)}") from None

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=self._step_seconds, context=self._tls
            )
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, timeout=self._step_seconds)
        try:
            if settings.security == "starttls":
                smtp.starttls(context=self._tls)
            smtp.ehlo_or_helo_if_needed()
            if settings.user is not None and settings.password is not None:
                smtp.login(settings.user, settings.password.reveal())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _converse(self, smtp: smtplib.SMTP, message: Message, still_ours: Callable[[], bool]) -> None:
        options = []
        if message.recipient.needs_utf8:
            if not smtp.has_extn("smtputf8"):
                raise Refused(
                    "the mail server takes only addresses in ASCII (it has no SMTPUTF8), so it cannot reach this one"
                )
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        try:
            _check(smtp.mail(str(message.sender), options), "the sender", 250, can_refuse=False)
            _check(smtp.rcpt(str(message.recipient)), "the recipient", 250, 251)
            if not still_ours():
                raise Unavailable("the mail server was so slow that somebody else may have begun with this mail")
            _check(smtp.docmd("DATA"), "the mail", 354)
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"the mail server broke off: {_broken(error)}") from None
        try:
            smtp.send(_dotted(message.content))
            _wait_at_most(smtp, self._answer_seconds)
            answer = smtp.getreply()
            _wait_at_most(smtp, self._step_seconds)
        except (OSError, smtplib.SMTPException) as error:
            raise OutcomeUnknown(f"the mail was sent, and its answer was lost: {_broken(error)}") from None
        if not 200 <= answer[0] <= 599:
            raise OutcomeUnknown(f"the mail was sent, and its answer makes no sense: {_reply(*answer)}")
        _check(answer, "the mail", *range(200, 300))


def _tls(settings: MailSettings) -> ssl.SSLContext | None:
    if settings.security == "none":
        return None
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(cafile=settings.ca_file)
        except OSError as error:
            problem = f"ca_file {settings.ca_file} cannot be read as certificates: {error.strerror or error}"
            raise ConfigError("[mail]", [problem]) from None
    return context


def _check(answer: tuple[int, bytes], what: str, *wanted: int, can_refuse: bool = True) -> None:
    code, text = answer
    if code in wanted:
        return
    if can_refuse and 500 <= code <= 599 and code not in _OURS:
        raise Refused(f"the mail server refuses {what}: {_reply(code, text)}")
    raise Unavailable(f"the mail server does not take {what} now: {_reply(code, text)}")


def _reply(code: int, text: bytes | str) -> str:
    """What the server said, in one line, without secrets and control characters."""
    words = " ".join((text if isinstance(text, str) else text.decode(errors="replace")).split())
    return redact(f"{code} {''.join(each for each in words if each.isprintable())}".strip())


def _broken(error: Exception) -> str:
    return redact(str(error)) or type(error).__name__


def _wait_at_most(smtp: smtplib.SMTP, seconds: float) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _dotted(content: bytes) -> bytes:
    """The content as it stands between DATA and its end: a line that begins with a dot gets one more."""
    return re.sub(rb"(?m)^\.", b"..", content) + b".\r\n"
