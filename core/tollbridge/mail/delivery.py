"""Delivering what is due in the outbox, and what may be promised about it.

**None is lost.** A mail is in the ledger, committed, before anybody tries to send it. It leaves the state *waiting* for
good in two ways only: a mail server took charge of it (its 250 after the content), or it can never be delivered, which
the ledger keeps with the reason: the server refused the recipient or the content for good (5xx), it cannot be written
as a mail, or it was tried for three days. A process that dies on the way leaves a claim behind, and when the claim's
lease is over the mail is due again.

**None is sent twice** by two deliverers: each mail is claimed by one of them at a time, among all processes, and its
content is only sent while the claim will hold until the answer's time-out. Nor is a mail whose answer arrived, and was
written down, ever sent again.

What SMTP cannot promise is the case between. When the whole mail was sent, and the connection, the process or the
ledger failed (or the process stood still for minutes) before the server's answer was written down, nobody on our side
can know whether it was taken, and SMTP has no way to ask. Then the mail is sent again, since a sign-up's link that
comes twice is better than one that never comes. It is the same to the byte, with the same Message-ID and Date, as long
as mail.sender stays the same; so mail servers and programs that look for duplicates show it once, and the links in it
work once in any case.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import attrs
import structlog

from tollbridge.errors import Refused, Unavailable
from tollbridge.ledger.outbox import Outbox, OutgoingMail
from tollbridge.mail.sender import ANSWER_SECONDS, NoServer
from tollbridge.secret import redact

LEASE_SECONDS = 600.0
_DISAGREEMENT_SECONDS = 60.0  # of the clocks of machines that share a ledger
_LATEST = timedelta(seconds=LEASE_SECONDS - ANSWER_SECONDS - _DISAGREEMENT_SECONDS)
# One minute, two, four … six hours, then every six hours: three days together.
WAITS = [timedelta(minutes=min(2**number, 360)) for number in range(20)]
_LINKS_END = re.compile(r"https?://[^/\s]+/([^\s<>\"']+)")
_SHORTEST_HIDDEN = 12
_LONGEST_PROBLEM = 500

_log = structlog.get_logger("tollbridge.mail")


class Carrier(Protocol):
    """What takes messages away: a mail server's sender, or the webhook; for one thread at a time.

    ``to_webhook``: which messages are its own, those for the webhook or mails.
    """

    to_webhook: bool

    def carry(self, mail: OutgoingMail, still_ours: Callable[[], bool]) -> None:
        """Hand one over, or raise: Refused for good, NoServer if no other would be taken either, else Unavailable."""

    def close(self) -> None:
        """Nothing more is to be sent just now."""


@attrs.frozen
class MailReport:
    """What came of one round.

    Attributes:
        failed: how many will be tried again.
        refused: how many never will.
        no_server: why the mail server took none, if it did not let us in; the others were left alone then.
    """

    sent: int = 0
    failed: int = 0
    refused: int = 0
    no_server: str | None = None


def utc_now() -> datetime:
    """The time, by the machine's clock."""
    return datetime.now(UTC)


def deliver_due(
    outbox: Outbox,
    sender: Carrier,
    clock: Callable[[], datetime] = utc_now,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> MailReport:
    """Deliver what is due, one mail after the other, until nothing is or ``go_on`` says no.

    One mail's failure does not hold up the others. Only a server that lets nobody in ends the round: it is asked again
    in the next, by another mail. Mails are claimed one by one, so that no claim grows old in a queue.

    Raises:
        LedgerError: the ledger cannot be used; a mail that was just sent may be sent again when its lease is over.
    """
    delivering = _Round(outbox, sender, clock)
    try:
        while delivering.report.no_server is None and go_on():
            claimed_at = clock()
            taken = outbox.take(claimed_at, LEASE_SECONDS, 1, to_webhook=sender.to_webhook)
            if not taken:
                break
            delivering.deliver(taken[0], claimed_at + _LATEST)
    finally:
        sender.close()
    return delivering.report


@attrs.define
class _Round:
    outbox: Outbox
    sender: Carrier
    clock: Callable[[], datetime]
    report: MailReport = MailReport()

    def deliver(self, mail: OutgoingMail, latest: datetime) -> None:
        """Send the mail, if that can begin by ``latest``, and write down what came of it."""
        try:
            self.sender.carry(mail, still_ours=lambda: self.clock() <= latest)
        except Refused as error:
            self.give_up(mail, _problem(error, mail))
        except Unavailable as error:
            problem = _problem(error, mail)
            if isinstance(error, NoServer):
                self.report = attrs.evolve(self.report, no_server=problem)
            if mail.attempts > len(WAITS):
                self.give_up(mail, f"given up after {mail.attempts} attempts: {problem}")
            else:
                self.put_off(mail, problem)
        else:
            self.outbox.sent(mail, self.clock())
            self.report = attrs.evolve(self.report, sent=self.report.sent + 1)
            _log.info("mail sent", mail=mail.id, attempts=mail.attempts)

    def put_off(self, mail: OutgoingMail, problem: str) -> None:
        """Let it be tried again later."""
        self.outbox.failed(mail, problem, self.clock() + WAITS[mail.attempts - 1])
        self.report = attrs.evolve(self.report, failed=self.report.failed + 1)
        _log.warning("mail not sent yet", mail=mail.id, attempts=mail.attempts, reason=problem)

    def give_up(self, mail: OutgoingMail, problem: str) -> None:
        """Let it never be tried again."""
        self.outbox.refused(mail, problem, self.clock())
        self.report = attrs.evolve(self.report, refused=self.report.refused + 1)
        _log.warning("mail refused", mail=mail.id, attempts=mail.attempts, reason=problem)


def _problem(error: Exception, mail: OutgoingMail) -> str:
    """What went wrong, without the links of the mail, which a server that looks for spam may quote."""
    text = redact(str(error))
    for body in (mail.mail.text, mail.mail.html):
        for path in _LINKS_END.findall(body):
            for part in re.split(r"[/?&=#;]", path):
                if len(part) >= _SHORTEST_HIDDEN:
                    text = text.replace(part, "…")
    return text[:_LONGEST_PROBLEM]
