"""``invoices``, ``log``, ``revenue`` and ``statement``: what stands in the ledger, which they only read."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from tollbridge.cli.listing import AsCsv, Column, one_format, print_csv, print_json_list, print_rows
from tollbridge.cli.output import complain, iso, out, say, table
from tollbridge.cli.session import AsJson, ClientOption, MonthOption, Since
from tollbridge.errors import UsageError
from tollbridge.jobs.reports import line_json, status_of
from tollbridge.ledger.lists import Change, Revenue, Row
from tollbridge.model import EXACT, InvoiceStatus
from tollbridge.reference import month_and_client
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.pricing import money, plain, tax_amounts
from tollbridge.words import counted

_MORE_THAN_ANY = 2**63  # no client has this number
_STATES: dict[str, State | InvoiceStatus] = {str(each): each for kind in (State, InvoiceStatus) for each in kind}


def month_and_client_of(reference: str) -> tuple[Month, int] | None:
    """What a reference names; None if it is none, or no client can have its number."""
    named = month_and_client(reference)
    try:
        return (Month.parse(named[0]), named[1]) if named and named[1] < _MORE_THAN_ANY else None
    except ValueError:
        return None


# invoices


def _state(text: str) -> State | InvoiceStatus:
    try:
        return _STATES[text]
    except KeyError:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(_STATES)}") from None


def invoices(
    context: typer.Context,
    month: MonthOption = None,
    client: ClientOption = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not paid yet.")] = False,
    state: Annotated[
        Any,
        typer.Option(
            "--state", metavar="S", parser=_state,
            help="The ledger's state (written, sending, issued, carried, nothing), or the billing system's word"
            " (unpaid, pending, paid, cancelled, refunded).",
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:  # fmt: skip
    """Invoices, by month and client; what is no invoice (carried, nothing to pay) only if --state asks for it."""
    one_format(as_json=as_json, as_csv=as_csv)
    with context.obj.ledger() as (settings, ledger):
        found = ledger.lists.invoices(month, client, state, only_open=only_open)
        if as_json:
            print_json_list(map(invoice_row_json, found))
        elif as_csv:
            print_csv(_INVOICE_KEYS, (list(invoice_row_json(row).values()) for row in found))
        else:
            looked = ledger.runs.last_look()
            _print_invoices(found, looked.day if looked else datetime.now(settings.billing.timezone).date())
            if looked:
                say(f"As the billing system had them in run {looked.id}, at {iso(looked.began_at)}.")


def invoice_row_json(row: Row) -> dict[str, Any]:
    """One row of ``invoices --json`` and, in the same order, of ``--csv``."""
    return {
        "reference": row.reference,
        "client_id": row.client_id,
        "month": row.month,
        "state": str(row.state),
        "status": str(row.status or row.state),
        "billing_id": row.billing_id,
        "currency": row.currency,
        "issue_date": iso(row.issue_date),
        "due_date": iso(row.due_date),
        "tokens": row.tokens,
        "subtotal": row.subtotal,
        "total": row.total,
        "carried_into": row.carried_into,
        "issued_at": iso(row.issued_at) or None,
        "settled_at": iso(row.settled_at) or None,
        "problem": row.problem,
    }


_INVOICE_KEYS = (
    "reference", "client_id", "month", "state", "status", "billing_id", "currency", "issue_date", "due_date", "tokens",
    "subtotal", "total", "carried_into", "issued_at", "settled_at", "problem",
)  # fmt: skip
_INVOICE_COLUMNS = (
    Column("reference", folds=True, least=17), Column("number", folds=True), Column("status", least=7), Column("due"),
    Column("late", right=True), Column("tokens", right=True), Column("total", right=True),
)  # fmt: skip


def _print_invoices(found: Iterable[Row], day: date) -> None:
    totals: dict[str, Decimal] = {}
    problems: list[str] = []

    def cells() -> Iterator[list[str]]:
        for row in found:
            totals[row.currency] = EXACT.add(totals.get(row.currency, Decimal(0)), row.total)
            if row.problem:
                problems.append(f"{row.reference}: {row.problem}")
            days = (day - row.due_date).days
            late = f"{days:,} d" if row.status is InvoiceStatus.UNPAID and days > 0 else ""
            yield [
                row.reference, row.billing_id or "", _words(row), iso(row.due_date), late, f"{row.tokens:,}",
                f"{row.total:,f} {row.currency}",
            ]  # fmt: skip

    count = print_rows(_INVOICE_COLUMNS, cells())
    if not count:
        say("There are none.")
        return
    say(f"{counted(count, 'invoice')}: {_sums(totals)}")
    for problem in problems:
        complain(problem)


def _words(row: Row) -> str:
    return f"in {row.carried_into}" if row.carried_into else str(row.status or row.state)


def _sums(totals: dict[str, Decimal]) -> str:
    return ", ".join(f"{amount:,f} {code}" for code, amount in sorted(totals.items()))


# log

_LOG_COLUMNS = (
    Column("when (UTC)"),
    Column("by", least=8),
    Column("about", least=17),
    Column("what changed, and why", folds=True),
)


def change_columns(what: str) -> tuple[Column, ...]:
    """The columns of what has happened to one thing."""
    return Column("when (UTC)"), Column("by"), Column(what, folds=True)


def change_cells(change: Change) -> list[str]:
    """Their cells."""
    return [moment(change.event.at), change.by, change.words]


def log(
    context: typer.Context,
    client: ClientOption = None,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="R", help="An invoice, like TB-2026-07-1042.")
    ] = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """What has changed: from what to what, when, by which run or command, and why. Nothing is ever taken out."""
    about = month_and_client_of(reference) if reference is not None else None
    if reference is not None and about is None:
        raise UsageError(f"{reference} is not a reference like TB-2026-07-1042")
    with context.obj.ledger() as (settings, ledger):
        if about is not None and ledger.invoices.find(*about) is None:
            raise UsageError(f"the ledger has nothing under {reference}")
        begin = since and datetime(since.year, since.month, since.day, tzinfo=settings.billing.timezone)
        found = ledger.lists.events(client, about, begin)
        if as_json:
            print_json_list(map(change_json, found))
        elif not print_rows(_LOG_COLUMNS, map(_log_cells, found)):
            say("Nothing has changed.")


def change_json(change: Change) -> dict[str, Any]:
    """One event, as documents have it."""
    event = change.event
    return {
        "at": iso(event.at),
        "what": event.what,
        "client_id": event.client_id,
        "month": event.month,
        "reference": change.reference,
        "before": event.before,
        "after": event.after,
        "why": event.why,
        "run": event.run_id,
        "run_date": iso(change.run_day) or None,
        "command": change.command,
    }


def _log_cells(change: Change) -> list[str]:
    event = change.event
    client = "" if event.client_id is None else f"client {event.client_id}"
    return [moment(event.at), change.by, change.reference or client or event.month or "", change.words]


def moment(at: datetime | None) -> str:
    """A moment in a table, to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


# revenue


def revenue(context: typer.Context, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """What was invoiced per month and currency, without and with tax; cancelled and refunded invoices left out."""
    one_format(as_json=as_json, as_csv=as_csv)
    with context.obj.ledger() as (_settings, ledger):
        found = ledger.lists.revenue()
    if as_json:
        print_json_list(map(_revenue_json, found))
    elif as_csv:
        print_csv(_REVENUE_KEYS, (list(_revenue_json(row).values()) for row in found))
    else:
        _print_revenue(found)


def _revenue_json(row: Revenue) -> dict[str, Any]:
    return {
        "month": row.month,
        "currency": row.currency,
        "invoices": row.invoices,
        "net": row.net,
        "tax": row.tax,
        "left_out": row.left_out,
    }


_REVENUE_KEYS = ("month", "currency", "invoices", "net", "tax", "left_out")
_REVENUE_COLUMNS = (
    Column("month"), Column("currency"), Column("invoices", right=True), Column("net", right=True),
    Column("tax", right=True), Column("with tax", right=True), Column("", folds=True),
)  # fmt: skip
_BAR = 15


def _print_revenue(found: list[Revenue]) -> None:
    most: dict[str, Decimal] = {}
    for row in found:
        most[row.currency] = max(most.get(row.currency, Decimal(0)), row.net)
    rows = (
        [
            row.month, row.currency, f"{row.invoices:,}", f"{row.net:,f}", f"{row.tax:,f}",
            f"{EXACT.add(row.net, row.tax):,f}", _bar(row.net, most[row.currency]),
        ]
        for row in found
    )  # fmt: skip
    if not print_rows(_REVENUE_COLUMNS, rows):
        say("Nothing has been invoiced yet.")
    left_out = sum(row.left_out for row in found)
    if left_out:
        say(f"Left out, since cancelled or refunded: {counted(left_out, 'invoice')}.")


def _bar(amount: Decimal, most: Decimal) -> str:
    return "█" * int(_BAR * amount / most) if most > 0 and amount > 0 else ""


# statement


def statement(
    context: typer.Context,
    client: Annotated[int, typer.Argument(metavar="CLIENT", help="The client's id in the billing system.")],
    month: MonthOption = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Every line of a client's invoices: hours, cap, tokens and price; what is carried to a later one, too."""
    one_format(as_json=as_json, as_csv=as_csv)
    with context.obj.ledger() as (_settings, ledger):
        found = ledger.invoices.of_client(client, month) if abs(client) < _MORE_THAN_ANY else []
    if not found:
        raise UsageError(f"the ledger has nothing of client {client}" + (f" in {month}" if month else ""))
    if month is None:  # what was carried stands on the invoice that took it in
        found = [entry for entry in found if entry.carried_into is None]
    lines = (statement_json(entry, line) for entry in found for line in entry.document.lines)
    if as_json:
        print_json_list(lines)
    elif as_csv:
        print_csv(_STATEMENT_KEYS, (list(line.values()) for line in lines))
    else:
        for entry in found:
            _print_statement(entry)


def statement_json(entry: Entry, line: Any) -> dict[str, Any]:
    """One line of ``statement --json`` and, in the same order, of ``--csv``: its invoice, then the line."""
    made = line_json(entry, line)
    return {
        "reference": entry.reference,
        "client_id": entry.client_id,
        "status": status_of(entry),
        "billing_id": entry.billing_id,
        **made,
        "price": None if made["exact"] is None else plain(entry.document.price.net),
        "currency": entry.currency,
    }


_STATEMENT_KEYS = (
    "reference", "client_id", "status", "billing_id", "description", "month", "type", "id", "name", "plan", "hours",
    "tokens_per_hour", "tokens_per_month", "tokens", "exact", "amount", "taxed", "price", "currency",
)  # fmt: skip


def _print_statement(entry: Entry) -> None:
    price, currency = entry.document.price, entry.document.price.currency
    numbers = ("hours", "cap", "tokens", currency.code)
    number = f", number {entry.billing_id}" if entry.billing_id else ""
    made = table(f"{entry.reference}{number}: {state_words(entry)}", "month", "item", *numbers, right=numbers)
    for line in entry.document.lines:
        made.add_row(
            line.month,
            ", ".join(part for part in (line.item_name, line.plan or line.item_type) if part),
            "" if line.hours is None else f"{line.hours:,}",
            f"{line.tokens_per_month:,}" if line.tokens_per_month else "",
            f"{line.tokens:,}",
            money(line.amount, currency),
        )
    made.add_section()
    made.add_row("", f"at {plain(price.net)} {currency.code} a token", "", "", f"{entry.tokens:,}",
                 money(entry.subtotal, currency))  # fmt: skip
    for label, amount in tax_rows(entry):
        made.add_row("", label, "", "", "", amount)
    made.add_row("", "total", "", "", "", money(entry.total, currency))
    out.print(made)


def tax_rows(entry: Entry) -> list[tuple[str, str]]:
    """The taxes of an invoice, each with what it comes to."""
    price = entry.document.price
    held = "holds " if price.prices_include_tax else ""
    compound = " (compound)" if price.compound else ""
    return [
        (f"{held}{tax.label} {plain(tax.rate)} %{compound}", money(amount, price.currency))
        for tax, amount in tax_amounts(price, entry.document.taxed)
    ]


def state_words(entry: Entry) -> str:
    """How far an entry is, in words."""
    match entry.state:
        case State.CARRIED:
            return f"carried into {entry.carried_into}" if entry.carried_into else "carried to the next invoice"
        case State.NOTHING:
            return "nothing to pay, no invoice"
        case State.SENDING:
            return "sent, outcome not known yet"
        case State.WRITTEN:
            return "not sent yet"
        case State.ISSUED:
            return str(entry.billing_status or "issued")
