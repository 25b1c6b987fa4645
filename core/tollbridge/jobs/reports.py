"""What a run has to say: one document, made here, for ``--json``, for listeners and for the ledger alike."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from tollbridge.errors import TollbridgeError
from tollbridge.jobs.parts import Failure
from tollbridge.ledger.readings import UnbilledUser
from tollbridge.ledger.runs import Outcome
from tollbridge.model import UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, Line, State
from tollbridge.rules.pricing import line_amount, plain
from tollbridge.secret import redact

Document = dict[str, Any]

PLANNED = "planned"  # the number that an invoice has in a dry run


@attrs.frozen
class StatusChange:
    """A user's status that the bridge changed, or would change."""

    client_id: int
    user_id: int
    before: UserStatus
    after: UserStatus


@attrs.define
class AccountsReport:
    """What became of the users in one run; ``complete`` once all clients were looked at.

    Attributes:
        remade: clients whose user was gone from SolusIO and was made anew.
        vanished: clients that are gone from the billing system, whose users are held as closed.
        held_back: what was not done to users, since it would have been too many of them.
    """

    complete: bool = False
    clients: int = 0
    created: list[int] = attrs.Factory(list)
    linked: list[int] = attrs.Factory(list)
    email_changed: list[int] = attrs.Factory(list)
    deleted: list[int] = attrs.Factory(list)
    remade: list[int] = attrs.Factory(list)
    vanished: list[int] = attrs.Factory(list)
    changes: list[StatusChange] = attrs.Factory(list)
    held_back: list[StatusChange] = attrs.Factory(list)
    warnings: list[str] = attrs.Factory(list)
    failures: list[Failure] = attrs.Factory(list)

    def json(self) -> Document:
        """As ``--json`` has it."""
        return {
            "clients": self.clients,
            "created": self.created,
            "linked": self.linked,
            "email_changed": self.email_changed,
            "deleted": self.deleted,
            "remade": self.remade,
            "vanished": self.vanished,
            "status_changes": _changes(self.changes),
            "held_back": _changes(self.held_back),
            "warnings": self.warnings,
        }


@attrs.define
class InvoicingReport:
    """What became of the months of one run; ``left``: what another run is at, and was left to it.

    ``issued`` and ``totals`` are everybody's who worked on it, ``by_workers`` how many of them workers issued.
    ``totals`` are sums of lines; ``held_tax``: whether lines of such prices hold their tax, of each invoice.
    """

    months: list[Month] = attrs.Factory(list)
    issued: int = 0
    by_workers: int = 0
    carried: int = 0
    nothing: int = 0
    totals: dict[str, Decimal] = attrs.Factory(dict)
    held_tax: set[bool] = attrs.Factory(set)
    unbilled: list[tuple[Month, UnbilledUser]] = attrs.Factory(list)
    warnings: list[str] = attrs.Factory(list)
    left: list[str] = attrs.Factory(list)
    invoices: list[Entry] = attrs.Factory(list)
    failures: list[Failure] = attrs.Factory(list)

    def tell_once(self, warnings: Iterable[str | None]) -> None:
        """Add warnings, but for those that are there already."""
        self.warnings.extend(words for words in warnings if words and words not in self.warnings)

    def count(self, entry: Entry) -> None:
        """Count a drafted entry that makes no invoice."""
        if entry.state is State.CARRIED:
            self.carried += 1
        elif entry.state is State.NOTHING:
            self.nothing += 1

    def issue(self, entry: Entry) -> None:
        """Count an invoice that is in the billing system."""
        self._add(entry, 1, entry.subtotal)

    def issue_by_workers(self, like: Entry, count: int, subtotal: Decimal) -> None:
        """Count invoices that workers have issued for this run: so many like this one, that come to so much."""
        self.by_workers += count
        self._add(like, count, subtotal)

    def _add(self, like: Entry, count: int, subtotal: Decimal) -> None:
        self.issued += count
        self.held_tax.add(like.document.price.prices_include_tax)
        self.totals[like.currency] = self.totals.get(like.currency, Decimal(0)) + subtotal

    def json(self) -> Document:
        """As ``--json`` has it, but for the invoices themselves."""
        return {
            "months": [str(month) for month in self.months],
            "issued": self.issued,
            "issued_by_workers": self.by_workers,
            "carried": self.carried,
            "nothing": self.nothing,
            "subtotals": {code: f"{amount:f}" for code, amount in sorted(self.totals.items())},
            "unbilled": [
                {"month": str(month), "user_id": user.user_id, "tokens": user.tokens} for month, user in self.unbilled
            ],
            "warnings": self.warnings,
            "left_to_another_run": self.left,
        }


@attrs.define
class OverdueReport:
    """What became of unpaid invoices in one run; ``complete`` once all of them were looked at.

    ``held_back``: what was not done to users, since it would have been too many of them.
    """

    complete: bool = False
    open: int = 0
    overdue: int = 0
    settled: int = 0
    waiting: list[int] = attrs.Factory(list)
    changes: list[StatusChange] = attrs.Factory(list)
    held_back: list[StatusChange] = attrs.Factory(list)
    warnings: list[str] = attrs.Factory(list)
    failures: list[Failure] = attrs.Factory(list)

    def json(self) -> Document:
        """As ``--json`` has it."""
        return {
            "open": self.open,
            "overdue": self.overdue,
            "settled": self.settled,
            "payment_under_way": sorted(self.waiting),
            "status_changes": _changes(self.changes),
            "held_back": _changes(self.held_back),
            "warnings": self.warnings,
        }


@attrs.define
class DailyReport:
    """The parts of a daily job, and the failure of the machinery that stopped it, if one did."""

    day: date
    dry_run: bool
    accounts: AccountsReport = attrs.Factory(AccountsReport)
    invoicing: InvoicingReport = attrs.Factory(InvoicingReport)
    overdue: OverdueReport = attrs.Factory(OverdueReport)
    stopped_by: TollbridgeError | None = None

    @property
    def failures(self) -> list[Failure]:
        """The failed clients of all three."""
        return [*self.accounts.failures, *self.invoicing.failures, *self.overdue.failures]

    @property
    def outcome(self) -> Outcome:
        """How the run ended, as the ledger keeps it."""
        return "stopped" if self.stopped_by else "failures" if self.failures else "done"

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """What stops one part of the job does not stop the next; the first that stopped one is kept."""
        try:
            yield
        except TollbridgeError as error:
            self.stopped_by = self.stopped_by or error

    def json(self) -> Document:
        """As ``run --json`` has it, but for the invoices, which the ledger has."""
        return {
            "date": self.day.isoformat(),
            "dry_run": self.dry_run,
            "accounts": self.accounts.json(),
            "invoicing": self.invoicing.json(),
            "overdue": self.overdue.json(),
            "failures": failures_json(self.failures),
            "stopped_by": redact(str(self.stopped_by)) if self.stopped_by else None,
        }


def failures_json(failures: Iterable[Failure]) -> list[Document]:
    """The failures of a report."""
    return [{"who": failure.who, "message": failure.message} for failure in failures]


def invoice_json(entry: Entry) -> Document:
    """One invoice, in the contract's shape; its status is the billing system's, else the ledger's."""
    return {
        "reference": entry.reference,
        "client_id": entry.client_id,
        "status": status_of(entry),
        "currency": entry.currency,
        "issue_date": entry.issue_date.isoformat(),
        "due_date": entry.due_date.isoformat(),
        "tokens": entry.tokens,
        "subtotal": f"{entry.subtotal:f}",
        "total": f"{entry.total:f}",
        "lines": [
            {"description": line.description, "tokens": line.tokens, "amount": f"{line.amount:f}"}
            for line in entry.document.lines
        ],
    }


def line_json(entry: Entry, line: Line) -> Document:
    """One line of an invoice, with what it was made from; ``exact`` is its amount before rounding.

    Lines of other months have the price of their own month: where that is not the invoice's, nothing is said of it.
    """
    price = entry.document.price
    is_its_price = line_amount(line.tokens, price) == line.amount
    return {
        "description": line.description,
        "month": line.month,
        "type": line.item_type,
        "id": line.item_id,
        "name": line.item_name,
        "plan": line.plan,
        "hours": line.hours,
        "tokens_per_hour": line.tokens_per_hour,
        "tokens_per_month": line.tokens_per_month,
        "tokens": line.tokens,
        "exact": plain(line.tokens * price.net) if is_its_price else None,
        "amount": f"{line.amount:f}",
        "taxed": line.taxed,
    }


def status_of(entry: Entry) -> str:
    """What an invoice is: in a dry run planned, else what the billing system says of it, or how far it is."""
    return PLANNED if entry.billing_id == PLANNED else str(entry.billing_status or entry.state)


def _changes(changes: Iterable[StatusChange]) -> list[Document]:
    return [{**attrs.asdict(change), "before": str(change.before), "after": str(change.after)} for change in changes]
