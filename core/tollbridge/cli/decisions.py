"""``approve`` and ``write-off``: a human has looked at what the bridge waits with, and says yes or no."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from tollbridge.cli.output import say
from tollbridge.cli.session import MonthOption, month_option
from tollbridge.errors import UsageError
from tollbridge.jobs.parts import Parts
from tollbridge.reference import month_and_client
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import Correction, CorrectionState
from tollbridge.rules.entry import Entry
from tollbridge.words import counted, storable

_TOTALS = "totals"

Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept, and `tollbridge log` shows it.")
]


def approve(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="REFERENCE|totals",
            help="An invoice that is held, or waiting for corrections; totals: invoices that came out otherwise.",
        ),
    ],
    reason: Reason,
) -> None:
    """Let the bridge go on with what waits for you; all that is let go is listed."""
    why = _why(reason)
    with context.obj.parts() as parts:
        if what == _TOTALS:
            _approve_totals(parts, why)
            return
        month, client_id = _reference(what)
        found = parts.ledger.corrections.decide(month, client_id, CorrectionState.OPEN, why)
        more = sum((each.line.amount for each in found), Decimal(0))
        entry = parts.ledger.invoices.approve(month, client_id, why, more)
    if entry is None and not found:
        raise UsageError(f"{what} does not wait for anybody: `tollbridge run` names what does")
    if entry is not None:
        say(f"Approved: {what}, {_sum(entry)}. The next run sends it.")
    _list(found, "Approved", "The client's next invoice has")


def _approve_totals(parts: Parts, why: str) -> None:
    stopped = parts.ledger.claims.differing()
    parts.ledger.events.approve(_TOTALS, why)
    if stopped:
        say(f"Approved: {', '.join(stopped)}. The next run goes on.")
    else:
        say("Nothing was waiting for that; noted all the same.")


def write_off(
    context: typer.Context,
    reason: Reason,
    what: Annotated[
        str | None, typer.Argument(metavar="[REFERENCE]", help="An invoice that is not sent yet.", show_default=False)
    ] = None,
    correction: Annotated[
        bool, typer.Option("--correction", help="Not the invoice, but the corrections that wait for it.")
    ] = False,
    user: Annotated[
        int | None, typer.Option("--user", metavar="U", help="Instead: a SolusIO user that belongs to no client.")
    ] = None,
    month: MonthOption = None,
    start: Annotated[Month | None, month_option("--from", "With --user: of this month and every later one.")] = None,
) -> None:
    """Let something be that nobody is to pay. It counts as billed from then on."""
    why = _why(reason)
    if (what is None) is (user is None) or (user is not None and (month is None) is (start is None)):
        raise UsageError("name either a REFERENCE, or --user U with --month M or --from M")
    with context.obj.parts() as parts:
        if user is not None:
            first = month or start
            assert first is not None  # noqa: S101 - one of both is there
            parts.ledger.readings.write_off(user, first, why, onwards=start is not None)
            say(f"Written off: user {user}, {first}{' and every later month' if start else ''}.")
            return
        assert what is not None  # noqa: S101 - see above
        of_month, client_id = _reference(what)
        if correction:
            found = parts.ledger.corrections.decide(of_month, client_id, CorrectionState.REFUSED, why)
            if not found:
                raise UsageError(f"no correction waits for {what}: `tollbridge run` names what does")
            _list(found, "Written off", "Nobody is asked for")
            return
        entry = parts.ledger.invoices.write_off(of_month, client_id, why)
        if entry is None:
            there = parts.ledger.invoices.find(of_month, client_id)
            state = f"is {there.state}" if there else "is not in the ledger"
            raise UsageError(f"{what} {state}: only what is not sent yet can be written off")
        say(f"Written off: {what}, {_sum(entry)}.")


def _sum(entry: Entry) -> str:
    tax = "with tax" if entry.document.price.prices_include_tax else "before tax"
    return f"{entry.subtotal:f} {entry.currency} {tax}"


def _list(found: list[Correction], done: str, what: str) -> None:
    if not found:
        return
    say(f"{done}: {counted(len(found), 'correction')}. {what}:")
    for each in found:
        say(f"  {each.line.description}: {each.line.amount:f} {each.currency}")


def _reference(words: str) -> tuple[Month, int]:
    parts: Any = month_and_client(words)
    if parts is None:
        raise UsageError(f"{words} is no reference like TB-2026-07-1042")
    return Month.parse(parts[0]), parts[1]


def _why(reason: str) -> str:
    kept = storable(reason).strip()
    if not kept:
        raise UsageError("--reason: say why in a few words; somebody will want to know")
    return kept
