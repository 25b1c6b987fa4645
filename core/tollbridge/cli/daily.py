"""``run`` and its parts: ``sync``, ``invoice`` and ``overdue``."""

import getpass
import os
import socket
from datetime import date
from typing import Annotated

import typer

from tollbridge.cli.notices import working
from tollbridge.cli.output import complain, iso, out, print_failures, print_json, progress, say, table
from tollbridge.cli.session import AsJson, Day, DryRun, MonthOption
from tollbridge.distributed import crew_of
from tollbridge.errors import UsageError
from tollbridge.jobs.crew import Crew
from tollbridge.jobs.daily import Run, when
from tollbridge.jobs.parts import Failure, Parts, Progress
from tollbridge.jobs.reports import (
    AccountsReport,
    InvoicingReport,
    OverdueReport,
    StatusChange,
    failures_json,
    invoice_json,
    status_of,
)
from tollbridge.rules.pricing import money
from tollbridge.words import counted

_FAILED = 1
_SHOWN = 50

Confirm = Annotated[
    bool,
    typer.Option("--confirm", help="Lock and suspend however many there are, clients that are closed included, once."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the invoices one by one.")]


def run(
    context: typer.Context, day: Day = None, dry_run: DryRun = False, verbose: Verbose = False, as_json: AsJson = False
) -> None:
    """The daily job: release who has paid, then accounts, invoices and overdue. More often does no harm."""
    show = None if as_json else _SHOWN if verbose or dry_run else 0
    with working(context.obj, dry_run=dry_run) as parts, progress(quiet=as_json) as tell:
        report = _job(parts, day, tell, dry_run=dry_run, show=show).daily()
    if as_json:
        print_json({**report.json(), "invoices": [invoice_json(entry) for entry in report.invoicing.invoices]})
    else:
        say(f"Run for {report.day}{' (dry run, nothing was written)' if dry_run else ''}")
        print_accounts(report.accounts)
        print_invoicing(report.invoicing, dry_run=dry_run, stopped=report.stopped_by is not None)
        print_overdue(report.overdue)
    if report.stopped_by is not None:
        print_failures(report.failures)
        raise report.stopped_by
    _end(report.failures)


def sync(context: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Bring SolusIO's users in step with the billing system's clients."""
    with working(context.obj, dry_run=dry_run) as parts, progress(quiet=as_json) as tell:
        report = _job(parts, None, tell, dry_run=dry_run).accounts()
    if as_json:
        print_json({**report.json(), "dry_run": dry_run, "failures": failures_json(report.failures)})
    else:
        print_accounts(report)
    _end(report.failures)


def invoice(
    context: typer.Context, month: MonthOption = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """One month's invoices; without --month, those of every month that has ended and is not closed."""
    with working(context.obj, dry_run=dry_run) as parts, progress(quiet=as_json) as tell:
        report = _job(parts, None, tell, dry_run=dry_run, show=None if as_json else _SHOWN).invoices(month)
    if as_json:
        print_json([invoice_json(entry) for entry in report.invoices])
        for warning in report.warnings:
            complain(warning)
    else:
        print_invoicing(report, dry_run=dry_run)
    _end(report.failures)


def overdue(
    context: typer.Context, day: Day = None, dry_run: DryRun = False, confirm: Confirm = False, as_json: AsJson = False
) -> None:
    """Lock, suspend and release users as their invoices go unpaid and are paid."""
    with working(context.obj, dry_run=dry_run) as parts, progress(quiet=as_json) as tell:
        if confirm:
            confirmed = _job(parts, day, tell, dry_run=dry_run, confirmed_by=_who()).confirmed()
            closed, report, failures = confirmed.accounts, confirmed.overdue, confirmed.failures
        else:
            closed, report = None, _job(parts, day, tell, dry_run=dry_run).overdue()
            failures = report.failures
    if as_json:
        accounts = {} if closed is None else {"accounts": closed.json()}
        print_json({**report.json(), **accounts, "dry_run": dry_run, "failures": failures_json(failures)})
    else:
        if closed is not None:
            print_accounts(closed)
        print_overdue(report)
    _end(failures)


def hold(
    context: typer.Context,
    client: Annotated[int | None, typer.Argument(metavar="CLIENT", help="The client's number.")] = None,
    ours: Annotated[
        bool, typer.Option("--ours", help="The bridge locked the user: release it when it is due.")
    ] = False,
    by_hand: Annotated[bool, typer.Option("--by-hand", help="Somebody else did: nobody's to lift.")] = False,
    restored: Annotated[
        bool, typer.Option("--restored", help="The ledger was restored: ask about every lock it does not know.")
    ] = False,
) -> None:
    """Say whose a lock is that the ledger does not know, as after it was lost."""
    whose = ours or by_hand
    if restored in {client is not None, whose} or (ours and by_hand):
        raise UsageError("give a client with either --ours or --by-hand, or --restored alone")
    with context.obj.parts() as parts, progress(quiet=True) as tell:
        job = _job(parts, None, tell, dry_run=False)
        if client is not None:
            say(f"Client {client} is noted as {job.say_whose(client, _who(), ours=ours)}")
        elif clients := job.doubt_all():
            say(f"{counted(len(clients), 'lock')} in question: the next run names each that has an invoice")
        else:
            say("Nobody is locked whom the ledger does not know to be")


def _who() -> str:
    """Who types this, as far as the machine knows."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = f"user {os.getuid()}"
    return f"{name} on {socket.gethostname()}"


def _job(
    parts: Parts,
    day: date | None,
    tell: Progress,
    *,
    dry_run: bool,
    show: int | None = 0,
    confirmed_by: str | None = None,
) -> Run:
    crew = Crew() if dry_run else crew_of(parts)
    return Run(parts, when(parts, day, dry_run=dry_run), dry_run, tell, show, confirmed_by, crew=crew)


def _end(failures: list[Failure]) -> None:
    print_failures(failures)
    if failures:
        raise typer.Exit(_FAILED)


def print_accounts(report: AccountsReport) -> None:
    """The accounts part, in a line or two."""
    done = [
        f"{len(clients)} {what}"
        for clients, what in (
            (report.created, "created"),
            (report.linked, "linked"),
            (report.email_changed, "with a new e-mail address"),
            (report.deleted, "deleted"),
        )
        if clients
    ]
    if report.failures:
        done.append(f"{len(report.failures):,} failed")
    usual = "all in step" if report.complete else "not all were looked at"
    say(f"Accounts   {counted(report.clients, 'client')}: {', '.join(done) or usual}")
    _print_changes(report.changes)
    _print_changes(report.held_back, ", held back")
    for warning in report.warnings:
        complain(warning)


def print_invoicing(report: InvoicingReport, *, dry_run: bool, stopped: bool = False) -> None:
    """The invoicing part: what was issued, and everything that was not, with the reason."""
    for work in report.left:
        say(f"Invoices   left to another run, which is at it: {work}")
    if not report.months:
        say(f"Invoices   {'not looked at' if stopped else 'no month is waiting to be closed'}")
        for remark in report.warnings:
            complain(remark)
        return
    verb = "to issue" if dry_run else "issued"
    months = ", ".join(str(month) for month in report.months)
    helped = f", {report.by_workers:,} of them by workers" if report.by_workers else ""
    amounts = ", ".join(f"{amount:,f} {code}" for code, amount in sorted(report.totals.items()))
    say(f"Invoices   {months}: {report.issued:,} {verb}{helped}{f', {amounts}{_tax(report)}' if amounts else ''}")
    if report.carried or report.nothing:
        say(f"           {report.carried:,} carried to the next month, {report.nothing:,} with nothing to pay")
    if report.invoices:
        _print_invoices(report)
    for remark in report.warnings:
        complain(remark)


def _tax(report: InvoicingReport) -> str:
    """Whether the sums of lines hold tax; nothing of sums of which some do."""
    if len(report.held_tax) > 1:
        return ""
    return " with tax" if True in report.held_tax else " before tax"


def _print_invoices(report: InvoicingReport) -> None:
    made = table(
        "", "reference", "status", "due", "tokens", "subtotal", "with tax", right=("tokens", "subtotal", "with tax")
    )
    for entry in report.invoices:
        currency = entry.document.price.currency
        made.add_row(
            entry.reference, status_of(entry), iso(entry.due_date), f"{entry.tokens:,}",
            money(entry.subtotal, currency), money(entry.total, currency),
        )  # fmt: skip
    out.print(made)
    if report.issued > len(report.invoices):
        say(f"… and {report.issued - len(report.invoices):,} more (--json lists all)")


def print_overdue(report: OverdueReport) -> None:
    """The overdue part."""
    waiting = f", {len(report.waiting)} with a payment under way" if report.waiting else ""
    settled = f"; {report.settled:,} settled since the last look" if report.settled else ""
    stopped = "" if report.complete else "; not all were looked at"
    say(f"Overdue    {counted(report.open, 'open invoice')}, {report.overdue:,} overdue{waiting}{settled}{stopped}")
    _print_changes(report.changes)
    _print_changes(report.held_back, ", held back")
    for warning in report.warnings:
        complain(warning)


def _print_changes(changes: list[StatusChange], remark: str = "") -> None:
    for change in changes[:_SHOWN]:
        say(f"           client {change.client_id} (user {change.user_id}): {change.before} → {change.after}{remark}")
    if len(changes) > _SHOWN:
        say(f"           … and {len(changes) - _SHOWN:,} more (--json lists all)")
