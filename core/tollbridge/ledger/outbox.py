"""The ledger's outbox: mails and notices to be sent, each claimed by one deliverer at a time, whatever its process."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import mails

WAITING, SENDING, SENT, REFUSED = "waiting", "sending", "sent", "refused"
WEBHOOK = "webhook"  # the recipient of what is no mail: a document for the address that bridge.toml names by then
_FORGOTTEN = {"body_text": "", "body_html": "", "leased_until": None}


@attrs.frozen
class Mail:
    """What a mail says. Both bodies may hold links that log somebody in, so they show in no ``repr``."""

    subject: str
    text: str = attrs.field(repr=False)
    html: str = attrs.field(repr=False)


@attrs.frozen
class OutgoingMail:
    """A mail that was claimed to be delivered.

    Attributes:
        message_id: what stands before the @ of its Message-ID; random, and the same at every attempt.
        attempts: how often it was claimed, this time included; tells this claim from every other.
    """

    id: int
    key: str
    recipient: str
    mail: Mail
    message_id: str
    attempts: int
    created_at: datetime


class Outbox:
    """The mails of one ledger.

    A mail is *waiting*, then *sending* while somebody has claimed it, and in the end *sent* or *refused*. A claim is
    good until its lease is over: a mail whose deliverer died is claimed again then. Whoever claims should be sure to
    have done with the mail before, for the next one sends it again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: str, recipient: str, mail: Mail, at: datetime) -> bool:
        """Keep a mail to be sent from ``at`` on; False, and nothing done, if there is or was one with this key."""
        statement = self._database.insert(mails).values(**waiting_row(key, recipient, mail, at))
        statement = statement.on_conflict_do_nothing(index_elements=["key"]).inline()
        with self._database.write() as connection:
            return connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount == 1

    def take(self, now: datetime, lease_seconds: float, most: int, *, to_webhook: bool = False) -> list[OutgoingMail]:
        """Claim up to ``most`` mails that are due, or what the webhook is to get; the longest waiting first.

        Each is claimed by one caller only, among all processes: on PostgreSQL rows that another one is just claiming
        are passed over, on SQLite claims wait for each other.
        """
        due = sa.or_(
            sa.and_(mails.c.state == WAITING, mails.c.next_attempt_at <= now),
            sa.and_(mails.c.state == SENDING, mails.c.leased_until <= now),
        )
        mine = mails.c.recipient == WEBHOOK if to_webhook else mails.c.recipient != WEBHOOK
        query = (
            sa.select(mails)
            .where(due, mine)
            .order_by(mails.c.next_attempt_at, mails.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        with self._database.write() as connection:
            rows = connection.execute(query).all()
            if rows:
                claimed = sa.update(mails).where(mails.c.id.in_([row.id for row in rows]))
                until = now + timedelta(seconds=lease_seconds)
                connection.execute(claimed.values(state=SENDING, leased_until=until, attempts=mails.c.attempts + 1))
        return _outgoing(rows)

    def sent(self, mail: OutgoingMail, at: datetime) -> None:
        """It was sent: its bodies are emptied. So it is noted even if somebody else has claimed it since."""
        self._change(mail.id, state=SENT, sent_at=at, problem=None, **_FORGOTTEN)

    def failed(self, mail: OutgoingMail, problem: str, next_attempt_at: datetime) -> None:
        """It was not sent, and will be tried again; nothing is done if somebody else has claimed it since."""
        self._change(
            mail.id,
            mails.c.state == SENDING,
            mails.c.attempts == mail.attempts,
            state=WAITING,
            leased_until=None,
            next_attempt_at=next_attempt_at,
            problem=problem,
        )

    def refused(self, mail: OutgoingMail, problem: str, at: datetime) -> None:
        """It was not sent, and never will be: its bodies are emptied; nothing is done as with :meth:`failed`."""
        self._change(
            mail.id,
            mails.c.state == SENDING,
            mails.c.attempts == mail.attempts,
            state=REFUSED,
            sent_at=at,
            problem=problem,
            **_FORGOTTEN,
        )

    def purge(self, before: datetime) -> int:
        """Forget mails that were sent or refused before then, and how many; their keys may be used again."""
        ended = sa.and_(mails.c.state.in_([SENT, REFUSED]), mails.c.sent_at < before)
        with self._database.write() as connection:
            return connection.execute(sa.delete(mails).where(ended)).rowcount

    def _change(self, mail_id: int, *conditions: sa.ColumnElement[bool], **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(sa.update(mails).where(mails.c.id == mail_id, *conditions).values(**values))


def waiting_row(key: str, recipient: str, mail: Mail, at: datetime) -> dict[str, Any]:
    """A new row of the table, to be sent from ``at`` on."""
    return {
        "key": key,
        "recipient": recipient,
        "subject": mail.subject,
        "body_text": mail.text,
        "body_html": mail.html,
        "message_id": secrets.token_hex(16),
        "state": WAITING,
        "attempts": 0,
        "next_attempt_at": at,
        "created_at": at,
    }


def _outgoing(rows: Sequence[sa.Row[Any]]) -> list[OutgoingMail]:
    return [
        OutgoingMail(
            row.id,
            row.key,
            row.recipient,
            Mail(row.subject, row.body_text, row.body_html),
            row.message_id,
            row.attempts + 1,
            row.created_at,
        )
        for row in rows
    ]
