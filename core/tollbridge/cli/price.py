"""``price``: what a client pays for a token, and why."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from tollbridge.cli.output import complain, out, print_json, say, table
from tollbridge.cli.session import AsJson, NeededMonth
from tollbridge.errors import NotFound, Refused, UsageError
from tollbridge.jobs.price_lists import another_list, now, running_month, shown_prices
from tollbridge.jobs.pricing import Pricer
from tollbridge.model import Client
from tollbridge.rules.pricing import TokenPrice, differences, money, plain
from tollbridge.words import storable


def price(
    context: typer.Context,
    client: Annotated[int, typer.Argument(metavar="CLIENT", help="The client's id in the billing system.")],
    as_json: AsJson = False,
) -> None:
    """What SolusIO is told about a client's prices, and how it comes about."""
    with context.obj.parts() as parts:
        try:
            found = parts.billing.client(client)
        except NotFound as error:
            raise UsageError(str(error)) from None
        prices = shown_prices(parts, running_month(parts, now()))
        try:
            made = Pricer(parts.billing).price(found, prices)
        except Refused as error:  # a price that is missing is a matter of bridge.toml
            raise error if found.currency in prices.prices.tokens else UsageError(str(error)) from None
        another = another_list(parts, prices.month)
    steps = price_steps(found, made)
    if as_json:
        from tollbridge.solus.pricing_answer import pricing_answer  # noqa: PLC0415 - slow to import

        answer = _texts(pricing_answer(made))
        print_json(
            {"client_id": found.id, "email": found.email, "month": prices.month, "answer": answer, "steps": steps}
        )
        return
    who = " ".join(part for part in (found.first_name, found.last_name) if part) or found.company
    say(f"Client {found.id}{f', {who}' if who else ''}, {found.email}, {found.status}")
    shown = table(
        f"The price of one token in {prices.month}",
        "step",
        "factor",
        made.currency.code,
        right=("factor", made.currency.code),
    )
    for step in steps:
        shown.add_row(step["step"], step["factor"], step["price"])
    out.print(shown)
    say("1,000 tokens are " + money(1000 * made.user, made.currency) + " to the customer.")
    if another:
        complain(another)


def _texts(answer: Any) -> Any:
    """The answer with its numbers as text, and none of the zeros that a database pads them with."""
    if isinstance(answer, dict):
        return {key: _texts(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_texts(value) for value in answer]
    return plain(answer) if isinstance(answer, Decimal) else answer


def price_steps(client: Client, made: TokenPrice) -> list[dict[str, str]]:
    """The price's way from the base to what the customer pays, step by step; numbers as text."""
    current = made.base
    steps = [{"step": "price of this month", "factor": "", "price": plain(current)}]

    def add(what: str, factor: Decimal) -> None:
        nonlocal current
        current *= factor
        steps.append({"step": what, "factor": plain(factor), "price": plain(current)})

    if client.tax_exempt and made.prices_include_tax and made.without_tax != made.base:
        current = made.without_tax
        steps.append({"step": "exempt: without the tax it holds", "factor": "", "price": plain(current)})
    for discount in made.discounts:
        add(f"{discount.name}{f' ({discount.description})' if discount.description else ''}", discount.multiplier)
    if made.prices_include_tax:
        held = ", ".join(f"{tax.label} {plain(tax.rate)} %" for tax in made.taxes)
        steps.append({"step": f"includes {held}" if held else "no tax", "factor": "", "price": plain(current)})
        return steps
    net = current
    for tax in made.taxes:
        label = f"{tax.label} {plain(tax.rate)} %{' on top of the above' if made.compound else ''}"
        current += (current if made.compound else net) * tax.rate / 100
        steps.append({"step": label, "factor": "", "price": plain(current)})
    if not made.taxes:
        reason = "tax exempt" if client.tax_exempt else "no tax applies"
        steps.append({"step": reason, "factor": "", "price": plain(current)})
    return steps


def reprice(
    context: typer.Context,
    month: NeededMonth,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
) -> None:
    """Bill a month with the prices that bridge.toml has now, all of its usage, as long as it is not drafted."""
    with context.obj.parts() as parts:
        parts.ledger.runs.bury()  # one that is gone drafts no more
        by = parts.settings.pricing.price_list(month)
        kept = parts.ledger.price_lists.replace(month, by, parts.file, storable(reason))
    if kept is None:
        raise UsageError(
            f"no prices are kept for {month} yet: the first `run` or `serve` in it keeps those that bridge.toml has"
        )
    changed = differences(kept.prices, by)
    if not changed:
        say(f"{month} is billed with bridge.toml's prices already; nothing is changed.")
        return
    say(f"All usage of {month} is billed with bridge.toml's prices: {', '.join(changed)}.")
    say("`serve` shows them within a minute.")
