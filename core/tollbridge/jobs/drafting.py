"""A client's usage in a month, written as a ledger entry: lines, amounts, and what becomes of it."""

from collections.abc import Iterable
from datetime import date, datetime

import attrs

from tollbridge.config import BillingSettings
from tollbridge.model import Client, UsageItem
from tollbridge.rules.calendar import Month, due_date
from tollbridge.rules.entry import Document, Entry, Line, State
from tollbridge.rules.invoicing import Verdict, item_line, server_line, verdict
from tollbridge.rules.metering import server_tokens
from tollbridge.rules.pricing import TokenPrice, line_amount

_STATES = {Verdict.INVOICE: State.WRITTEN, Verdict.CARRY: State.CARRIED, Verdict.NOTHING: State.NOTHING}


def draft(
    month: Month,
    client: Client,
    items: Iterable[UsageItem],
    carried: Iterable[Entry],
    price: TokenPrice,
    *,
    billing: BillingSettings,
    issue_date: date,
    now: datetime,
) -> Entry:
    """The entry for one client's month.

    Earlier months that were carried come first, line by line, as they were priced then; only where the client's
    currency has changed since are their tokens priced anew.
    """
    earlier = list(carried)
    own = [_line(month, item, price, taxed=not client.tax_exempt) for item in items]
    taken = [_carried(entry, line, price) for entry in earlier for line in entry.document.lines]
    lines = tuple(taken + own)
    subtotal = sum((line.amount for line in lines), price.zero)
    outcome = verdict(subtotal, billing.minimum.get(client.currency), zero_invoices=billing.zero_invoices)
    if outcome is not Verdict.INVOICE:
        earlier, lines = [], tuple(own)
    entry = Entry(
        client_id=client.id,
        month=month,
        state=_STATES[outcome],
        currency=client.currency,
        issue_date=issue_date,
        due_date=due_date(issue_date, billing.grace_days),
        tokens=sum(line.tokens for line in lines),
        subtotal=sum((line.amount for line in lines), price.zero),
        total=price.zero,
        document=Document(lines, price, tuple(str(each.month) for each in earlier)),
        written_at=now,
    )
    return attrs.evolve(entry, total=entry.invoice().total)


def _line(month: Month, item: UsageItem, price: TokenPrice, *, taxed: bool) -> Line:
    line = Line(
        description=item_line(item.type, item.name, item.tokens),
        tokens=item.tokens,
        amount=line_amount(item.tokens, price),
        taxed=taxed,
        month=str(month),
        item_type=item.type,
        item_id=item.id,
        item_name=item.name,
    )
    server = item.server
    if server is None:
        return line
    return attrs.evolve(
        line,
        description=server_line(
            item.name,
            server.plan,
            server.hours,
            server.tokens_per_hour,
            tokens=item.tokens,
            metered=server_tokens(server),
        ),
        plan=server.plan,
        hours=server.hours,
        tokens_per_hour=server.tokens_per_hour,
        tokens_per_month=server.tokens_per_month,
    )


def _carried(entry: Entry, line: Line, price: TokenPrice) -> Line:
    """A line of an earlier month; its price is what was shown then, unless the currency is another now."""
    if entry.currency == price.currency.code:
        return attrs.evolve(line, description=f"{entry.month}: {line.description}")
    return attrs.evolve(
        line,
        description=f"{entry.month}: {line.description}",
        amount=line_amount(line.tokens, price),
    )
