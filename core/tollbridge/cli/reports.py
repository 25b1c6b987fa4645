"""Commands that only look: ``usage``, ``plans``, ``explain`` and ``adapters``."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer
from rich.table import Table

from tollbridge.adapters.hookspecs import ABILITIES
from tollbridge.adapters.loading import Inability, Installed, installed_adapters, own_adapter
from tollbridge.bridge import read_configuration
from tollbridge.cli.books import change_cells, change_columns, change_json, month_and_client_of, state_words, tax_rows
from tollbridge.cli.listing import print_rows
from tollbridge.cli.output import complain, iso, out, print_json, progress, say, table
from tollbridge.cli.session import AsJson, MonthOption
from tollbridge.config import METER, named_adapter
from tollbridge.errors import TollbridgeError, UsageError
from tollbridge.jobs.client_view import Payment, asked
from tollbridge.jobs.comparison import Comparison, UsageRow, compare_usage, metered_lines
from tollbridge.jobs.daily import when
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import now, running_month, shown_prices
from tollbridge.jobs.pricing import Pricer
from tollbridge.jobs.reports import invoice_json, line_json
from tollbridge.ledger.lists import Change
from tollbridge.model import Currency, InvoiceStatus, UserStatus
from tollbridge.reference import month_and_client
from tollbridge.reference import reference as reference_of
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.pricing import conversion, exact_money, money, plain, tax_amounts
from tollbridge.usage.meter import Bounds
from tollbridge.words import counted

_HOURS_OF_LONGEST_MONTH = 24 * 31
_CONVERSIONS = (1, 10, 100, 1_000, 10_000)


def usage(context: typer.Context, month: MonthOption = None, as_json: AsJson = False) -> None:
    """What SolusIO reports for a month, beside what the bridge computes and has invoiced; default: the last month."""
    with context.obj.parts() as parts, progress(quiet=as_json) as show:
        zone = parts.settings.billing.timezone
        month = month or Month.of(when(parts, None, dry_run=True).now, zone).previous
        comparison = compare_usage(parts, month, show)
    if as_json:
        print_json(comparison.json())
    else:
        _print_comparison(comparison)


def _print_comparison(comparison: Comparison) -> None:
    metered = any(row.bounds for row in comparison.rows)
    bounds = ("at least", "at most") if metered else ()
    made = table(
        f"Usage in {comparison.month}", "client", "item", "kind", "hours", "tokens", "computed", *bounds, "",
        right=("client", "hours", "tokens", "computed", *bounds),
    )  # fmt: skip
    for row in comparison.rows:
        item = row.item
        made.add_row(
            str(row.client_id or f"user {row.user_id}"),
            item.name,
            item.type,
            f"{item.server.all_hours:,}" if item.server else "",
            f"{item.tokens:,}",
            _number(row.computed),
            *((_number(row.at_least), _number(row.at_most)) if metered else ()),
            _note(row),
        )
    out.print(made)
    who = "The meter is sure of" if comparison.source == METER else "SolusIO reports"
    places = ", ".join(f"{tokens:,} {what}" for what, tokens in comparison.places.items())
    say(f"{who} {counted(comparison.tokens, 'token')}{f'; {places}' if places else ''}.")
    for remark in comparison.remarks():
        complain(remark)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _note(row: UsageRow) -> str:
    if row.computed not in {None, row.item.tokens}:
        return "differs"
    return "deleted" if row.item.server and row.item.server.is_deleted else ""


def plans(context: typer.Context, as_json: AsJson = False) -> None:
    """SolusIO's plans in tokens and in each currency, before discounts and tax, as in step 2 of the guide."""
    with context.obj.parts() as parts:
        found = parts.solus.plans()
        prices = shown_prices(parts, running_month(parts, now())).prices.tokens
        pricer = Pricer(parts.billing)
        currencies = {code: pricer.writing(code) for code in prices}
    rows = [
        {
            "id": plan.id,
            "name": plan.name,
            "tokens_per_hour": plan.tokens_per_hour,
            "aggregated_tokens_per_month": plan.tokens_per_hour * _HOURS_OF_LONGEST_MONTH,
            "tokens_per_month": plan.tokens_per_month,
            "prices": {
                code: {
                    "per_hour": plan.tokens_per_hour * token,
                    "aggregated_per_month": plan.tokens_per_hour * _HOURS_OF_LONGEST_MONTH * token,
                    "per_month": plan.tokens_per_month * token,
                }
                for code, token in prices.items()
            },
        }
        for plan in found
    ]
    if as_json:
        print_json(rows)
        return
    out.print(_conversion_table(prices, currencies))
    for code in prices:
        out.print(_plan_table(code, currencies[code], rows))


def _conversion_table(prices: dict[str, Decimal], currencies: dict[str, Currency]) -> Table:
    """Step 1 of the guide: what tokens cost, digit by digit."""
    made = table("Tokens", "tokens", *prices, right=("tokens", *prices))
    columns = [list(conversion(_CONVERSIONS, token)) for token in prices.values()]
    for number, tokens in enumerate(_CONVERSIONS):
        amounts = [
            exact_money(column[number][1], currencies[code]) for column, code in zip(columns, prices, strict=True)
        ]
        made.add_row(f"{tokens:,}", *amounts)
    return made


def _plan_table(code: str, currency: Currency, rows: list[dict[str, Any]]) -> Table:
    numbers = ("tokens/h", "in 744 h", f"in {code}", "at most/month", f"as {code}")
    made = table(f"Plans in {code}", "plan", *numbers, right=numbers)
    for row in rows:
        prices = row["prices"][code]
        made.add_row(
            row["name"],
            f"{row['tokens_per_hour']:,}",
            f"{row['aggregated_tokens_per_month']:,}",
            money(prices["aggregated_per_month"], currency),
            f"{row['tokens_per_month']:,}" if row["tokens_per_month"] else "no cap",
            money(prices["per_month"], currency) if row["tokens_per_month"] else "",
        )
    return made


def explain(
    context: typer.Context,
    reference: Annotated[
        str, typer.Argument(metavar="REFERENCE", help="TB-2026-07-1042, or the billing system's number.")
    ],
    as_json: AsJson = False,
) -> None:
    """One invoice: where every line comes from, what was paid, and what has happened to it and to its user."""
    with context.obj.parts(read_only=True) as parts:
        entry = _entry(parts, reference)
        payment, trouble = _payment(parts, entry)
        history, locks = _history(parts, entry), list(_locks(parts, entry))
        step = _next_step(parts, entry, payment)
        metered = metered_lines(parts.ledger, parts.settings, entry)
    if as_json:
        changes = {"history": list(map(change_json, history)), "locks": list(map(change_json, locks))}
        next_step = step and {"date": iso(step[0]), "user": step[1]}
        print_json({**_entry_json(entry, metered), "payment": payment_json(payment), **changes, "next_step": next_step})
    else:
        _print_entry(entry)
        _print_metered(entry, metered)
        if payment:
            say(_payment_words(payment))
        _print_changes(entry, history, locks)
        if step:
            say(f"If it stays unpaid, its user is {step[1]} on {step[0]}.")
    if entry.problem and not as_json:
        complain(entry.problem if entry.state is State.ISSUED else f"Not issued yet: {entry.problem}")
    if trouble is not None:
        complain(f"What was paid is not known: {trouble}")
        raise typer.Exit(3)


def _print_metered(entry: Entry, metered: list[Bounds | None]) -> None:
    """What the bridge's own meter makes of the same things, if it knows them."""
    if not any(metered):
        return
    numbers = ("billed", "at least", "at most")
    made = table("By the bridge's own meter", "item", "kind", "month", *numbers, right=numbers)
    for line, bounds in zip(entry.document.lines, metered, strict=True):
        if bounds is not None:
            cells = (line.item_name, line.item_type, line.month, f"{line.tokens:,}")
            made.add_row(*cells, f"{bounds.item.tokens:,}", f"{bounds.most:,}")
    out.print(made)


def _entry(parts: Parts, words: str) -> Entry:
    """The entry of a reference, or of a number of the billing system."""
    named, invoices = month_and_client_of(words), parts.ledger.invoices
    if month_and_client(words) is not None:
        entry = invoices.find(*named) if named else None
        if entry is None:
            raise UsageError(f"the ledger has nothing under {words}")
        return entry
    numbered = parts.ledger.lists.numbered(words)
    if not numbered:
        raise UsageError(
            f"{words} is not a reference like TB-2026-07-1042, nor the billing system's number of an invoice of ours"
        )
    found = invoices.find(*numbered[0])
    if len(numbered) > 1 or found is None:
        each = "".join(f"\n  client {client_id}: {reference_of(month, client_id)}" for month, client_id in numbered)
        raise UsageError(f"several invoices have the number {words}; ask for one of them by its reference:{each}")
    return found


def _payment(parts: Parts, entry: Entry) -> tuple[Payment | None, TollbridgeError | None]:
    """What the billing system tells of an issued invoice today, or why it tells nothing."""
    if entry.state is not State.ISSUED:
        return None, None
    try:
        receipt = asked(parts, entry.client_id, entry.billing_id, entry.reference)
    except TollbridgeError as error:
        return None, error
    return (Payment.of(receipt, entry) if receipt else None), None


def payment_json(payment: Payment | None) -> dict[str, Any] | None:
    """What was paid, as documents have it; null: not known, or not invoiced, or gone from the billing system."""
    if payment is None:
        return None
    return {
        "client_id": payment.client_id, "status": payment.status, "due_date": iso(payment.due_date),
        "currency": payment.currency, "total": payment.total, "paid": payment.paid, "left": payment.left,
    }  # fmt: skip


def _payment_words(payment: Payment) -> str:
    parts = [f"{amount:,f} {payment.currency} {what}" for what, amount in
             (("paid", payment.paid), ("left to pay", payment.left)) if amount is not None]  # fmt: skip
    return f"The billing system says today: {', '.join([payment.status, f'due {payment.due_date}', *parts])}."


def _history(parts: Parts, entry: Entry) -> list[Change]:
    """What has happened to an invoice."""
    return list(parts.ledger.lists.events(about=(entry.month, entry.client_id)))


def _locks(parts: Parts, entry: Entry) -> Iterator[Change]:
    """What has happened to its user from then on, until the invoice was settled and the user let in again."""
    held = False
    for change in parts.ledger.lists.events(entry.client_id, since=entry.written_at):
        event = change.event
        if event.what not in {"hold", "status"}:
            continue
        if entry.settled_at and event.at and event.at > entry.settled_at and not held:
            return
        yield change
        if event.what == "status":
            held = event.after != UserStatus.ACTIVE


def _next_step(parts: Parts, entry: Entry, payment: Payment | None) -> tuple[date, UserStatus] | None:
    status, due = entry.billing_status, entry.due_date
    if payment is not None:
        status, due = payment.status, payment.due_date
    if status is not InvoiceStatus.UNPAID or (payment is not None and not payment.owed):
        return None
    return parts.settings.billing.ladder.next_step(due, when(parts, None, dry_run=True).day)


def _entry_json(entry: Entry, metered: list[Bounds | None]) -> dict[str, Any]:
    price, taxes = entry.document.price, tax_amounts(entry.document.price, entry.document.taxed)
    return {
        **invoice_json(entry),
        "state": entry.state,
        "states": _states(entry),
        "billing_id": entry.billing_id,
        "carried_into": entry.carried_into,
        "problem": entry.problem, "held": entry.held, "written_off": entry.written_off, "taken_back": entry.taken_back,
        "price": {
            "base": plain(price.base), "net": plain(price.net), "user": plain(price.user),
            "currency": price.currency.code,
            "decimals": price.currency.decimals, "prices_include_tax": price.prices_include_tax,
            "discounts": [{"name": each.name, "multiplier": plain(each.multiplier)} for each in price.discounts],
            "taxes": [{"label": each.label, "rate": plain(each.rate)} for each in price.taxes],
            "compound": price.compound,
        },
        "taxes": [{"label": tax.label, "rate": plain(tax.rate), "amount": amount} for tax, amount in taxes],
        "lines": [
            {
                **line_json(entry, line), "at_least": bounds and bounds.item.tokens, "at_most": bounds and bounds.most,
            }
            for line, bounds in zip(entry.document.lines, metered, strict=True)
        ],
    }  # fmt: skip


def _states(entry: Entry) -> list[dict[str, str]]:
    moments = [("written", entry.written_at), ("sent", entry.sent_at), ("issued", entry.issued_at)]
    settled = entry.billing_status if entry.settled_at and entry.billing_status else "settled"
    return [{"state": name, "at": iso(at)} for name, at in [*moments, (settled, entry.settled_at)] if at]


def _print_entry(entry: Entry) -> None:
    price, currency = entry.document.price, entry.document.price.currency
    say(f"{entry.reference} for client {entry.client_id}: {state_words(entry)}")
    if entry.state is State.ISSUED:
        say(f"issued {entry.issue_date}, due {entry.due_date}")
    made = table(
        "", "item", "hours", "tokens", "exact", currency.code, right=("hours", "tokens", "exact", currency.code)
    )
    for line in entry.document.lines:
        made.add_row(
            line.description,
            "" if line.hours is None else f"{line.hours:,}",
            f"{line.tokens:,}",
            plain(line.tokens * price.net) if line.month == str(entry.month) else "",
            money(line.amount, currency),
        )
    made.add_section()
    made.add_row("subtotal", "", f"{entry.tokens:,}", "", money(entry.subtotal, currency))
    for label, amount in tax_rows(entry):
        made.add_row(label, "", "", "", amount)
    made.add_row("total", "", "", "", money(entry.total, currency))
    out.print(made)
    discounts = "".join(f" x {plain(each.multiplier)} ({each.name})" for each in price.discounts)
    net = f" = {plain(price.net)}" if price.net != price.base else ""
    say(f"One token is {plain(price.base)}{discounts}{net} {currency.code} on a line, which is rounded once, half up.")
    say(f"With tax it is {plain(price.user)}, as SolusIO shows it.")
    if entry.billing_id:
        printed = f", and customers know it as {entry.printed_number}" if entry.printed_number else ""
        say(f"The billing system has it as {entry.billing_id}{printed}.")
    if entry.taken_back:
        say("A ledger that was lost had made it: its sums are the billing system's, its lines what was reported then.")
    if entry.written_off:
        say(f"Written off: {entry.written_off}")
    if entry.held:
        complain(f"Held: {entry.held}")


def _print_changes(entry: Entry, history: list[Change], locks: list[Change]) -> None:
    """What has happened to the invoice and to its user; of a ledger older than events, the invoice's own moments."""
    say("")
    if history:
        print_rows(change_columns("the invoice"), map(change_cells, history))
    else:
        for state in _states(entry):
            say(f"  {state['at']}  {state['state']}")
    if locks:
        say("")
        print_rows(change_columns("its user"), map(change_cells, locks))
        say("")


def adapters(context: typer.Context, as_json: AsJson = False) -> None:
    """Installed adapters, and the one of your own that bridge.toml names, with the hooks each implements."""
    config = context.obj.config
    found = installed_adapters()
    use = named_adapter(config)
    if ":" in use:
        found.append(own_adapter(use, config.absolute().parent))
    found = [_with_its_settings(each, config) if each.name == use else each for each in found]
    if as_json:
        print_json(found)
        return
    made = table("Installed adapters", "name", "from", "hooks")
    for adapter in found:
        hooks = ", ".join(adapter.hooks) if not adapter.problem else f"cannot be used: {adapter.problem}"
        made.add_row(adapter.name, f"{adapter.distribution} {adapter.version}", hooks)
    out.print(made)
    for adapter in found:
        for each in adapter.cannot:
            if each.reason:
                say(f"{adapter.name} cannot {ABILITIES.get(each.what, each.what)}: {each.reason}")
        if adapter.cannot_hangs_on_settings:
            say(f"What {adapter.name} cannot do hangs on its settings, too: it is told where bridge.toml uses it")


def _with_its_settings(adapter: Installed, config: Path) -> Installed:
    """What the adapter cannot do with the settings it has, if bridge.toml can be used; else what its class says."""
    try:
        _settings, billing = read_configuration(config)
    except TollbridgeError:
        return adapter
    billing.close()
    cannot = tuple(Inability(what, reason) for what, reason in billing.cannot.items())
    return attrs.evolve(adapter, cannot=cannot, cannot_hangs_on_settings=False)
