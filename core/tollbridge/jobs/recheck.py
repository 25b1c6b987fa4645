"""A month that was billed, read again when a later one is drafted: what is reported otherwise becomes corrections."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial

from tollbridge.errors import NotFound, ServiceError, TollbridgeError
from tollbridge.jobs.month_usage import keep_reading, read_month
from tollbridge.jobs.parts import Failure, Failures
from tollbridge.jobs.scratch import ClientUsage, StagedBilled, StagedUsage
from tollbridge.jobs.turn import Turn
from tollbridge.jobs.work import Work
from tollbridge.ledger import Ledger
from tollbridge.model import Client
from tollbridge.reference import reference
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import Correction, CorrectionRules, CorrectionState, corrections, differences
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.pricing import TokenPrice
from tollbridge.words import counted

_SHOWN = 5
_UNFINISHED = {State.WRITTEN, State.SENDING}
_ASKED_FOR = {State.ISSUED, State.CARRIED}


class Recheck:
    """The months that one run looks at again."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._work = turn.work
        self._report = turn.report
        self._failures = turn.failures
        self._rules = CorrectionRules(
            turn.work.parts.settings.billing.most_correction, turn.work.parts.billing.takes_negative_lines
        )

    def look_again(self, month: Month, stands_on: Month) -> None:
        """Read a billed month again, from the source it was billed from, and keep what is to be corrected of it.

        It is corrected whole or not at all: whatever cannot be read is told, holds up no invoice, and is
        tried again as long as the later month is open.
        """
        ledger = self._work.parts.ledger
        source = ledger.months.source(month)
        if source not in {None, self._work.parts.usage.name}:
            words = f"it was billed from {source}, and usage comes from {self._work.parts.usage.name} now"
            self._report.warnings.append(f"{month} is not read again: {words}")
            return
        with StagedUsage() as staged, StagedBilled() as billed:
            try:
                reading = read_month(self._work, staged, month, self._turn.keep)
            except ServiceError as error:
                self._failures.tell(str(month), f"it was billed, and cannot be read again for what came later: {error}")
                return
            self._fill(billed, month)
            keep_reading(self._work, month, reading, staged, billed)
            unknown = billed.clients_of_nobody()
            for page in staged.batches():
                self.correct(month, stands_on, [each for each in page if each.client_id not in unknown], billed)
            self._tell_the_gone(month, staged, billed)

    def _fill(self, billed: StagedBilled, month: Month) -> None:
        ledger = self._work.parts.ledger
        for page in ledger.invoices.pages_of(month):
            for entry in page:
                billed.add(entry.client_id, entry.currency, entry.own_lines)
        for found in ledger.corrections.of_month(month):
            for each in found:
                billed.add(each.client_id, each.currency, [each.line], corrects=True)

    def correct(self, month: Month, stands_on: Month, page: Sequence[ClientUsage], billed: StagedBilled) -> None:
        """Keep what is to be corrected of a page of clients, as they are reported now.

        Whoever could not be drafted yet has nothing to correct.
        """
        ledger = self._work.parts.ledger
        other = [usage for usage in page if self._differs(usage, billed)]
        client_ids = [usage.client_id for usage in other]
        entries = ledger.invoices.of_month(month, client_ids)
        so_far = ledger.corrections.sums(month, client_ids)
        is_drafted = ledger.months.is_drafted(month)
        settled = [
            usage
            for usage in other
            if not _is_unfinished(entries.get(usage.client_id)) and (is_drafted or usage.client_id in entries)
        ]
        found: list[Correction] = []
        for usage, priced in self._work.at_billing.each(partial(self._turn.priced, month), settled):
            if isinstance(priced, TollbridgeError):
                self._not_corrected(month, usage, priced)
                continue
            self._failures.went_well()
            before = so_far.get((usage.client_id, priced[0].currency), Decimal(0))
            found += self._corrections(month, stands_on, usage, priced, entries.get(usage.client_id), billed, before)
        found.sort(key=lambda each: (each.client_id, each.key))
        ledger.corrections.add(found, self._turn.lease)

    def _differs(self, usage: ClientUsage, billed: StagedBilled) -> bool:
        was = billed.of_users(_users(usage))
        return any(
            each.item.tokens != (was[key].tokens if (key := (each.user_id, each.item.type, each.item.id)) in was else 0)
            for each in usage.items
        )

    def _corrections(  # noqa: PLR0917
        self,
        month: Month,
        stands_on: Month,
        usage: ClientUsage,
        priced: tuple[Client, TokenPrice],
        entry: Entry | None,
        billed: StagedBilled,
        so_far: Decimal,
    ) -> list[Correction]:
        """What is corrected of one client's month; what stays as it was billed is told."""
        client, price = priced
        found = differences(client, usage.items, billed.of_users(_users(usage)))
        for each in found:
            if each.stays:
                item = each.used.item
                words = f"{item.name} ({item.type} {item.id}) is reported with {each.tokens:+,} tokens"
                self._report.warnings.append(f"client {client.id} in {month}: {words}; {each.stays}, so it stays so")
        if entry is not None and entry.currency == client.currency:
            price = entry.document.price
        return corrections(
            month, stands_on, client, found, price=price, invoiced=_invoiced(entry), so_far=so_far, rules=self._rules,
            language=self._work.parts.settings.billing.language,
        )  # fmt: skip

    def _not_corrected(self, month: Month, usage: ClientUsage, error: TollbridgeError) -> None:
        who = f"client {usage.client_id} in {month}"
        if isinstance(error, NotFound):
            self._report.warnings.append(f"{who}: {error}, so what is reported otherwise by now stays as it was billed")
        else:
            self._failures.add(who, error)

    def _tell_the_gone(self, month: Month, staged: StagedUsage, billed: StagedBilled) -> None:
        """An item that is not reported any more takes nothing back."""
        gone = []
        for user_id in billed.users():
            if user_id is None:
                continue
            there = staged.items_of_users([user_id])
            gone += [
                f"{was.name} of user {user_id} ({was.tokens:,} tokens)"
                for key, was in billed.of_users([user_id]).items()
                if key not in there and was.tokens > 0
            ]
        if gone:
            more = f" and {len(gone) - _SHOWN:,} more" if len(gone) > _SHOWN else ""
            self._report.warnings.append(
                f"{month}: {counted(len(gone), 'item')} that {'was' if len(gone) == 1 else 'were'} billed"
                f" {'is' if len(gone) == 1 else 'are'} not reported any more, and nothing is taken back:"
                f" {', '.join(gone[:_SHOWN])}{more}"
            )


def tell_undecided(work: Work, failures: Failures) -> None:
    """What waits for a human is a failure of every run."""
    for each in undecided(work.parts.ledger, with_tax=work.parts.settings.pricing.prices_include_tax):
        failures.tell(each.who, each.message, waits=each.waits)


def undecided(ledger: Ledger, *, with_tax: bool) -> Iterator[Failure]:
    """What waits for a human, with what to do: held invoices, corrections, credits no invoice can give.

    ``with_tax``: whether lines hold their tax, as ``prices_include_tax`` says.
    """
    for page in ledger.invoices.held():
        for entry in page:
            yield Failure(entry.reference, entry.held or "", waits=True)
    waiting: dict[tuple[Month, int, CorrectionState], list[Correction]] = {}
    for each in ledger.corrections.unsettled():
        waiting.setdefault((each.stands_on, each.client_id, each.state), []).append(each)
    for (stands_on, client_id, state), found in waiting.items():
        name = reference(stands_on, client_id)
        total = sum((each.line.amount for each in found), Decimal(0))
        months = ", ".join(sorted({str(each.month) for each in found}))
        tax = "with tax" if with_tax else "before tax"
        what = f"{counted(len(found), 'correction')} of {months}, {total:f} {found[0].currency} {tax}"
        if state is CorrectionState.WAITING:
            words = (
                f"{what}, wait for you: `tollbridge approve {name} --reason TEXT` puts them on the next invoice,"
                f" `tollbridge write-off {name} --correction --reason TEXT` lets them be"
            )
        else:
            words = (
                f"{what}, cannot be given back on an invoice: settle the credit with the client, then note it with"
                f" `tollbridge write-off {name} --correction --reason TEXT`"
            )
        yield Failure(name, words, waits=True)


def _users(usage: ClientUsage) -> set[int]:
    return {each.user_id for each in usage.items}


def _is_unfinished(entry: Entry | None) -> bool:
    """Such an entry is drafted anew itself, or is about to be known."""
    return entry is not None and entry.state in _UNFINISHED


def _invoiced(entry: Entry | None) -> Decimal:
    if entry is None or entry.state not in _ASKED_FOR:
        return Decimal(0)
    return sum((line.amount for line in entry.own_lines), Decimal(0))
