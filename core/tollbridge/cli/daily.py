"""``run`` and its parts: ``sync``, ``invoice`` and ``overdue``."""

from datetime import date
from typing import Annotated, Any

import typer

from tollbridge.cli.output import complain, iso, out, print_failures, print_json, progress, say, table
from tollbridge.cli.session import AsJson, Day, DryRun, MonthOption
from tollbridge.jobs.accounts import AccountsReport
from tollbridge.jobs.daily import Run, when
from tollbridge.jobs.invoicing import InvoicingReport
from tollbridge.jobs.overdue import OverdueReport
from tollbridge.jobs.parts import Failure, Parts, Progress
from tollbridge.jobs.statuses import StatusChange
from tollbridge.rules.entry import Entry
from tollbridge.rules.pricing import money
from tollbridge.secret import redact

_FAILED = 1
_SHOWN = 50

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the invoices one by one.")]


def run(
    context: typer.Context, day: Day = None, dry_run: DryRun = False, verbose: Verbose = False, as_json: AsJson = False
) -> None:
    """The daily job: accounts, then invoices, then overdue. Run it once a day; more often does no harm."""
    invoices = Invoices(None if as_json else _SHOWN if verbose or dry_run else 0)
    with context.obj.parts() as parts, progress(quiet=as_json) as show:
        job = _job(parts, day, show, dry_run=dry_run, invoices=invoices)
        report = job.daily()
        document = {
            "date": iso(job.when.day),
            "dry_run": dry_run,
            "accounts": accounts_json(report.accounts),
            "invoices": invoices.json(),
            "invoicing": invoicing_json(report.invoicing),
            "overdue": overdue_json(report.overdue),
            "failures": report.failures,
            "stopped_by": redact(str(report.stopped_by)) if report.stopped_by else None,
        }
        if not dry_run:
            parts.billing.tell("run_finished", report=document)
    if as_json:
        print_json(document)
    else:
        say(f"Run for {job.when.day}{' (dry run, nothing was written)' if dry_run else ''}")
        print_accounts(report.accounts)
        print_invoicing(report.invoicing, invoices, dry_run=dry_run)
        print_overdue(report.overdue)
    if report.stopped_by is not None:
        print_failures(report.failures)
        raise report.stopped_by
    _end(report.failures)


def sync(context: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Bring SolusIO's users in step with the billing system's clients."""
    with context.obj.parts() as parts, progress(quiet=as_json) as show:
        report = _job(parts, None, show, dry_run=dry_run).accounts()
    if as_json:
        print_json({**accounts_json(report), "dry_run": dry_run, "failures": report.failures})
    else:
        print_accounts(report)
    _end(report.failures)


def invoice(
    context: typer.Context, month: MonthOption = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """One month's invoices; without --month, those of every month that has ended and is not closed."""
    invoices = Invoices(None if as_json else _SHOWN)
    with context.obj.parts() as parts, progress(quiet=as_json) as show:
        report = _job(parts, None, show, dry_run=dry_run, invoices=invoices).invoices(month)
    if as_json:
        print_json(invoices.json())
        for warning in _remarks(report):
            complain(warning)
    else:
        print_invoicing(report, invoices, dry_run=dry_run)
    _end(report.failures)


def overdue(context: typer.Context, day: Day = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Lock, suspend and release users as their invoices go unpaid and are paid."""
    with context.obj.parts() as parts, progress(quiet=as_json) as show:
        report = _job(parts, day, show, dry_run=dry_run).overdue()
    if as_json:
        print_json({**overdue_json(report), "dry_run": dry_run, "failures": report.failures})
    else:
        print_overdue(report)
    _end(report.failures)


class Invoices:
    """The invoices of one run, as they are issued; no more of them are kept than will be shown.

    Attributes:
        most: how many to keep; None: all.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.seen: list[tuple[Entry, str]] = []
        self.count = 0

    def add(self, entry: Entry, status: str) -> None:
        """Note one."""
        self.count += 1
        if self.most is None or self.count <= self.most:
            self.seen.append((entry, status))

    def json(self) -> list[dict[str, Any]]:
        """The contract's shape of an invoice."""
        return [invoice_json(entry, status) for entry, status in self.seen]


def invoice_json(entry: Entry, status: str) -> dict[str, Any]:
    """One invoice as ``--json`` has it."""
    return {
        "reference": entry.reference,
        "client_id": entry.client_id,
        "status": status,
        "currency": entry.currency,
        "issue_date": iso(entry.issue_date),
        "due_date": iso(entry.due_date),
        "tokens": entry.tokens,
        "subtotal": entry.subtotal,
        "total": entry.total,
        "lines": [
            {"description": line.description, "tokens": line.tokens, "amount": line.amount}
            for line in entry.document.lines
        ],
    }


def _job(parts: Parts, day: date | None, show: Progress, *, dry_run: bool, invoices: Invoices | None = None) -> Run:
    heard = invoices.add if invoices else lambda _entry, _status: None
    return Run(parts, when(parts, day, dry_run=dry_run), dry_run, show, heard)


def _end(failures: list[Failure]) -> None:
    print_failures(failures)
    if failures:
        raise typer.Exit(_FAILED)


def accounts_json(report: AccountsReport) -> dict[str, Any]:
    """The accounts part of a report."""
    return {
        "clients": report.clients,
        "created": report.created,
        "linked": report.linked,
        "email_changed": report.email_changed,
        "deleted": report.deleted,
        "status_changes": report.changes,
    }


def invoicing_json(report: InvoicingReport) -> dict[str, Any]:
    """The invoicing part of a report, but for the invoices themselves."""
    return {
        "months": report.months,
        "issued": report.issued,
        "carried": report.carried,
        "nothing": report.nothing,
        "subtotals": report.totals,
        "unbilled": [
            {"month": month, "user_id": user.user_id, "tokens": user.tokens} for month, user in report.unbilled
        ],
        "warnings": report.warnings,
    }


def overdue_json(report: OverdueReport) -> dict[str, Any]:
    """The overdue part of a report."""
    return {
        "open": report.open,
        "overdue": report.overdue,
        "settled": report.settled,
        "payment_under_way": report.waiting,
        "status_changes": report.changes,
        "warnings": report.warnings,
    }


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
    usual = "all in step" if report.complete else "not all were looked at"
    say(f"Accounts   {report.clients:,} clients: {', '.join(done) or usual}")
    _print_changes(report.changes)


def print_invoicing(report: InvoicingReport, invoices: Invoices, *, dry_run: bool) -> None:
    """The invoicing part: what was issued, and everything that was not, with the reason."""
    if not report.months:
        say("Invoices   no month is waiting to be closed")
        return
    verb = "to issue" if dry_run else "issued"
    months = ", ".join(str(month) for month in report.months)
    amounts = ", ".join(f"{amount:,f} {code}" for code, amount in sorted(report.totals.items()))
    say(f"Invoices   {months}: {report.issued:,} {verb}{f', {amounts} before tax' if amounts else ''}")
    if report.carried or report.nothing:
        say(f"           {report.carried:,} carried to the next month, {report.nothing:,} with nothing to pay")
    if invoices.seen:
        _print_invoices(invoices)
    for remark in _remarks(report):
        complain(remark)


def _remarks(report: InvoicingReport) -> list[str]:
    unbilled = [
        f"SolusIO's user {user.user_id} used {user.tokens:,} tokens in {month} and belongs to no client: link it"
        f" (`tollbridge sync` links by e-mail address), then `tollbridge invoice --month {month}`"
        for month, user in report.unbilled
    ]
    return [*unbilled, *report.warnings]


def _print_invoices(invoices: Invoices) -> None:
    made = table(
        "", "reference", "status", "due", "tokens", "subtotal", "with tax", right=("tokens", "subtotal", "with tax")
    )
    for entry, status in invoices.seen:
        currency = entry.document.price.currency
        made.add_row(
            entry.reference, status, iso(entry.due_date), f"{entry.tokens:,}",
            money(entry.subtotal, currency), money(entry.total, currency),
        )  # fmt: skip
    out.print(made)
    if invoices.count > len(invoices.seen):
        say(f"… and {invoices.count - len(invoices.seen):,} more (--json lists all)")


def print_overdue(report: OverdueReport) -> None:
    """The overdue part."""
    waiting = f", {len(report.waiting)} with a payment under way" if report.waiting else ""
    settled = f"; {report.settled:,} settled since the last look" if report.settled else ""
    stopped = "" if report.complete else "; not all were looked at"
    say(f"Overdue    {report.open:,} open invoices, {report.overdue:,} overdue{waiting}{settled}{stopped}")
    _print_changes(report.changes)
    for warning in report.warnings:
        complain(warning)


def _print_changes(changes: list[StatusChange]) -> None:
    for change in changes[:_SHOWN]:
        say(f"           client {change.client_id} (user {change.user_id}): {change.before} → {change.after}")
    if len(changes) > _SHOWN:
        say(f"           … and {len(changes) - _SHOWN:,} more (--json lists all)")
