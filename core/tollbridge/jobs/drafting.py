"""From a complete reading of a month to an entry for each client. Nothing is written outside the ledger."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial

import attrs

from tollbridge.errors import NotFound, Refused, TollbridgeError
from tollbridge.jobs.month_usage import keep_reading, read_month
from tollbridge.jobs.recheck import Recheck
from tollbridge.jobs.scratch import ClientUsage, StagedBilled, StagedUsage
from tollbridge.jobs.turn import Turn
from tollbridge.jobs.unbilled import Found
from tollbridge.ledger.invoices import Draft
from tollbridge.model import UsageItem
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import as_written, billed_in, doubted, draft, hold, is_to_draft, late_tokens
from tollbridge.rules.entry import Entry, Line, State, UserItem
from tollbridge.secret import redact

_MOST_TOKENS = 2**63 - 1  # what the ledger keeps as an integer


def _as_used(line: Line) -> UserItem:
    """What a line was made from, as far as it is asked for again."""
    item = UsageItem(line.item_type, line.item_id, line.item_name, line.tokens)
    return UserItem(line.user_id or 0, item)


def _write_offs(usage: ClientUsage, month: Month) -> str:
    """The commands that let the usage be."""
    users = sorted({each.user_id for each in usage.items})
    return ", ".join(f"`tollbridge write-off --user {user} --month {month} --reason TEXT`" for user in users)


class Drafting:
    """The drafts of one run."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._work = turn.work
        self._report = turn.report
        self._failures = turn.failures
        self._former = turn.former
        self._rules = turn.work.parts.settings.billing.invoice_rules
        self._recheck = Recheck(turn)
        self._read: set[Month] = set()

    def draft(self, month: Month) -> None:
        """Read the month's usage whole, look again at the months before it, and give every client its entry.

        The month counts as drafted if that leaves no client out.

        Raises:
            Incomplete: the usage is not whole, so nothing was drafted.
        """
        ledger = self._work.parts.ledger
        failed_before = len(self._failures.all)
        with StagedUsage() as staged, StagedBilled() as billed:
            reading = read_month(self._work, staged, month, self._turn.keep)
            if not ledger.invoices.has_any(month):
                self._read.add(month)
            if not ledger.months.is_drafted(month):
                self._look_again(month)
            self._fill(billed, month)
            keep_reading(self._work, month, reading, staged, billed)
            ledger.months.begin(month, reading, self._turn.lease)
            done = 0
            for page in staged.batches():
                self._draft_page(month, self._less_than_billed(self._silent(month, page, staged), billed))
                done += len(page)
                self._work.progress(f"drafts for {month}", done)
            for waiting in (
                ledger.invoices.waiting(month),
                ledger.corrections.clients(month),
                self._former.clients(month),
            ):
                for client_ids in waiting:
                    idle = [ClientUsage(client_id, ()) for client_id in client_ids if not staged.has(client_id)]
                    self._draft_page(month, self._silent(month, idle, staged))
        if len(self._failures.all) == failed_before:
            ledger.months.draft(month, reading, self._turn.lease)

    def _look_again(self, month: Month) -> None:
        """At the months before it that were billed; those of which this run made all entries have not changed since."""
        ledger, billing = self._work.parts.ledger, self._work.parts.settings.billing
        earlier = month
        for _ in range(billing.recheck_months):
            earlier = earlier.previous
            if (
                earlier >= billing.start
                and earlier not in self._read
                and (ledger.months.is_drafted(earlier) or ledger.invoices.has_any(earlier))
            ):
                self._recheck.look_again(earlier, month)

    def _fill(self, billed: StagedBilled, month: Month) -> None:
        """What entries that stay as they are, and corrections, hold of a month of which some were drafted before."""
        ledger, day, prices = self._work.parts.ledger, self._work.when.day, self._turn.lists.of(month).prices.digest
        for page in ledger.invoices.pages_of(month):
            for entry in page:
                if not is_to_draft(entry, day, prices):
                    billed.add(entry.client_id, entry.currency, entry.own_lines)
        for found in ledger.corrections.of_month(month):
            for each in found:
                billed.add(each.client_id, each.currency, [each.line], corrects=True)

    def _less_than_billed(self, page: Sequence[ClientUsage], billed: StagedBilled) -> list[ClientUsage]:
        """The page's usage less what was billed of it elsewhere: to others whose a user was, or as a correction."""
        less = []
        for usage in page:
            others = billed.of_users({each.user_id for each in usage.items}, but_not=usage.client_id)
            items = []
            for each in usage.items:
                was = others.get((each.user_id, each.item.type, each.item.id))
                left = each.item.tokens - (was.tokens if was else 0)
                if was is None:
                    items.append(each)
                elif left > 0:
                    items.append(attrs.evolve(each, item=attrs.evolve(each.item, tokens=left)))
            less.append(attrs.evolve(usage, items=tuple(items)) if others else usage)
        return less

    def _silent(self, month: Month, page: Sequence[ClientUsage], staged: StagedUsage) -> list[ClientUsage]:
        """The page, where nothing is reported for a client any more with what holds of its entry.

        That is all of it, unless an item is reported for somebody else by now: then that one is billed there.
        """
        entries = self._work.parts.ledger.invoices.of_month(month, [each.client_id for each in page if not each.items])
        found = []
        for usage in page:
            lines = entries[usage.client_id].own_lines if usage.client_id in entries else ()
            there = staged.items_of_users({line.user_id for line in lines if line.user_id is not None})
            rest = [line for line in lines if (line.user_id, line.item_type, line.item_id) not in there]
            if usage.items or not entries.get(usage.client_id):
                found.append(usage)
            elif len(rest) == len(lines):
                found.append(attrs.evolve(usage, as_before=True))
            else:
                found.append(attrs.evolve(usage, items=tuple(map(_as_used, rest))))
        return found

    def bill_found(self, found: Iterable[Found]) -> None:
        """Usage that was nobody's and has its client now: under its own month, or else as a correction of it."""
        ledger = self._work.parts.ledger
        for each in found:
            entry = ledger.invoices.find(each.month, each.usage.client_id)
            if entry is not None and entry.state in {State.WRITTEN, State.SENDING}:
                continue  # what it comes to is known when it is issued
            failed_before = len(self._failures.all)
            with StagedBilled() as billed:
                self._fill(billed, each.month)
                if entry is None:
                    self._draft_page(each.month, self._less_than_billed([each.usage], billed))
                else:
                    self._recheck.correct(each.month, self._next_to_draft(each.month), [each.usage], billed)
            if len(self._failures.all) == failed_before:
                ledger.readings.settle(each.month, each.user_ids)

    def _next_to_draft(self, month: Month) -> Month:
        """The first month after it that is not drafted yet: on its invoice a correction would stand."""
        later = month.next
        while self._work.parts.ledger.months.is_drafted(later):
            later = later.next
        return later

    def _draft_page(self, month: Month, page: Sequence[ClientUsage]) -> None:
        """One page of clients, in one transaction of the ledger."""
        invoices = self._work.parts.ledger.invoices
        found = invoices.of_month(month, [usage.client_id for usage in page])
        day, prices = self._work.when.day, self._turn.lists.of(month).prices.digest
        to_draft = []
        for usage in page:
            entry = found.get(usage.client_id)
            anew = is_to_draft(entry, day, prices)
            if anew:
                to_draft.append(usage)
            if entry is not None:
                self._tell_changed_usage(usage, entry, anew)
        drafts = self._held(month, [*self._drafts(month, to_draft, found)])
        drafts.sort(key=lambda each: each.entry.client_id)
        for entry in invoices.draft(drafts, self._turn.lease):
            self._report.count(entry)

    def _held(self, month: Month, drafts: list[Draft]) -> list[Draft]:
        """The drafts, those that a human is to see first among them held."""
        later = {each.entry.client_id: self._former.later(each.entry.client_id, month) for each in drafts}
        if not drafts or (self._rules.hold_above is None and not any(later.values())):
            return drafts
        ledger, client_ids = self._work.parts.ledger, [each.entry.client_id for each in drafts]
        dearest = ledger.invoices.dearest(month, client_ids) if self._rules.hold_above is not None else {}
        approved = ledger.events.approved(str(month), client_ids)
        held = []
        for each in drafts:
            client_id = each.entry.client_id
            why = hold(each.entry, dearest.get((client_id, each.entry.currency)), approved.get(client_id), self._rules)
            entry = attrs.evolve(each.entry, held=why)
            if (invoice := later[client_id]) is not None:
                entry = doubted(entry, invoice, approved.get(client_id))
            held.append(attrs.evolve(each, entry=entry))
        return held

    def _drafts(self, month: Month, usages: Sequence[ClientUsage], found: dict[int, Entry]) -> Iterable[Draft]:
        ledger, client_ids = self._work.parts.ledger, [usage.client_id for usage in usages]
        carried = ledger.invoices.carried(month, client_ids)
        corrections = ledger.corrections.to_take(month, client_ids)
        to_price = []
        for usage in usages:
            entry = found.get(usage.client_id)
            if entry is not None and entry.document.lines and usage.as_before:
                self._report.warnings.append(
                    f"{entry.reference}: SolusIO no longer reports this client's usage; what it reported before is"
                    " invoiced"
                )
                yield Draft(as_written(entry, self._rules, day=self._work.when.day), entry)
            else:
                to_price.append(usage)
        for usage, priced in self._work.at_billing.each(partial(self._turn.priced, month), to_price):
            if isinstance(priced, TollbridgeError):
                self._not_drafted(month, usage, priced)
                continue
            self._failures.went_well()
            client, price = priced
            elsewhere = self._former.naming(client.id, month)
            others = ((), ()) if elsewhere else (carried.get(client.id, ()), corrections.get(client.id, ()))
            entry = draft(
                month, client, usage.items, *others, price=price,
                rules=self._rules, prices=self._turn.lists.of(month).prices.digest, day=self._work.when.day,
                now=datetime.now(UTC), is_there=self._former.has(client.id, month),
            )  # fmt: skip
            if entry.tokens > _MOST_TOKENS:
                words = f"what was carried makes {entry.tokens:,} tokens in all, which cannot be right"
                self._failures.add(f"client {client.id} in {month}", Refused(words))
                continue
            if elsewhere is not None:
                entry = billed_in(entry, elsewhere)
            before = found.get(client.id)
            if entry.document.lines or entry.state is State.WRITTEN or before is not None:
                yield Draft(entry, before)

    def _not_drafted(self, month: Month, usage: ClientUsage, error: TollbridgeError) -> None:
        """A failure; but what was carried for a client that has gone since must not keep months open for ever."""
        who = f"client {usage.client_id} in {month}"
        if not isinstance(error, NotFound):
            self._failures.add(who, error)
        elif usage.items:
            let_be = {each.user_id for each in self._work.parts.ledger.readings.written_off() if each.covers(month)}
            tokens = sum(each.item.tokens for each in usage.items if each.user_id not in let_be)
            if tokens:
                what_to_do = f"correct the user's billing id in the panel, or let it be: {_write_offs(usage, month)}"
                self._failures.add(who, NotFound(f"{error}, but SolusIO charges {tokens} tokens to it: {what_to_do}"))
        else:
            words = f"{who}: {error} any more, so what was carried for it cannot be invoiced"
            self._report.warnings.append(redact(words))

    def _tell_changed_usage(self, usage: ClientUsage, entry: Entry, anew: bool) -> None:
        """Usage that came after the client's month was done is told, for nothing can be added to it any more.

        So is less usage than before where an entry is written anew, for a user of the client may have got lost.
        """
        late = late_tokens(entry, usage.items)
        if anew and late < 0:
            what_to_do = "it is written anew for what is reported now"
        elif late and entry.state is not State.WRITTEN:
            again = self._work.parts.settings.billing.recheck_months
            what_to_do = "the next month's invoice corrects it" if again else "settle the difference by hand"
        else:
            return
        self._report.warnings.append(
            f"client {entry.client_id} in {entry.month}: SolusIO now reports {late:+,} tokens against what"
            f" {entry.reference} was made from ({entry.state}); {what_to_do}"
        )
