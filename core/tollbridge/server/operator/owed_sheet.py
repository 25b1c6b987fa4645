"""Owed: what is open, for how long, and who is locked or suspended next."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

import attrs

from tollbridge.jobs.parts import Parts
from tollbridge.ledger.figures import Owed
from tollbridge.ledger.finder import FoundInvoice, HeldClient
from tollbridge.model import EXACT, UserStatus
from tollbridge.rules.overdue import Age, HoldReason, OpenInvoice, coming_step
from tollbridge.server.operator.sheets import (
    Amount,
    Asked,
    Badge,
    Bar,
    Chart,
    Column,
    Link,
    Note,
    Part,
    Section,
    Sheet,
    Table,
    Value,
    Words,
    rows_shown,
)

_MOST = 50
_LOOKED_AT, _ALL = 1_000, 1_000_000_000

KINDS = {UserStatus.ACTIVE: "good", UserStatus.LOCKED: "wait", UserStatus.SUSPENDED: "bad"}


@attrs.define
class _Client:
    """What one client owes."""

    sums: dict[str, Decimal] = attrs.Factory(dict)
    invoices: list[OpenInvoice] = attrs.Factory(list)

    def add(self, found: FoundInvoice) -> None:
        assert found.status is not None  # noqa: S101 - only open invoices come here
        self.sums[found.currency] = EXACT.add(self.sums.get(found.currency, Decimal(0)), found.total)
        self.invoices.append(OpenInvoice(found.status, found.due_date))


class OwedPage:
    """The fourth page."""

    def __init__(self, parts: Parts) -> None:
        self._ladder = parts.settings.billing.ladder
        self._ledger = parts.ledger

    def sheet(self, asked: Asked) -> Sheet:
        """The page as of now.

        Only those are looked at by name who have owed for longest or are held, more of them than are shown; the CSV
        has everybody.
        """
        finder = self._ledger.finder
        held = finder.held()
        ids, count = finder.debtors(_ALL if asked.whole else _LOOKED_AT)
        named = sorted({*ids, *(each.client_id for each in (held if asked.whole else held[:_LOOKED_AT]))})
        clients: dict[int, _Client] = defaultdict(_Client)
        for found in finder.owed(named):
            clients[found.client_id].add(found)
        return Sheet("owed", Words("owed.title"), (
            Section("ages-part", Words("owed.ages"), tuple(_ages(finder.owed_by_age(asked.today), finder.pending()))),
            Section("steps-part", Words("owed.steps"), tuple(self._steps(asked, clients, held, count - len(ids)))),
            Section("held-part", Words("owed.held"), (_held(asked, clients, held),)),
        ))  # fmt: skip

    def _steps(
        self, asked: Asked, clients: dict[int, _Client], held: Sequence[HeldClient], others: int
    ) -> Iterator[Part]:
        """Who is locked or suspended next if nobody pays, by date; ``others`` owe, and come later."""
        overdue = {each.client_id: each.hold.status for each in held if each.hold.reason is HoldReason.OVERDUE}
        steps: list[tuple[date, int, UserStatus]] = []
        looked_at = overdue.keys() if asked.whole else [each.client_id for each in held[:_LOOKED_AT]]
        for client_id in {*clients, *looked_at}:
            unpaid = clients[client_id].invoices if client_id in clients else ()
            step = coming_step(self._ladder, unpaid, asked.today, overdue.get(client_id, UserStatus.ACTIVE))
            if step is not None:
                steps.append((step[0], client_id, step[1]))
        rows: list[tuple[Value, ...]] = [
            (day, Link(str(client_id), f"clients/{client_id}"), _badge(status), *_sums(clients.get(client_id)))
            for day, client_id, status in sorted(steps)
        ]
        shown, more = rows_shown(asked, rows, _MOST)
        columns = (
            Column("day"), Column("client_id"), Column("becomes"), Column("currency", csv_only=True),
            Column("owed", right=True),
        )  # fmt: skip
        yield Table("steps", columns, shown, "owed.no_steps", more=more + others)
        if self._ladder.lock_after_days is None and self._ladder.suspend_after_days is None:
            yield Note(Words("owed.no_ladder"))


def _held(asked: Asked, clients: dict[int, _Client], held: Sequence[HeldClient]) -> Table:
    rows = [
        (
            Link(str(each.client_id), f"clients/{each.client_id}"), _badge(each.hold.status),
            Words(f"reason.{each.hold.reason}"), each.since, *_sums(clients.get(each.client_id)),
        )
        for each in (held if asked.whole else held[:_MOST])
    ]  # fmt: skip
    columns = (
        Column("client_id"), Column("user"), Column("reason"), Column("since"), Column("currency", csv_only=True),
        Column("owed", right=True),
    )  # fmt: skip
    return Table("held", columns, rows, "owed.nobody_held", more=len(held) - len(rows))


def _words(late: Age) -> Words:
    return Words(f"age.{late.name.lower()}")


def _badge(status: UserStatus) -> Badge:
    return Badge(Words(f"user.{status}"), KINDS[status])


def _sums(client: _Client | None) -> tuple[Value, Value]:
    """What is owed, in the currency that most of it is in, and its code; who owes in two has a page of its own."""
    if client is None:
        return None, None
    code, amount = max(client.sums.items(), key=lambda each: each[1])
    return code, Amount(amount, code)


def _ages(owed: Sequence[Owed], pending: int) -> Iterator[Part]:
    codes = sorted({each.currency for each in owed})
    found = {(each.currency, each.age): each for each in owed}
    for code in codes:
        bars = [Bar(_words(late), (found[code, late].amount if (code, late) in found else Decimal(0),)) for late in Age]
        yield Chart(f"owed-{code}", Words("owed.chart", {"currency": code}), ("column.owed",), bars, code)
    columns = (
        Column("age"), Column("currency", csv_only=True), Column("invoices", right=True), Column("owed", right=True),
    )  # fmt: skip
    rows = [
        (
            Badge(_words(late), "wait" if late is not Age.NOT_DUE else ""), code, found[code, late].invoices,
            Amount(found[code, late].amount, code),
        )
        for code in codes
        for late in Age
        if (code, late) in found
    ]  # fmt: skip
    yield Table("ages", columns, rows, "owed.nothing")
    if pending:
        yield Note(Words("owed.pending", {"count": pending}))
