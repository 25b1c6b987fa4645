"""``price``: what a client pays for a token, and why."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from tollbridge.cli.output import out, print_json, say, table
from tollbridge.cli.session import AsJson
from tollbridge.errors import NotFound, Refused, UsageError
from tollbridge.jobs.pricing import Pricer
from tollbridge.model import Client
from tollbridge.rules.pricing import TokenPrice, money, plain


def price(
    context: typer.Context,
    client: Annotated[int, typer.Argument(metavar="CLIENT", help="The client's id in the billing system.")],
    as_json: AsJson = False,
) -> None:
    """What SolusIO is told about a client's prices, and how it comes about."""
    with context.obj.billing() as (settings, billing):
        try:
            found = billing.client(client)
        except NotFound as error:
            raise UsageError(str(error)) from None
        prices = settings.pricing.price_list()
        try:
            made = Pricer(billing, prices).price(found)
        except Refused as error:  # a price that is missing is a matter of bridge.toml
            raise error if found.currency in prices.tokens else UsageError(str(error)) from None
    steps = price_steps(found, made)
    if as_json:
        from tollbridge.solus.pricing_answer import pricing_answer  # noqa: PLC0415 - slow to import

        answer = _texts(pricing_answer(made))
        print_json({"client_id": found.id, "email": found.email, "answer": answer, "steps": steps})
        return
    who = " ".join(part for part in (found.first_name, found.last_name) if part) or found.company
    say(f"Client {found.id}{f', {who}' if who else ''}, {found.email}, {found.status}")
    shown = table("The price of one token", "step", "factor", made.currency.code, right=("factor", made.currency.code))
    for step in steps:
        shown.add_row(step["step"], step["factor"], step["price"])
    out.print(shown)
    say("1,000 tokens are " + money(1000 * made.user, made.currency) + " to the customer.")


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
    steps = [{"step": "bridge.toml's price", "factor": "", "price": plain(current)}]

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
