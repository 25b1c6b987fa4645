"""Invoices: found by reference, number, client, month and state, and for each its lines and what has happened to it."""

from collections.abc import Iterator, Sequence

from tollbridge.errors import NotFound
from tollbridge.jobs.parts import Parts
from tollbridge.ledger.finder import FoundInvoice
from tollbridge.model import InvoiceStatus
from tollbridge.reference import month_and_client, reference
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.pricing import plain, tax_amounts
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
    Told,
    Value,
    Words,
)
from tollbridge.server.operator.time_line import invoice_link, time_line

_BATCH = 500
_MORE_THAN_ANY = 2**63
_STATES: dict[str, State | InvoiceStatus] = {
    str(each): each
    for each in (
        InvoiceStatus.UNPAID, InvoiceStatus.PENDING, InvoiceStatus.PAID, InvoiceStatus.CANCELLED,
        InvoiceStatus.REFUNDED, State.WRITTEN, State.SENDING, State.CARRIED, State.NOTHING,
    )
}  # fmt: skip
_KINDS = {
    "paid": "good", "unpaid": "wait", "pending": "wait", "overdue": "bad", "written": "wait", "sending": "wait",
    "held": "wait",
}  # fmt: skip


class InvoicesPage:
    """The sixth page, and one for each invoice."""

    def __init__(self, parts: Parts) -> None:
        self._ledger = parts.ledger

    def sheet(self, asked: Asked) -> Sheet:
        """Those that were searched for, or all, the newest month first."""
        text, state = asked.text("q"), _STATES.get(asked.text("state"))
        month = _month(asked.text("month"))
        if asked.whole:
            table = Table("invoices", invoice_columns(), map(invoice_row, self._all(text, month, state)))
        else:
            found = self._found(PAGE_ROWS + 1, text, month, state, _place(asked.text("before")))
            shown = found[:PAGE_ROWS]
            last = shown[-1] if len(found) > PAGE_ROWS else None
            next_page = f"before={last.month}.{last.client_id}" if last else ""
            rows = list(map(invoice_row, shown))
            table = Table("invoices", invoice_columns(), rows, "invoices.none", next_page)
        months = [each.month for each in reversed(self._ledger.months.all())]
        search = Search((
            Field("q", text),
            Field("month", str(month or ""), {"": Words("search.any_month"), **{str(each): each for each in months}}),
            Field("state", str(state or ""), {
                "": Words("search.any_state"), **{name: Words(f"state.{name}") for name in _STATES}
            }),
        ))  # fmt: skip
        return Sheet("invoices", Words("invoices.title"), (
            Section("found", Words("invoices.found"), (search, table)),
        ))  # fmt: skip

    def _all(self, text: str, month: Month | None, state: State | InvoiceStatus | None) -> Iterator[FoundInvoice]:
        before = None
        while found := self._found(_BATCH, text, month, state, before):
            yield from found
            before = Month.parse(found[-1].month), found[-1].client_id

    def _found(
        self, most: int, text: str, month: Month | None, state: State | InvoiceStatus | None,
        before: tuple[Month, int] | None,
    ) -> list[FoundInvoice]:  # fmt: skip
        """By what was typed: a reference, a client's number or the billing system's number of an invoice."""
        find = self._ledger.finder.invoices
        if not text:
            return find(most, month=month, state=state, before=before)
        if named := month_and_client(text):
            if month not in {None, Month.parse(named[0])} or abs(named[1]) >= _MORE_THAN_ANY:
                return []
            return find(most, month=Month.parse(named[0]), client_id=named[1], state=state, before=before)
        found = find(most, month=month, billing_id=text[:64], state=state, before=before)
        if text.isascii() and text.isdecimal() and int(text) < _MORE_THAN_ANY:
            found += find(most, month=month, client_id=int(text), state=state, before=before)
        each_once = {(each.month, each.client_id): each for each in found}
        return [each_once[key] for key in sorted(each_once, reverse=True)][:most]

    def one(self, month: Month, client_id: int, asked: Asked) -> Sheet:
        """One client's month: what is asked for, from which lines, and what became of it."""
        entry = self._ledger.invoices.find(month, client_id) if abs(client_id) < _MORE_THAN_ANY else None
        if entry is None:
            raise NotFound("the ledger has nothing under this reference")
        changes = self._ledger.lists.events(about=(month, client_id))
        commands = Commands((f"tollbridge explain {entry.reference}", *_decisions(entry)))
        problems = [Note(Told(words), "bad") for words in (entry.problem, entry.held) if words]
        return Sheet("invoices", Words("invoice.title", {"reference": entry.reference}), (
            Section("facts", Words("invoice.facts"), (
                *problems, Facts(list(_facts(entry))), Note(Words("invoice.commands")), Note(commands),
            )),
            Section("lines-part", Words("invoice.lines"), (_lines(entry), *_taxes(entry))),
            Section("time-line-part", Words("invoice.time_line"), (time_line(asked, changes),)),
        ))  # fmt: skip


def _decisions(entry: Entry) -> tuple[str, ...]:
    if not entry.held:
        return ()
    return tuple(f"tollbridge {verb} {entry.reference} --reason TEXT" for verb in ("approve", "write-off"))


def _facts(entry: Entry) -> Iterator[tuple[str, Value]]:
    status = str(entry.billing_status or entry.state)
    yield (
        "state",
        Badge(Words("state.held"), "wait") if entry.held else Badge(Words(f"state.{status}"), _KINDS.get(status, "")),
    )
    yield "client_id", Link(str(entry.client_id), f"clients/{entry.client_id}")
    yield "month", entry.month
    yield "billing_id", entry.billing_id
    yield "total", Amount(entry.total, entry.currency)
    yield "net", Amount(entry.total - entry.tax, entry.currency)
    yield "tax", Amount(entry.tax, entry.currency)
    yield "tokens", entry.tokens
    if entry.state is State.ISSUED:
        yield "issue_date", entry.issue_date
        yield "due_date", entry.due_date
        yield "settled_at", entry.settled_at
    if entry.carried_into:
        yield "carried_into", invoice_link(reference(entry.carried_into, entry.client_id))
    yield "written_off", entry.written_off


def _lines(entry: Entry) -> Table:
    columns = (
        Column("line"), Column("month"), Column("plan"), Column("hours", right=True), Column("tokens", right=True),
        Column("currency", csv_only=True), Column("amount", right=True),
    )  # fmt: skip
    rows = [
        (
            line.description, Month.parse(line.month), line.plan, line.hours, line.tokens, entry.currency,
            Amount(line.amount, entry.currency),
        )
        for line in entry.document.lines
    ]  # fmt: skip
    return Table("lines", columns, rows, "invoice.no_lines")


def _taxes(entry: Entry) -> Iterator[Table]:
    price = entry.document.price
    rows = [
        (tax.label, Words("invoice.rate", {"rate": plain(tax.rate)}), entry.currency, Amount(amount, entry.currency))
        for tax, amount in tax_amounts(price, entry.document.taxed)
    ]
    if rows:
        columns = (
            Column("tax"), Column("rate", right=True), Column("currency", csv_only=True), Column("amount", right=True),
        )  # fmt: skip
        yield Table("taxes", columns, rows)


def invoice_columns() -> Sequence[Column]:
    """The columns of every list of invoices."""
    return (
        Column("reference"), Column("client_id"), Column("billing_id"), Column("state"), Column("issue_date"),
        Column("due_date"), Column("tokens", right=True), Column("currency", csv_only=True),
        Column("total", right=True),
    )  # fmt: skip


def invoice_row(found: FoundInvoice) -> Sequence[Value]:
    """One invoice in it."""
    status = "held" if found.held and found.state is State.WRITTEN else str(found.status or found.state)
    issued = found.state is State.ISSUED
    return (
        invoice_link(found.reference), Link(str(found.client_id), f"clients/{found.client_id}"), found.billing_id,
        Badge(Words(f"state.{status}"), _KINDS.get(status, "")), found.issue_date if issued else None,
        found.due_date if issued else None, found.tokens, found.currency, Amount(found.total, found.currency),
    )  # fmt: skip


def _month(text: str) -> Month | None:
    try:
        return Month.parse(text)
    except ValueError:
        return None


def _place(text: str) -> tuple[Month, int] | None:
    """Where a page begins."""
    month, _, client = text.partition(".")
    found = _month(month)
    is_number = client.removeprefix("-").isdecimal() and client.isascii() and len(client) < 20
    return (found, int(client)) if found and is_number else None
