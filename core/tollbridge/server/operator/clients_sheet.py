"""Clients: found by number or address, and for each what it owes and what has happened to it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tollbridge.errors import NotFound
from tollbridge.jobs.parts import Parts
from tollbridge.ledger.finder import FoundClient, FoundInvoice
from tollbridge.model import EXACT, UserStatus
from tollbridge.rules.overdue import HoldReason, OpenInvoice, coming_step, held_status
from tollbridge.server.operator.invoices_sheet import invoice_columns, invoice_row
from tollbridge.server.operator.owed_sheet import KINDS
from tollbridge.server.operator.sheets import (
    PAGE_ROWS,
    Amount,
    Asked,
    Badge,
    Column,
    Commands,
    Facts,
    Field,
    Link,
    Note,
    Search,
    Section,
    Sheet,
    Table,
    Value,
    Words,
)
from tollbridge.server.operator.time_line import time_line

_BATCH = 500
_ALL = 10_000
_MORE_THAN_ANY = 2**63
_COLUMNS = (
    Column("client_id"), Column("email"), Column("user_id"), Column("user"),
    Column("currency", csv_only=True), Column("owed", right=True),
)  # fmt: skip


class ClientsPage:
    """The fifth page, and one for each client."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def sheet(self, asked: Asked) -> Sheet:
        """Those that were searched for, or all."""
        text = asked.text("q")
        if asked.whole:
            table = Table("clients", _COLUMNS, self._all(text))
        else:
            after = asked.text("after")
            found = self._ledger.finder.clients(
                PAGE_ROWS + 1, text=text, after=int(after) if after.isdecimal() else None
            )
            shown = found[:PAGE_ROWS]
            next_page = f"after={shown[-1].client_id}" if len(found) > PAGE_ROWS else ""
            empty = "clients.not_found" if text else "clients.none"
            table = Table("clients", _COLUMNS, self._rows(shown), empty, next_page)
        search = Search((Field("q", text),))
        return Sheet("clients", Words("clients.title"), (
            Section("found", Words("clients.found"), (search, Note(Words("clients.told")), table)),
        ))  # fmt: skip

    def _all(self, text: str) -> Iterator[Sequence[Value]]:
        after = None
        while found := self._ledger.finder.clients(_BATCH, text=text, after=after):
            yield from self._rows(found)
            after = found[-1].client_id

    def _rows(self, found: Sequence[FoundClient]) -> list[Sequence[Value]]:
        owed = self._owed([each.client_id for each in found])
        return [
            (
                Link(str(each.client_id), f"clients/{each.client_id}"), each.email, str(each.user_id),
                _badge(each.held),
                *owed.get(each.client_id, (None, None)),
            )
            for each in found
        ]  # fmt: skip

    def _owed(self, client_ids: Sequence[int]) -> dict[int, tuple[str, Amount]]:
        """What each owes, in the currency that most of it is in."""
        found: dict[int, dict[str, Decimal]] = {}
        for each in self._ledger.finder.owed(client_ids):
            _add(found.setdefault(each.client_id, {}), each)
        most = {client_id: max(sums.items(), key=lambda each: each[1]) for client_id, sums in found.items()}
        return {client_id: (code, Amount(amount, code)) for client_id, (code, amount) in most.items()}

    def one(self, client_id: int, asked: Asked) -> Sheet:
        """Everything the ledger has of a client; NotFound if it has nothing."""
        if client_id >= _MORE_THAN_ANY:
            raise NotFound(f"no client has the number {client_id}")
        account = self._ledger.accounts.of_clients([client_id]).get(client_id)
        invoices = self._ledger.finder.invoices(_ALL, client_id=client_id)
        changes = list(self._ledger.lists.events(client_id))
        if account is None and not invoices and not changes:
            raise NotFound(f"the ledger has nothing of client {client_id}")
        owed = [each for each in invoices if each.is_owed]
        status = held_status(account.holds) if account else UserStatus.ACTIVE
        facts: list[tuple[str, Value]] = [
            ("email", account.email if account else None), ("user_id", str(account.user_id) if account else None),
            ("user", _badge(status) if account else Badge(Words("user.none"))),
            *self._reasons(client_id), *_sums(owed), *self._next(client_id, owed, asked),
        ]  # fmt: skip
        commands = ("client", "statement", "log --client")
        told = Commands(tuple(f"tollbridge {each} {client_id}" for each in commands))
        shown = invoices if asked.whole else invoices[:PAGE_ROWS]
        rows = [invoice_row(each) for each in shown]
        table = Table("invoices", invoice_columns(), rows, more=len(invoices) - len(shown))
        return Sheet("clients", Words("client.title", {"client": str(client_id)}), (
            Section("facts", Words("client.facts"), (Facts(facts), Note(Words("client.commands")), Note(told))),
            Section("invoices-part", Words("client.invoices"), (table,)),
            Section("time-line-part", Words("client.time_line"), (time_line(asked, changes),)),
        ))  # fmt: skip

    def _reasons(self, client_id: int) -> Iterator[tuple[str, Value]]:
        for hold in self._ledger.lists.holds(client_id):
            yield "held_for", Words("client.held", {"reason": Words(f"reason.{hold.reason}"), "since": hold.since})

    def _next(self, client_id: int, owed: Sequence[FoundInvoice], asked: Asked) -> Iterator[tuple[str, Value]]:
        holds = {hold.reason: UserStatus(hold.status) for hold in self._ledger.lists.holds(client_id)}
        unpaid = [OpenInvoice(each.status, each.due_date) for each in owed if each.status is not None]
        held = holds.get(HoldReason.OVERDUE, UserStatus.ACTIVE)
        step = coming_step(self._parts.settings.billing.ladder, unpaid, asked.today, held)
        if step is not None:
            yield "next_step", Words("client.next", {"day": step[0], "user": Words(f"user.{step[1]}")})


def _badge(status: UserStatus) -> Badge:
    return Badge(Words(f"user.{status}"), KINDS[status])


def _sums(owed: Sequence[FoundInvoice]) -> Iterator[tuple[str, Value]]:
    sums: dict[str, Decimal] = {}
    for each in owed:
        _add(sums, each)
    for code, amount in sorted(sums.items()):
        yield "owed", Amount(amount, code)
    if not sums:
        yield "owed", Words("client.owes_nothing")


def _add(sums: dict[str, Decimal], invoice: FoundInvoice) -> None:
    sums[invoice.currency] = EXACT.add(sums.get(invoice.currency, Decimal(0)), invoice.total)
