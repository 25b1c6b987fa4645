"""``client``: who a client is, why its user is locked, what it owes, and what comes next."""

from datetime import datetime
from typing import Annotated, Any

import attrs
import typer

from tollbridge.cli.books import change_cells, change_columns, invoice_row_json
from tollbridge.cli.listing import Column, print_rows
from tollbridge.cli.output import complain, iso, print_json, progress, say
from tollbridge.cli.reports import payment_json
from tollbridge.cli.session import AsJson
from tollbridge.errors import NotFound, UsageError
from tollbridge.jobs.client_view import ClientView, Owed, client_view, clients_with_address
from tollbridge.jobs.parts import Parts
from tollbridge.ledger.lists import Change
from tollbridge.model import UserStatus

_MORE_THAN_ANY = 2**63
_LAST_CHANGES = 5


def client(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id, or its e-mail address.")],
    as_json: AsJson = False,
) -> None:
    """One client: who it is, why its user is locked, what it owes, what comes next, and the running month."""
    with context.obj.parts(read_only=True) as parts, progress(quiet=as_json) as tell:
        client_id = _id(parts, who)
        tell(f"what is known of client {client_id}", 0)
        try:
            view = client_view(parts, client_id, datetime.now(parts.settings.billing.timezone).date())
        except NotFound as error:
            raise UsageError(str(error)) from None
        last = list(parts.ledger.lists.events(client_id))[-_LAST_CHANGES:]
    if as_json:
        print_json(view_json(view))
    else:
        _print(view, last)
    for remark in view.remarks:
        complain(f"Not known now: {remark}")
    if view.remarks:
        raise typer.Exit(3)


def _id(parts: Parts, who: str) -> int:
    """The number of a client that is named by it, or by an address that is nobody else's."""
    if "@" not in who:
        try:
            number = int(who)
        except ValueError:
            raise UsageError(f"{who!r} is neither a client's id nor an e-mail address") from None
        if abs(number) >= _MORE_THAN_ANY:
            raise UsageError(f"no client has the number {who}")
        return number
    found = clients_with_address(parts, who)
    if not found:
        raise UsageError(f"nobody has the address {who}, neither in the billing system nor in the ledger")
    if len(found) > 1:
        raise UsageError(f"several clients have the address {who}; ask for one: {', '.join(map(str, sorted(found)))}")
    return found[0]


def view_json(view: ClientView) -> dict[str, Any]:
    """``client --json``."""
    return {
        "client_id": view.client_id,
        "gone": view.is_gone,
        "client": view.client and attrs.asdict(view.client),
        "user": _user_json(view),
        "owed": view.sums,
        "open_invoices": [{**invoice_row_json(each.row), "payment": payment_json(each.payment)} for each in view.owed],
        "unfinished": list(map(invoice_row_json, view.unfinished)),
        "carried": list(map(invoice_row_json, view.carried)),
        "next_step": view.next_step and {"date": iso(view.next_step[0]), "user": view.next_step[1]},
        "next_invoice": {"month": view.next_invoice[0], "date": iso(view.next_invoice[1])},
        "running_month": view.running and {
            "month": view.running.month,
            "as_of": iso(view.running.as_of),
            "tokens": view.running.tokens,
            "projected_tokens": view.running.projected_tokens,
            "currency": view.running.currency,
            "amount": view.running.amount,
            "projected_amount": view.running.projected_amount,
        },
        "not_known": view.remarks,
    }  # fmt: skip


def _user_json(view: ClientView) -> dict[str, Any] | None:
    account = view.account
    if account is None:
        return None
    return {
        "user_id": account.user_id,
        "email": account.email,
        "status": view.user_status,
        "set_by_the_bridge": account.mark and account.mark.status,
        "by_hand": view.by_hand,
        "holds": [
            {"reason": hold.reason, "status": hold.status, "since": iso(hold.since), "why": hold.why}
            for hold in view.holds
        ],
    }


def _print(view: ClientView, last: list[Change]) -> None:
    print_rows((Column("Client"), Column("", folds=True)), _facts(view), head=False)
    if view.owed:
        say("")
        print_rows(_OWED_COLUMNS, map(_owed_cells, view.owed))
    if last:
        say("")
        print_rows(change_columns(f"last changes (all: tollbridge log --client {view.client_id})"),
                   map(change_cells, last))  # fmt: skip


def _facts(view: ClientView) -> list[tuple[str, str]]:
    """The lines of the overview, each with what it is about."""
    facts = [("Client", _who(view)), ("User", _user(view))]
    facts += [("", f"{hold.status} since {iso(hold.since)}: {hold.reason}" + (f", {hold.why}" if hold.why else ""))
              for hold in view.holds]  # fmt: skip
    facts.append(("Owes", _owes(view)))
    facts += [("", f"{row.reference} is {row.state}" + (f": {row.problem}" if row.problem else ""))
              for row in view.unfinished]  # fmt: skip
    facts += [("", f"carried to a later invoice: {row.subtotal:f} {row.currency} of {row.month}")
              for row in view.carried]  # fmt: skip
    month, day = view.next_invoice
    if view.next_step is not None:
        facts.append(("Next", _step(view)))
    facts.append(("" if view.next_step else "Next", f"{month} is invoiced on {day}"))
    if view.running is not None:
        facts += _running(view)
    return facts


def _who(view: ClientView) -> str:
    client = view.client
    if client is None:
        known = f", {view.account.email}" if view.account else ""
        return f"{view.client_id}{known}" + (", gone from the billing system" if view.is_gone else "")
    name = " ".join(part for part in (client.first_name, client.last_name) if part)
    facts = [str(client.id), name, client.company, client.email, client.currency, str(client.status)]
    return ", ".join([fact for fact in facts if fact] + (["tax exempt"] if client.tax_exempt else []))


def _user(view: ClientView) -> str:
    if view.account is None:
        return "none that the bridge knows of" + ("" if view.is_gone else ": `tollbridge sync` finds or makes one")
    words = [f"{view.account.user_id} in SolusIO", str(view.user_status or "its status is not known now")]
    if view.by_hand:
        words.append("by hand: the bridge does not lift that")
    elif view.holds and view.user_status is UserStatus.ACTIVE:
        words.append("let in by hand: the next run locks it again")
    return ", ".join(words)


def _owes(view: ClientView) -> str:
    sums = view.sums
    if sums is None:
        return "not known now"
    return ", ".join(f"{amount:,f} {code}" for code, amount in sorted(sums.items())) or "nothing"


def _step(view: ClientView) -> str:
    assert view.next_step is not None  # noqa: S101 - only called where there is one
    day, status = view.next_step
    what = "let in again" if status is UserStatus.ACTIVE else f"{status} if nobody pays"
    return f"{day}: its user is {what}"


def _running(view: ClientView) -> list[tuple[str, str]]:
    running = view.running
    assert running is not None  # noqa: S101 - only called where there is one
    amounts = ["" if amount is None else f", {amount:,f} {running.currency} with tax"
               for amount in (running.amount, running.projected_amount)]  # fmt: skip
    return [
        (str(running.month), f"so far {running.tokens:,} tokens{amounts[0]}"),
        ("", f"if all goes on so, {running.projected_tokens:,} tokens{amounts[1]}"),
    ]


_OWED_COLUMNS = (
    Column("invoice", folds=True), Column("number", folds=True), Column("status"), Column("due"),
    Column("total", right=True), Column("left to pay", right=True),
)  # fmt: skip


def _owed_cells(owed: Owed) -> list[str]:
    row, payment = owed.row, owed.payment
    facts = [row.reference, row.billing_id or ""]
    if payment is None:
        unknown = "gone" if owed.is_gone else "not known"
        return [*facts, unknown, iso(row.due_date), f"{row.total:,f} {row.currency}", ""]
    status = str(payment.status)
    if payment.client_id != row.client_id:
        status = f"client {payment.client_id}'s"
    left = f"{payment.owed:,f} {payment.currency}"
    return [*facts, status, iso(payment.due_date), f"{payment.total:,f} {payment.currency}", left]
