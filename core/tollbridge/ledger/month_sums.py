"""What many invoices come to: exact sums, made in the database from an index alone, however many there are."""

from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import corrections, events, invoices, months, readings
from tollbridge.model import EXACT, InvoiceStatus
from tollbridge.rules.corrections import CorrectionState
from tollbridge.rules.entry import State


@attrs.frozen
class MonthSum:
    """What the entries of a month that are in one state, currency and billing status come to.

    Attributes:
        tokens: of all their lines, those of carried and corrected months included.
        total: with tax, as it was shown.
    """

    month: str
    state: State
    currency: str
    status: InvoiceStatus | None
    entries: int
    tokens: int
    total: Decimal
    tax: Decimal

    @property
    def net(self) -> Decimal:
        """Without tax."""
        return EXACT.subtract(self.total, self.tax)


@attrs.frozen
class TakenIn:
    """Tokens of a month that stand on the invoice of another one, ``into``, and how far that invoice is."""

    month: str
    into: str
    state: State
    tokens: int


@attrs.frozen
class CorrectedTokens:
    """Tokens of a month that were corrected later; ``taken_in``: where they stand, None: nowhere yet."""

    month: str
    state: CorrectionState
    taken_in: TakenIn | None
    tokens: int


class Sums:
    """The ledger's sums."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def months(self) -> list[tuple[str, int]]:
        """Every month that has an entry, oldest first, with the number of the last event about it.

        As long as that number is the same, so are the month's sums.
        """
        last = sa.select(sa.func.max(events.c.id)).where(events.c.month == months.c.month).scalar_subquery()
        with self._database.read() as connection:
            rows = connection.execute(sa.select(months.c.month, last).order_by(months.c.month))
            return [(month, number or 0) for month, number in rows]

    def of_month(self, month: str | None = None) -> list[MonthSum]:
        """The sums of a month, or of all."""
        of = invoices.c
        keys = of.month, of.state, of.currency, of.billing_status
        sums, scales = (_on_sqlite if self._database.is_sqlite else _on_postgresql)(of.total, of.tax)
        query = sa.select(*keys, sa.func.count(), sa.func.sum(of.tokens), *sums, *scales)
        query = query.where(sa.true() if month is None else of.month == month)
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(*keys, *scales).order_by(*keys)).all()
        return _together(rows)

    def written_off_tokens(self) -> dict[str, int]:
        """By month, the tokens of entries that a human has let be."""
        query = sa.select(invoices.c.month, sa.func.sum(invoices.c.tokens)).where(invoices.c.written_off.is_not(None))
        return self._by_month(query.group_by(invoices.c.month))

    def taken_in_tokens(self) -> list[TakenIn]:
        """Tokens that were carried, and stand on a later invoice of the same client."""
        of, taker = invoices.c, invoices.alias("taker").c
        keys = of.month, of.carried_into, taker.state
        query = (
            sa.select(*keys, sa.func.sum(of.tokens))
            .where(of.state == State.CARRIED, taker.client_id == of.client_id, taker.month == of.carried_into)
            .group_by(*keys)
        )
        with self._database.read() as connection:
            rows = connection.execute(query)
            return [TakenIn(month, into, State(state), int(tokens)) for month, into, state, tokens in rows]

    def corrected_tokens(self) -> list[CorrectedTokens]:
        """What was corrected, by month and what became of it."""
        of, taker = corrections.c, invoices.alias("taker").c
        joined = sa.and_(taker.client_id == of.client_id, taker.month == of.taken_into)
        keys = of.month, of.state, of.taken_into, taker.state.label("taker_state")
        query = sa.select(*keys, sa.func.sum(of.tokens)).select_from(
            corrections.outerjoin(taker.state.table, joined)
        ).group_by(*keys)  # fmt: skip
        with self._database.read() as connection:
            return [
                CorrectedTokens(
                    month, CorrectionState(state),
                    None if into is None or taken is None else TakenIn(month, into, State(taken), int(tokens)),
                    int(tokens),
                )
                for month, state, into, taken, tokens in connection.execute(query)
            ]  # fmt: skip

    def reported_tokens(self) -> dict[str, int]:
        """By month, what its source reported when it was read last."""
        last = sa.select(sa.func.max(readings.c.id)).group_by(readings.c.month)
        return self._by_month(sa.select(readings.c.month, readings.c.tokens).where(readings.c.id.in_(last)))

    def _by_month(self, query: sa.Select[Any]) -> dict[str, int]:
        with self._database.read() as connection:
            return {month: int(tokens) for month, tokens in connection.execute(query)}


def _on_postgresql(*columns: sa.Column[Any]) -> tuple[list[Any], list[Any]]:
    """Sums of money, and what to group by beside."""
    return [sa.func.sum(column) for column in columns], []


def _on_sqlite(*columns: sa.Column[Any]) -> tuple[list[Any], list[Any]]:
    """Whole numbers of the smallest unit, and with how many decimals: SQLite would add up text as floats."""
    texts = [sa.type_coerce(column, sa.String) for column in columns]
    sums = [sa.func.sum(sa.cast(sa.func.replace(text, ".", ""), sa.BigInteger)) for text in texts]
    points = [sa.func.instr(text, ".") for text in texts]
    scales = [
        sa.case((point == 0, 0), else_=sa.func.length(text) - point) for text, point in zip(texts, points, strict=True)
    ]
    return sums, scales


def _together(rows: list[Any] | Any) -> list[MonthSum]:
    """Rows that differ in their decimals only are one."""
    found: dict[tuple[Any, ...], MonthSum] = {}
    for month, state, currency, status, entries, tokens, *sums in rows:
        units, scales = sums[:2], sums[2:] or (0, 0)
        total, tax = (Decimal(each).scaleb(-scale) for each, scale in zip(units, scales, strict=True))
        key = month, state, currency, status
        made = MonthSum(
            month, State(state), currency, None if status is None else InvoiceStatus(status), entries, int(tokens),
            total, tax,
        )  # fmt: skip
        if key in found:
            before = found[key]
            made = attrs.evolve(
                made, entries=before.entries + entries, tokens=before.tokens + made.tokens,
                total=EXACT.add(before.total, made.total), tax=EXACT.add(before.tax, made.tax),
            )  # fmt: skip
        found[key] = made
    return list(found.values())
