"""Owed: what is open, for how long, and who is locked or suspended next."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import attrs

from tollbridge.jobs.parts import Parts
from tollbridge.ledger.finder import FoundInvoice
from tollbridge.model import EXACT, InvoiceStatus, UserStatus
from tollbridge.rules.overdue import Age, HoldReason, OpenInvoice, age, coming_step
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
        """The page as of now."""
        clients: dict[int, _Client] = defaultdict(_Client)
        ages: dict[tuple[str, Age], tuple[int, Decimal]] = {}
        pending = 0
        for found in self._ledger.finder.owed():
            clients[found.client_id].add(found)
            pending += found.status is InvoiceStatus.PENDING
            key = found.currency, age(found.due_date, asked.today)
            count, total = ages.get(key, (0, Decimal(0)))
            ages[key] = count + 1, EXACT.add(total, found.total)
        return Sheet("owed", Words("owed.title"), (
            Section("ages-part", Words("owed.ages"), tuple(_ages(ages, pending))),
            Section("steps-part", Words("owed.steps"), tuple(self._steps(asked, clients))),
            Section("held-part", Words("owed.held"), (self._held(asked, clients),)),
        ))  # fmt: skip

    def _steps(self, asked: Asked, clients: dict[int, _Client]) -> Iterator[Part]:
        """Who is locked or suspended next if nobody pays, by date."""
        held = {
            each.client_id: each.hold.status
            for each in self._ledger.finder.held()
            if each.hold.reason is HoldReason.OVERDUE
        }
        steps: list[tuple[date, int, UserStatus]] = []
        for client_id in clients.keys() | held.keys():
            unpaid = clients[client_id].invoices if client_id in clients else ()
            step = coming_step(self._ladder, unpaid, asked.today, held.get(client_id, UserStatus.ACTIVE))
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
        yield Table("steps", columns, shown, "owed.no_steps", more=more)
        if self._ladder.lock_after_days is None and self._ladder.suspend_after_days is None:
            yield Note(Words("owed.no_ladder"))

    def _held(self, asked: Asked, clients: dict[int, _Client]) -> Table:
        rows = [
            (
                Link(str(each.client_id), f"clients/{each.client_id}"), _badge(each.hold.status),
                Words(f"reason.{each.hold.reason}"), each.since, *_sums(clients.get(each.client_id)),
            )
            for each in self._ledger.finder.held()
        ]  # fmt: skip
        shown, more = rows_shown(asked, rows, _MOST)
        columns = (
            Column("client_id"), Column("user"), Column("reason"), Column("since"), Column("currency", csv_only=True),
            Column("owed", right=True),
        )  # fmt: skip
        return Table("held", columns, shown, "owed.nobody_held", more=more)


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


def _ages(ages: dict[tuple[str, Age], tuple[int, Decimal]], pending: int) -> Iterator[Part]:
    codes = sorted({code for code, _ in ages})
    zero = (0, Decimal(0))
    for code in codes:
        bars = [Bar(_words(each), (ages.get((code, each), zero)[1],)) for each in Age]
        yield Chart(f"owed-{code}", Words("owed.chart", {"currency": code}), ("column.owed",), bars, code)
    columns = (
        Column("age"), Column("currency", csv_only=True), Column("invoices", right=True), Column("owed", right=True),
    )  # fmt: skip
    rows = [
        (Badge(_words(late), "wait" if late is not Age.NOT_DUE else ""), code, count, Amount(total, code))
        for code in codes
        for late in Age
        for count, total in [ages.get((code, late), zero)]
        if count
    ]
    yield Table("ages", columns, rows, "owed.nothing")
    if pending:
        yield Note(Words("owed.pending", {"count": pending}))
