"""The ledger's tables. Alembic's migrations create them; this is what the queries are written against."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator


class Money(TypeDecorator[Decimal]):
    """An exact amount: NUMERIC on PostgreSQL, text on SQLite, which would make a float of it."""

    impl = sa.Numeric()
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Text on SQLite."""
        return dialect.type_descriptor(sa.String(32) if dialect.name == "sqlite" else sa.Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        """As plain text where the column is text."""
        return f"{value:f}" if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        """Always a Decimal, with the digits it was given."""
        return None if value is None else Decimal(value)


class Moment(TypeDecorator[datetime]):
    """An aware instant, kept in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """In UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Aware, also from SQLite, which forgets the zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

months = sa.Table(
    "months",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True, doc="2026-07"),
    sa.Column("starts_at", Moment, doc="the interval that is, or was, billed; absent: as the configured zone has it"),
    sa.Column("ends_at", Moment),
    sa.Column("source", sa.Text, doc="where its usage came from"),
    sa.Column("drafted_at", Moment, doc="when every client's usage had its entry"),
    sa.Column("closed_at", Moment, doc="when every entry had come to its end"),
)

price_lists = sa.Table(
    "price_lists",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True, doc="the month that is billed with it"),
    sa.Column("prices", sa.Text, nullable=False, doc="JSON: the whole list"),
    sa.Column("file", sa.Text, doc="the bridge.toml in which it was seen"),
    sa.Column("kept_at", Moment, nullable=False, doc="when it was seen first, or said to be the one"),
)

invoices = sa.Table(
    "invoices",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("client_id", sa.BigInteger, nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("state", sa.String(8), nullable=False, doc="written, sending, issued, carried or nothing"),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("issue_date", sa.Date, nullable=False),
    sa.Column("due_date", sa.Date, nullable=False, doc="the billing system's, which a human may have moved"),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("subtotal", Money, nullable=False),
    sa.Column("total", Money, nullable=False),
    sa.Column("document", sa.Text, nullable=False, doc="JSON: the lines, and the price they were computed with"),
    sa.Column("prices", sa.String(16), doc="which price list the lines were computed with"),
    sa.Column("billing_id", sa.String(64)),
    sa.Column("printed_number", sa.Text, doc="what customers know it by, if the billing system told another number"),
    sa.Column("other_billing_id", sa.String(64), doc="a second invoice of the same reference: a failure until settled"),
    sa.Column("billing_status", sa.String(10), doc="what the billing system said of it last"),
    sa.Column("carried_into", sa.String(7), doc="the month whose invoice took this carried one in"),
    sa.Column("problem", sa.Text, doc="why it is not issued yet, or what is wrong with it as it was issued"),
    sa.Column("differs_at", Moment, doc="when it was seen to come to another total than was shown"),
    sa.Column("written_at", Moment, nullable=False),
    sa.Column("sent_at", Moment, doc="when it was claimed to be sent, or asked for last"),
    sa.Column("issued_at", Moment),
    sa.Column("settled_at", Moment, doc="when it was first seen paid, cancelled or refunded"),
    sa.Column("run_id", sa.Integer, doc="the run that claimed it last"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0", doc="how often it was claimed"),
    sa.Column("leased_until", Moment, doc="until when whoever claimed it last is not disturbed"),
    sa.Column("kept", sa.Text, nullable=False, server_default="", doc="what the adapter's attempt has got so far"),
    sa.Column("held", sa.Text, doc="why it waits for a human before it is sent"),
    sa.Column("written_off", sa.Text, doc="why a human has let it be"),
    sa.Column(
        "taken_back", sa.Boolean, nullable=False, server_default=sa.false(), doc="a ledger that was lost made it"
    ),
    sa.Column("tax", Money, nullable=False, server_default="0", doc="of the total, as it was shown"),
    sa.UniqueConstraint("client_id", "month", name="one_invoice_per_client_and_month"),
    sa.Index("invoices_open", "state", "billing_status", "client_id"),
    sa.Index("invoices_of_month", "month", "state", "client_id"),
    sa.Index("invoices_of_run", "run_id"),
    sa.Index("invoices_differing", "differs_at"),
    sa.Index("invoices_listed", "month", "client_id"),
    sa.Index("invoices_numbered", "billing_id"),
    # Holds all that sums are made of, so that no row is read for them.
    sa.Index("invoices_sums", "month", "state", "currency", "billing_status", "tokens", "total", "tax"),
    # The same of what is owed, the oldest first.
    sa.Index("invoices_owed", "state", "billing_status", "due_date", "client_id", "currency", "total"),
)


def _index_of_few(name: str, condition: sa.ColumnElement[bool], *columns: sa.Column[Any]) -> None:
    """An index of the few rows that are looked for among many.

    PostgreSQL's has the same condition, by the migrations; to say so here would load its words for every command.
    """
    sa.Index(name, *columns, sqlite_where=condition)


_index_of_few("invoices_with_problem", invoices.c.problem.is_not(None), invoices.c.state, invoices.c.month)
_index_of_few("invoices_held", invoices.c.held.is_not(None), invoices.c.state)
_index_of_few("invoices_written_off", invoices.c.written_off.is_not(None), invoices.c.month)
_index_of_few("invoices_made_twice", invoices.c.other_billing_id.is_not(None), invoices.c.other_billing_id)
_index_of_few("invoices_printed", invoices.c.printed_number.is_not(None), invoices.c.printed_number)


def has_number(number: str) -> sa.ColumnElement[bool]:
    """Whether an entry's invoice has this number, be it the billing system's own or what customers know it by."""
    numbers = invoices.c.billing_id, invoices.c.other_billing_id, invoices.c.printed_number
    return sa.or_(*(column == number for column in numbers))


corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("client_id", sa.BigInteger, nullable=False, doc="on whose invoice it is"),
    sa.Column("month", sa.String(7), nullable=False, doc="whose usage it is"),
    sa.Column("stands_on", sa.String(7), nullable=False, doc="the month whose invoice it was found for"),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("item_type", sa.Text, nullable=False),
    sa.Column("item_id", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False, doc="more, or, negative, fewer than were billed"),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount", Money, nullable=False),
    sa.Column("line", sa.Text, nullable=False, doc="JSON: as it is on the invoice"),
    sa.Column("state", sa.String(8), nullable=False, doc="open, waiting, credit or refused"),
    sa.Column("taken_into", sa.String(7), doc="the month whose invoice has it"),
    sa.Column("reason", sa.Text, doc="why a human let it go, or refused it"),
    sa.Column("found_at", Moment, nullable=False),
    sa.Column("run_id", sa.Integer),
    sa.Index("corrections_of_client", "client_id", "state"),
    sa.Index("corrections_of_month", "month", "id"),
    sa.Index("corrections_in_state", "state", "taken_into", "client_id"),
)

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.Integer),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("read_at", Moment, nullable=False),
    sa.Column("users", sa.Integer, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, doc="of every row, so that two readings can be compared"),
    sa.Index("readings_of_month", "month", "id"),
)

unbilled = sa.Table(
    "unbilled",
    metadata,
    sa.Column("reading_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("used", sa.Text, nullable=False, server_default="[]", doc="JSON: what"),
)

write_offs = sa.Table(
    "write_offs",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("month", sa.String(7), primary_key=True, doc="whose usage is nobody's to pay"),
    sa.Column("onwards", sa.Boolean, nullable=False, doc="nor that of any later month"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("taken_at", Moment, nullable=False, doc="by the panel's clock"),
    sa.Column("servers", sa.Integer, nullable=False),
    sa.Index("snapshots_in_time", "taken_at"),
)

stretches = sa.Table(
    "stretches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("uuid", sa.String(64), nullable=False, doc="the server's, which no other ever has"),
    sa.Column("server_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("billing_user_id", sa.BigInteger, doc="the client that the panel named for the user last"),
    sa.Column("plan_id", sa.BigInteger, nullable=False),
    sa.Column("plan_name", sa.Text, nullable=False),
    sa.Column("tokens_per_hour", sa.BigInteger, nullable=False),
    sa.Column("tokens_per_month", sa.BigInteger, nullable=False),
    sa.Column("backup_percent", Money, nullable=False),
    sa.Column("ip_tokens_per_hour", sa.BigInteger, nullable=False),
    sa.Column("ip_tokens_per_month", sa.BigInteger, nullable=False),
    sa.Column("runs", sa.Boolean, doc="absent: the panel's word for its state does not tell"),
    sa.Column("backups", sa.Boolean, nullable=False),
    sa.Column("addresses", sa.Text, nullable=False, doc="JSON: the ids of the additional ones, in order"),
    sa.Column("created_at", Moment, nullable=False, doc="when the panel says that the server was made"),
    sa.Column("not_before", Moment, doc="the snapshot before the first sighting; absent: there was none"),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, doc="absent while every snapshot shows it; then it was seen by the last one"),
    sa.Column("not_after", Moment, doc="the snapshot after the last sighting"),
    sa.Index("stretches_of_server", "uuid", "first_seen"),
    sa.Index("stretches_in_time", "not_after"),
    sa.Index("stretches_of_user", "user_id"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("set_status", sa.String(9), doc="the status the bridge set last; absent: none, or put back"),
    sa.Column("found_status", sa.String(9), doc="the status it found, and will put back"),
    sa.Column("attempted_status", sa.String(9), doc="a status it asked for, outcome not known yet"),
    sa.Column("judged_at", Moment, doc="when the receipts were asked for by which it was judged last"),
    sa.Column(
        "explained",
        sa.Boolean,
        nullable=False,
        server_default=sa.true(),
        doc="whether a lock that the bridge has no mark of is a human's: the user was seen active, or somebody said so",
    ),
    sa.Column("run_id", sa.Integer, doc="the run that has claimed it"),
    sa.Column("leased_until", Moment),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.String(16), primary_key=True, doc="overdue, closed or limit"),
    sa.Column("status", sa.String(9), nullable=False, doc="locked or suspended"),
    sa.Column("since", Moment, nullable=False),
)

held_back = sa.Table(
    "held_back",
    metadata,
    sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.String(16), primary_key=True, doc="what its user would be locked or suspended for"),
    sa.Column("since", Moment, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("command", sa.String(32), nullable=False),
    sa.Column("host", sa.Text, nullable=False, doc="the machine and the process"),
    sa.Column("day", sa.Date, nullable=False, doc="the day it stands for"),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, doc="absent while it lives, or until somebody finds it dead"),
    sa.Column("outcome", sa.String(8), doc="done, failures, stopped or died"),
    sa.Column("report", sa.Text, doc="JSON: what `run --json` printed, but for the invoices"),
    sa.Column("helps", sa.Integer, doc="of a worker, the run that it helped"),
    sa.Index("runs_alive", "ended_at"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True, doc="what only one run does at a time: drafting"),
    sa.Column("run_id", sa.Integer),
    sa.Column("epoch", sa.Integer, nullable=False, doc="raised by whoever takes it over"),
    sa.Column("leased_until", Moment, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("run_id", sa.Integer, doc="absent: not a run, but a visitor or a migration"),
    sa.Column("client_id", sa.BigInteger),
    sa.Column("month", sa.String(7), doc="with the client, what invoice it is about"),
    sa.Column("what", sa.String(16), nullable=False, doc="see Event"),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sa.Column("why", sa.Text),
    sa.Index("events_of_client", "client_id", "id"),
    sa.Index("events_of_month", "month", "id"),
)

mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True, doc="what it is about, so that one thing is mailed once"),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body_text", sa.Text, nullable=False, doc="emptied at the end, like the next: they hold links"),
    sa.Column("body_html", sa.Text, nullable=False),
    sa.Column("message_id", sa.String(64), nullable=False, doc="what stands before the @, the same at every attempt"),
    sa.Column("state", sa.String(7), nullable=False, doc="waiting, sending, sent or refused"),
    sa.Column("attempts", sa.Integer, nullable=False, doc="how often it was claimed"),
    sa.Column("next_attempt_at", Moment, nullable=False),
    sa.Column("leased_until", Moment, doc="until when whoever claimed it last is not disturbed"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("sent_at", Moment, doc="when it was sent; of a refused mail, when it was given up"),
    sa.Column("problem", sa.Text, doc="what became of the last attempt that failed"),
    sa.Index("mails_due", "state", "next_attempt_at"),
)

told = sa.Table(
    "told",
    metadata,
    sa.Column("scope", sa.String(16), primary_key=True, doc="the command that found it"),
    sa.Column("key", sa.String(64), primary_key=True, doc="what it is, as a hash: who, and which kind of trouble"),
    sa.Column("told_at", Moment, nullable=False, doc="when the operator was told; gone once it is true no more"),
)

copies = sa.Table(
    "copies",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True, doc="of what, as plans"),
    sa.Column("document", sa.Text, nullable=False, doc="JSON: as it was read last"),
    sa.Column("kept_at", Moment, nullable=False),
)

signups = sa.Table(
    "signups",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(320), nullable=False, doc="in lower case"),
    sa.Column("first_name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("company", sa.Text, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False, server_default="", doc="empty: the billing system's default"),
    sa.Column("country", sa.String(2), nullable=False, server_default="", doc="ISO 3166-1, or empty, too"),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False, unique=True, doc="random: what the link in the mail is about"),
    sa.Column("state", sa.String(9), nullable=False, doc="mailed, confirmed, creating, created or done"),
    sa.Column("client_id", sa.BigInteger),
    sa.Column("terms_accepted_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    sa.Column("problem", sa.Text),
    sa.Index("signups_of_email", "email", "state"),
    sa.Index("signups_in_state", "state", "expires_at"),
)

enrolments = sa.Table(
    "enrolments",
    metadata,
    sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("accepted_at", Moment, nullable=False),
    sa.Column("terms_url", sa.Text, nullable=False),
    sa.Column("postpay_terms_url", sa.Text),
    sa.Column("proved_address", sa.String(320), doc="where a link was mailed that was followed; in lower case"),
)

used_links = sa.Table(
    "used_links",
    metadata,
    sa.Column("nonce", sa.String(64), primary_key=True),
    sa.Column("used_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("used_links_expiry", "expires_at"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("bucket", sa.Text, nullable=False, doc="what is counted together, such as log-ins from one address"),
    sa.Column("at", Moment, nullable=False),
    sa.Index("attempts_in_bucket", "bucket", "at"),
)
