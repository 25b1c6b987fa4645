"""Closing a month: exactly one invoice per client, wherever the process dies.

An invoice is in the ledger, marked *sending*, before the billing system hears of it. An invoice found *sending* is
looked for by its reference before anything is created. A run that died held the ledger until its death, so whatever it
sent was under way when the present run began, at the latest: an invoice that is not found is created only when that is
long enough ago for nothing to land any more. Nothing is drafted before all pages of the usage feed are there.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import attrs

from tollbridge.errors import (
    AdapterFault,
    LedgerError,
    NotFound,
    OutcomeUnknown,
    PriceMismatch,
    TollbridgeError,
    UsageError,
)
from tollbridge.jobs.drafting import draft
from tollbridge.jobs.parts import Failure, Failures, Parts, Progress, When
from tollbridge.jobs.pricing import Pricer
from tollbridge.jobs.staging import ClientUsage, StagedUsage, UnbilledUser
from tollbridge.ledger.invoices import Result
from tollbridge.model import Receipt, UserUsage
from tollbridge.rules.calendar import Month, due_date, months_to_invoice
from tollbridge.rules.entry import Entry, State
from tollbridge.secret import redact
from tollbridge.solus.panel import again_if_incomplete

_MOST_MISMATCHES = 3

OnInvoice = Callable[[Entry, str], None]


@attrs.define
class InvoicingReport:
    """What became of the months of one run."""

    months: list[Month] = attrs.Factory(list)
    issued: int = 0
    carried: int = 0
    nothing: int = 0
    totals: dict[str, Decimal] = attrs.Factory(dict)
    unbilled: list[tuple[Month, UnbilledUser]] = attrs.Factory(list)
    warnings: list[str] = attrs.Factory(list)
    failures: list[Failure] = attrs.Factory(list)


def months_due(parts: Parts, when: When) -> list[Month]:
    """The months that have ended, settled, and are not closed yet, oldest first."""
    billing = parts.settings.billing
    ended = months_to_invoice(billing.start, when.now, billing.timezone, billing.settle)
    return [month for month in ended if not parts.ledger.months.is_closed(month)]


def refuse_unended(parts: Parts, month: Month, when: When) -> None:
    """Raise UsageError unless the month may be invoiced: from ``billing.start`` on, ended and settled."""
    billing = parts.settings.billing
    if month < billing.start:
        raise UsageError(f"{month} is before billing.start ({billing.start}): it is not Tollbridge's to invoice")
    if month not in months_to_invoice(billing.start, when.now, billing.timezone, billing.settle):
        raise UsageError(
            f"{month} has not ended and settled yet: its usage would be billed in part; --dry-run shows it so far"
        )


class Invoicing:
    """Invoices for one or more months, in one run that holds the ledger."""

    def __init__(
        self,
        parts: Parts,
        when: When,
        *,
        dry_run: bool,
        on_invoice: OnInvoice,
        progress: Progress,
        still_held: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._when = when
        self._dry_run = dry_run
        self._on_invoice = on_invoice
        self._progress = progress
        self._still_held = still_held
        self._pricer = Pricer(parts.billing, parts.settings.pricing.price_list())
        self._failures = Failures()
        self._mismatches_in_a_row = 0
        self._began = time.monotonic()
        self._in_doubt: list[ClientUsage] = []
        # What a dry run must remember of its own plans, where the real run finds it in the ledger.
        self._planned_carries: dict[int, list[Entry]] = {}
        self._planned_away: set[tuple[int, Month]] = set()
        self.report = InvoicingReport(failures=self._failures.all)

    def close(self, month: Month) -> None:
        """Invoice every client's usage of the month; the month is closed if that leaves nothing undone."""
        self.report.months.append(month)
        failures_before = len(self._failures.all)
        with StagedUsage() as staged:
            self._stage(staged, month)
            done = 0
            for batch in staged.batches():
                self._close_clients(month, batch)
                done += len(batch)
                self._progress(f"invoices for {month}", done)
            for client_ids in self._parts.ledger.invoices.waiting(month):
                idle = [ClientUsage(client_id, ()) for client_id in client_ids if not staged.has(client_id)]
                self._close_clients(month, idle)
            self._settle_doubts(month)
            self.report.unbilled.extend((month, user) for user in staged.unbilled())
        if not self._dry_run and len(self._failures.all) == failures_before:
            self._parts.ledger.months.close(month, _clock())

    def _stage(self, staged: StagedUsage, month: Month) -> None:
        """All of the month's usage, or Incomplete; users whose billing id the panel lacks are known by account."""
        start, end = month.interval(self._parts.settings.billing.timezone)
        read = 0

        def rows() -> Iterator[UserUsage]:
            nonlocal read
            for row in self._parts.usage.read(start, end):
                read += 1
                if read % 100 == 0:
                    self._progress(f"usage of {month}", read)
                yield row

        again_if_incomplete(lambda: staged.fill(rows()))
        staged.assign(self._parts.ledger.accounts.clients_of_users(staged.unassigned()))

    def _close_clients(self, month: Month, usages: list[ClientUsage]) -> None:
        entries = self._parts.ledger.invoices.of_month(month, [usage.client_id for usage in usages])
        to_draft: list[ClientUsage] = []
        found: list[Result] = []
        for usage in usages:
            entry = entries.get(usage.client_id)
            if entry is None or entry.state is State.WRITTEN:
                to_draft.append(usage)
            elif entry.state is State.SENDING:
                self._look_for(usage, entry, found, to_draft)
            else:
                self._compare(usage, entry)
        if not self._dry_run:
            self._parts.ledger.invoices.record(found)
        self._issue(month, to_draft, entries)

    def _compare(self, usage: ClientUsage, entry: Entry) -> None:
        """Usage that came after the client's month was done is told, for nothing can be added to it any more."""
        late = usage.tokens - sum(line.tokens for line in entry.document.lines if line.month == str(entry.month))
        if late and usage.items:
            self.report.warnings.append(
                f"client {entry.client_id} in {entry.month}: SolusIO now reports {late:+,} tokens against what"
                f" {entry.reference} was made from ({entry.state}); settle the difference by hand"
            )

    def _look_for(self, usage: ClientUsage, entry: Entry, found: list[Result], to_draft: list[ClientUsage]) -> None:
        """An invoice that an earlier run may have created: issued if it is there, else to be drafted anew."""
        try:
            receipt = self._parts.billing.find_invoice(entry.client_id, entry.reference)
        except TollbridgeError as error:
            self._failures.add(entry.reference, error)
            return
        self._failures.went_well()
        if receipt is not None:
            found.append(self._issued(entry, receipt))
        elif self._dry_run:
            self._count(entry, State.SENDING)
        elif self._seconds_in_doubt() > 0:
            self._in_doubt.append(usage)
        else:
            to_draft.append(usage)

    def _settle_doubts(self, month: Month) -> None:
        """Wait until nothing under way can land any more, then look again."""
        doubts, self._in_doubt = self._in_doubt, []
        if not doubts:
            return
        while (seconds := self._seconds_in_doubt()) > 0:
            self._progress("waiting for invoices that an earlier run sent to appear or not", len(doubts))
            time.sleep(min(seconds, 1.0))
        self._close_clients(month, doubts)

    def _seconds_in_doubt(self) -> float:
        """How much longer an invoice sent by a run that died may still appear."""
        return self._began + self._parts.billing.in_doubt_seconds - time.monotonic()

    def _issue(self, month: Month, usages: list[ClientUsage], unfinished: dict[int, Entry]) -> None:
        """Draft, write and send; ``unfinished`` are the entries of this month that there are already."""
        drafts = [
            entry
            for entry in self._drafts(month, usages, unfinished)
            if entry.document.lines or entry.state is State.WRITTEN or entry.client_id in unfinished
        ]
        if self._dry_run:
            for entry in drafts:
                self._plan(entry)
            return
        self._still_held()
        now = _clock()
        entries = [
            attrs.evolve(entry, state=State.SENDING, sent_at=now) if entry.state is State.WRITTEN else entry
            for entry in drafts
        ]
        self._parts.ledger.invoices.write(entries)
        for entry in entries:
            if entry.state is not State.SENDING:
                self._count(entry)
        self._send_all([entry for entry in entries if entry.state is State.SENDING])

    def _drafts(self, month: Month, usages: list[ClientUsage], unfinished: dict[int, Entry]) -> list[Entry]:
        carried = self._parts.ledger.invoices.carried(month, [usage.client_id for usage in usages])
        drafts = []
        for usage in usages:
            entry = unfinished.get(usage.client_id)
            if entry is not None and entry.document.lines and not usage.items:
                drafts.append(self._as_written(entry))
                continue
            try:
                client = self._parts.billing.client(usage.client_id)
                price = self._pricer.price(client)
            except TollbridgeError as error:
                self._not_drafted(month, usage, error)
                continue
            self._failures.went_well()
            earlier = [*carried.get(client.id, ()), *self._planned_carries.get(client.id, ())]
            earlier = [entry for entry in earlier if (entry.client_id, entry.month) not in self._planned_away]
            billing, day = self._parts.settings.billing, self._when.day
            drafts.append(
                draft(month, client, usage.items, earlier, price, billing=billing, issue_date=day, now=_clock())
            )
        return drafts

    def _as_written(self, entry: Entry) -> Entry:
        """An entry whose usage is not reported any more, as when its user was deleted: it is owed all the same."""
        self.report.warnings.append(
            f"{entry.reference}: SolusIO no longer reports this client's usage; what it reported before is invoiced"
        )
        day, grace = self._when.day, self._parts.settings.billing.grace_days
        return attrs.evolve(
            entry, state=State.WRITTEN, issue_date=day, due_date=due_date(day, grace), problem=None, sent_at=None
        )

    def _not_drafted(self, month: Month, usage: ClientUsage, error: TollbridgeError) -> None:
        """A failure; but what was carried for a client that has gone since must not keep months open for ever."""
        who = f"client {usage.client_id} in {month}"
        if not isinstance(error, NotFound):
            self._failures.add(who, error)
        elif usage.items:
            charged = f"SolusIO charges {usage.tokens} tokens to it: correct the user's billing id in the panel"
            self._failures.add(who, NotFound(f"{error}, but {charged}"))
        else:
            self.report.warnings.append(f"{who}: {error} any more, so what was carried for it cannot be invoiced")

    def _send_all(self, entries: list[Entry]) -> None:
        """Create each invoice in the billing system; what came of it is in the ledger even if this is cut short."""
        results: dict[int, Result] = {}
        try:
            for entry in entries:
                self._refuse_mismatches()
                results[entry.client_id] = Result(entry, State.SENDING)
                results[entry.client_id] = self._send(entry)
        finally:
            unsent = (Result(entry, State.WRITTEN) for entry in entries if entry.client_id not in results)
            self._parts.ledger.invoices.record([*results.values(), *unsent])

    def _send(self, entry: Entry) -> Result:
        invoice, billing = entry.invoice(), self._parts.billing
        sent = False
        try:
            receipt = billing.find_invoice(entry.client_id, entry.reference)
            if receipt is None:
                self._still_held()
                sent = True
                receipt = billing.create_invoice(invoice)
        except LedgerError:
            raise
        except TollbridgeError as error:
            unknown = sent and isinstance(error, OutcomeUnknown | AdapterFault)
            result = Result(entry, State.SENDING if unknown else State.WRITTEN, problem=redact(str(error)))
            self._failures.add(entry.reference, error)
            return result
        self._failures.went_well()
        result = self._issued(entry, receipt)
        if sent:
            billing.tell("invoice_issued", invoice=invoice, receipt=receipt)
            matches = abs(receipt.total - entry.total) <= _tolerance(entry)
            self._mismatches_in_a_row = 0 if matches else self._mismatches_in_a_row + 1
        return result

    def _refuse_mismatches(self) -> None:
        """Stop before everybody gets an invoice that comes to another total than what was shown."""
        if self._mismatches_in_a_row >= _MOST_MISMATCHES:
            raise PriceMismatch(
                f"{_MOST_MISMATCHES} invoices in a row came to another total in the billing system than what was shown,"
                f" so no more are made: {self.report.warnings[-1]}"
            )

    def _issued(self, entry: Entry, receipt: Receipt) -> Result:
        expected = entry.total
        if abs(receipt.total - expected) > _tolerance(entry):
            self.report.warnings.append(
                f"{entry.reference}: the billing system makes it {receipt.total} {entry.currency}, and the price that"
                f" was shown makes it {expected}: compare its taxes and discounts with `tollbridge price"
                f" {entry.client_id}`"
            )
        self._count(entry, receipt.status)
        return Result(
            entry,
            State.ISSUED,
            billing_id=str(receipt.id),
            billing_status=receipt.status,
            due_date=receipt.due_date,
            issued_at=_clock(),
        )

    def _plan(self, entry: Entry) -> None:
        """What a dry run says of an entry: that it is planned, or what billing has under its reference already."""
        if entry.state is State.CARRIED:
            self._planned_carries.setdefault(entry.client_id, []).append(entry)
        status = "planned"
        if entry.state is State.WRITTEN:
            self._planned_away.update((entry.client_id, Month.parse(month)) for month in entry.document.carries)
            try:
                receipt = self._parts.billing.find_invoice(entry.client_id, entry.reference)
            except TollbridgeError as error:
                self._failures.add(entry.reference, error)
                return
            status = receipt.status if receipt else status
        self._count(entry, status)

    def _count(self, entry: Entry, status: str = "") -> None:
        if entry.state is State.CARRIED:
            self.report.carried += 1
        elif entry.state is State.NOTHING:
            self.report.nothing += 1
        else:
            self.report.issued += 1
            self.report.totals[entry.currency] = self.report.totals.get(entry.currency, Decimal(0)) + entry.subtotal
            self._on_invoice(entry, status)


def _tolerance(entry: Entry) -> Decimal:
    """Half a smallest unit for each line and for each tax: what rounding elsewhere can make of the same price."""
    price = entry.document.price
    return Decimal(1).scaleb(-price.currency.decimals) * (len(entry.document.lines) + len(price.taxes)) / 2


def _clock() -> datetime:
    return datetime.now(UTC)
