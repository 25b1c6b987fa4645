"""What the contracts say of the books, computed the naive way: from what can be seen, by no rule of the bridge's.

The contracts are docs/pricing.md (prices, lines, carried, corrections, held), docs/exactly-once.md (references) and
docs/operation.md (locks). Whatever a run may legitimately have read is a set of possible figures; a run that drafts a
month, or reads it again, leaves one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import attrs

from tests.histories.seen import Entry, Item, Line, Seen
from tollbridge.rules.calendar import Month

DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
SEVERITY = {"active": 0, "locked": 1, "suspended": 2}
LOCK_AFTER, SUSPEND_AFTER = 7, 14
WAITING = (
    r"user \d+ in \S+: it used ",
    r"TB-\S+: \d+ corrections? of .* wait for you",
    r"TB-\S+: \d+ corrections? of .* cannot be given back",
    r"TB-\S+: it comes to .* times the client's dearest month",
    r"client \d+ in \S+: .*SolusIO charges \d+ tokens to it",
    r"client \d+: SolusIO's users [0-9, ]+ all carry the billing id",
    r"client \d+: the client's address \S+ is already that of SolusIO's user",
    r"client \d+: SolusIO's user \d+ with \S+ belongs to client \S+, and the ledger has",
    r"client \d+: its SolusIO user .* the ledger does not know who did that",
)
"""What a run without any trouble may fail with: each waits for a human."""


@attrs.frozen
class List:
    """What bridge.toml says of prices in one month."""

    tokens: Mapping[str, Decimal]
    discounts: Mapping[str, Decimal]
    taxes: Mapping[str, Decimal]


@attrs.frozen
class Terms:
    """What the billing system says of a client."""

    currency: str
    group: str
    country: str
    status: str


@attrs.frozen
class Rules:
    """What bridge.toml says of invoices."""

    minimum: Mapping[str, Decimal]
    carry_months: int
    recheck_months: int


@attrs.frozen
class Moment:
    """The world around a run: what bridge.toml and the billing system said, and what could be seen afterwards."""

    day: date
    lists: Mapping[str, List]
    terms: Mapping[int, Terms]
    before: Seen
    after: Seen


def price(prices: List, terms: Terms) -> Decimal:
    """One token's, before tax."""
    return prices.tokens[terms.currency] * prices.discounts.get(terms.group, Decimal(1))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half up, away from zero."""
    return amount.quantize(Decimal(1).scaleb(-DECIMALS[currency]), ROUND_HALF_UP)


class Model:
    """The books as they must be, as far as that is known."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.lists: dict[str, List] = {}
        self.tokens: dict[tuple[str, Item], set[int]] = {}
        self.terms: dict[str, Terms] = {}
        self.by_hand: dict[int, str] = {}
        self.removed: set[str] = set()
        self.moved: dict[int, int] = {}
        self.uncertain = ""
        self.doubted: set[int] = set()

    def restored(self, month: str, seen: Seen) -> None:
        """The ledger is an earlier one: what it had of usage until that month, and its prices, cannot be known.

        No invoice is made twice for that, and later months are as certain as ever.
        """
        self.uncertain = max(self.uncertain, month)
        self.lists = {each: prices for each, prices in self.lists.items() if each in seen.lists}
        self.tokens = {key: possible for key, possible in self.tokens.items() if key[0] > month}
        self.by_hand = {}
        self.doubted = {user for user, status in seen.statuses.items() if status != "active"}

    def is_sure(self, month: str) -> bool:
        """Whether no ledger was restored in it, or later."""
        return month > self.uncertain

    def ran(self, moment: Moment) -> None:
        """A run is over, whatever became of it."""
        for month in moment.after.lists - self.lists.keys():
            self.lists[month] = moment.lists[month]
        self._read(moment)
        for entry in moment.after.entries.values():
            before = moment.before.entries.get(entry.reference)
            if not self.is_sure(entry.month):
                continue
            if before is None or before.own != entry.own:
                self._priced(entry, before, moment)
            self._taken(entry, before, moment)
        known = {each.number for each in moment.before.corrections}
        for each in moment.after.corrections:
            if each.number not in known and self.is_sure(each.line.month):
                expected = self._correction(each.client, each.line, moment)
                assert each.line.amount == expected, f"correction {each} must cost {expected}"

    # Prices

    def _priced(self, entry: Entry, before: Entry | None, moment: Moment) -> None:
        """New lines cost what their month's list says, with the client's present terms."""
        terms = moment.terms[entry.client]
        if before is None or before.currency == entry.currency:
            assert entry.currency == terms.currency, f"{entry.reference} is in {entry.currency}"
        self.terms[entry.reference] = terms
        old = before.own if before else ()
        for line in entry.own:
            if line not in old:
                expected = rounded(line.tokens * price(self.lists[line.month], terms), terms.currency)
                assert line.amount == expected, f"{entry.reference}: {line} must cost {expected}"

    def _taken(self, entry: Entry, before: Entry | None, moment: Moment) -> None:
        """Lines of other months cost what they cost there, but for another currency."""
        if before is not None and before.lines == entry.lines:
            return
        sources = [(line, currency) for currency, client, line in moment.after.lines() if client == entry.client]
        for line in entry.lines:
            if line.month == entry.month or (before is not None and line in before.lines):
                continue
            same = [
                (each, currency)
                for each, currency in sources
                if (each.item, each.month, each.tokens) == (line.item, line.month, line.tokens)
            ]
            terms = moment.terms[entry.client]
            allowed = {each.amount for each, currency in same if currency == entry.currency}
            if any(currency != entry.currency for _, currency in same):
                allowed |= {
                    rounded(line.tokens * price(self.lists[month], terms), terms.currency)
                    for month in (line.month, entry.month)
                }
            assert line.amount in allowed, f"{entry.reference}: {line} must cost one of {allowed}"

    def _correction(self, client: int, line: Line, moment: Moment) -> Decimal:
        """At the price of its own month, as the client was billed for that."""
        terms, reference = moment.terms[client], f"TB-{line.month}-{client}"
        then = self.terms.get(reference)
        if then is not None and reference in moment.after.entries and then.currency == terms.currency:
            terms = then
        return rounded(line.tokens * price(self.lists[line.month], terms), terms.currency)

    # Tokens

    def _read(self, moment: Moment) -> None:
        """What each item of each month that is over may have been read as."""
        before, after = moment.before, moment.after
        billed = before.billed()
        again = self.rules.recheck_months
        for month, items in after.usage.items():
            if not self.is_sure(month):
                continue
            later = [str(each) for each in _following(Month.parse(month), again)]
            begun = month in after.drafted and month not in before.drafted
            rechecked = any(each in after.drafted - before.drafted for each in later)
            may_be_read = month not in before.closed or any(each not in before.drafted for each in later)
            if not (begun or rechecked or may_be_read):
                continue
            for item in items.keys() | {item for of_month, item in self.tokens if of_month == month}:
                key = (month, item)
                now = {items.get(item, 0)}
                if key in billed and (item not in items or items[item] < billed[key]):
                    owners = {client for _, client, line in before.lines() if (line.month, line.item) == key}
                    currencies = {code for code, _, line in before.lines() if (line.month, line.item) == key}
                    owner = self._owner(item, moment)
                    terms = moment.terms.get(owner) if owner is not None else None
                    if item not in items or owners != {owner} or terms is None or currencies != {terms.currency}:
                        now.add(billed[key])
                entry = before.entries.get(f"TB-{month}-{self._owner(item, moment)}")
                settled = entry is not None and entry.state in {"issued", "carried", "nothing"}
                corrected = rechecked and (settled or (entry is None and month in after.drafted))
                fresh = corrected or (begun and not settled)
                self.tokens[key] = now if fresh else self.tokens.get(key, {0}) | now

    def _owner(self, item: Item, moment: Moment) -> int | None:
        user = item[0]
        owner = moment.after.clients_of_users.get(user)
        return owner if owner is not None else moment.after.accounts.get(user)

    def every_token_has_one_place(self, moment: Moment, failed: Iterable[str]) -> None:
        """Reported = invoiced + carried + nothing + nobody's + written off, item by item."""
        after, billed = moment.after, moment.after.billed()
        unsent = {
            (line.month, line.item)
            for entry in after.entries.values()
            if entry.state == "written"
            for line in entry.own
        }  # a user that was unlinked while its client's invoice is held is told as nobody's, too
        blocked = {int(number) for words in failed for number in re.findall(r"^client (\d+)", words)}
        blocked |= _gone(moment)
        for (month, item), possible in self.tokens.items():
            nobodys = 0 if (month, item) in unsent else after.unbilled.get(month, {}).get(item, 0)
            there = billed.get((month, item), 0) + nobodys
            words = f"{month}, {item}: reported as {sorted(possible)}, and {there} have a place"
            if self._owner(item, moment) in blocked:
                assert there <= max(possible), words
            else:
                assert there in possible, words
        for key, tokens in billed.items():
            assert key in self.tokens or not tokens or not self.is_sure(key[0]), (
                f"{key}: {tokens} billed that nobody ever reported"
            )

    # Books

    def check(self, moment: Moment, failures: list[str]) -> None:
        """All that must be true after a run that nothing disturbed."""
        gone = _gone(moment)
        several = [words.split(":")[0] for words in failures if "all carry the billing id" in words]
        for words in failures:
            known = any(re.match(each, words) for each in WAITING) or words.split(":")[0] in several
            known = known or any(re.match(rf"(client {client}|TB-\d+-\d+-{client})\b", words) for client in gone)
            lost = re.match(r"TB-(\d+-\d+)", words)
            known = known or (lost is not None and not self.is_sure(lost[1]))
            assert known, f"failed without any trouble: {words}"
        self.every_token_has_one_place(moment, failures)
        self.every_entry_has_ended(moment, failures)
        self.every_invoice_is_there_once(moment.after)
        self.every_line_has_one_source(moment.after)
        self.every_sum_is_right(moment.after)
        self.nothing_waits_for_too_long(moment)
        self.everybody_is_held_as_they_owe(moment, failures)

    def every_entry_has_ended(self, moment: Moment, failures: list[str]) -> None:
        """Whatever is to be sent is sent, and months are closed; but for clients that are gone."""
        seen, gone = moment.after, _gone(moment)
        for entry in seen.entries.values():
            waits = entry.held or entry.client in gone or any(words.startswith(entry.reference) for words in failures)
            assert entry.state != "sending" or entry.client in gone, entry
            assert entry.state != "written" or waits, entry
        unfinished = {entry.month for entry in seen.entries.values() if entry.state == "written"}
        for month in seen.usage:
            failed = any(re.match(rf"client \d+ in {month}", words) for words in failures)
            assert month in seen.closed or month in unfinished or failed, f"{month} is not closed"

    def every_invoice_is_there_once(self, seen: Seen) -> None:
        """No invoice twice, no reference lost, each with the number, currency and lines that the ledger has."""
        there = Counter(booked.reference for booked in seen.booked)
        assert max(there.values(), default=1) == 1, there
        issued = {entry.reference: entry for entry in seen.entries.values() if entry.state == "issued"}
        unknown = {each for each in there.keys() - issued.keys() if not self.is_sure(each[3:10])}
        assert there.keys() | self.removed == issued.keys() | self.removed | unknown, (there.keys(), issued.keys())
        for booked in seen.booked:
            if booked.reference in unknown:
                continue
            entry = issued[booked.reference]
            assert entry.billing_id == str(booked.number), (entry, booked)
            assert entry.currency == booked.currency, (entry, booked)
            assert booked.client_id == self.moved.get(booked.number, entry.client), (entry, booked)
            if not self.is_sure(entry.month):
                continue
            sent = [(line.description, line.tokens, line.amount, line.taxed) for line in booked.lines]
            assert sent == [(each.description, each.tokens, each.amount, each.taxed) for each in entry.lines], entry

    def every_line_has_one_source(self, seen: Seen) -> None:
        """What was carried or corrected stands on the invoice that took it in, and on no other."""
        taken: dict[tuple[int, str], Counter[tuple[str, Item, int]]] = {}
        for entry in seen.entries.values():
            if entry.state == "carried" and entry.carried_into:
                into = taken.setdefault((entry.client, entry.carried_into), Counter())
                into.update((line.month, line.item, line.tokens) for line in entry.lines)
        for each in seen.corrections:
            if each.taken_into:
                into = taken.setdefault((each.client, each.taken_into), Counter())
                into[each.line.month, each.line.item, each.line.tokens] += 1
        for entry in seen.entries.values():
            if not self.is_sure(entry.month):
                taken.pop((entry.client, entry.month), None)
                continue
            others = Counter((line.month, line.item, line.tokens) for line in entry.lines if line.month != entry.month)
            expected = taken.pop((entry.client, entry.month), Counter())
            assert others == expected, f"{entry.reference} has {others} of other months, and took in {expected}"
        assert not taken, f"taken into invoices that there are not: {taken}"

    def every_sum_is_right(self, seen: Seen) -> None:
        """Lines make the subtotal; with tax, rounded once, they make the total, here and there."""
        for entry in filter(lambda each: self.is_sure(each.month), seen.entries.values()):
            assert entry.subtotal == sum(line.amount for line in entry.lines), entry
            terms = self.terms[entry.reference]
            rate = self.lists[entry.month].taxes.get(terms.country, Decimal(0))
            total = rounded(entry.subtotal * (1 + rate / 100), entry.currency)
            assert entry.total == total, f"{entry.reference} comes to {entry.total} and not to {total}"
        for booked in seen.booked:
            if self.is_sure(booked.reference[3:10]):
                assert booked.total == seen.entries[booked.reference].total, booked

    def nothing_waits_for_too_long(self, moment: Moment) -> None:
        """Less than the minimum is carried, and for so long only; nothing below zero is invoiced."""
        seen, rules = moment.after, self.rules
        last = max(seen.drafted, default=None)
        for entry in filter(lambda each: self.is_sure(each.month), seen.entries.values()):
            little = entry.subtotal < rules.minimum.get(entry.currency, Decimal(0))
            if entry.state == "carried":
                assert entry.subtotal <= 0 or little, f"{entry.reference} is carried, and is enough"
            if entry.state == "issued":
                assert entry.subtotal > 0, f"{entry.reference} asks for nothing"
        waiting: dict[int, list[Entry]] = {}
        for entry in seen.entries.values():
            if entry.state == "carried" and entry.carried_into is None:
                waiting.setdefault(entry.client, []).append(entry)
        for client, entries in waiting.items():
            terms, first = moment.terms.get(client), min(entry.month for entry in entries)
            less = sum(
                each.line.amount
                for each in seen.corrections
                if each.client == client and each.state == "open" and each.taken_into is None
            )
            if (
                last is None
                or terms is None
                or not self.is_sure(first)
                or sum(entry.subtotal for entry in entries) + less <= 0
            ):
                continue
            waited = Month.parse(last).months_since(Month.parse(first))
            assert waited < max(rules.carry_months, 1), f"client {client}: {first} has waited for {waited} months"
            assert terms.status != "closed", f"client {client} is closed, and {first} is still carried"

    # Locks

    def everybody_is_held_as_they_owe(self, moment: Moment, failures: list[str]) -> None:
        """By what the billing system has today: nobody for nothing, everybody who is late, no lock by hand undone."""
        seen = moment.after
        users: dict[int, list[int]] = {}
        for user, client in seen.clients_of_users.items():
            if client is not None and user in seen.statuses:
                users.setdefault(client, []).append(user)
        for user, status in seen.statuses.items():
            if status == "active":
                self.doubted.discard(user)
            if seen.clients_of_users[user] is None and user not in self.doubted:
                assert status == self.by_hand.get(user, "active"), f"user {user} is nobody's, and {status}"
        for client, own in users.items():
            unknown = client not in moment.terms and own[0] not in seen.accounts
            if len(own) > 1 or unknown or any(re.match(rf"client {client}\b", words) for words in failures):
                continue
            wanted = self._wanted(client, moment)
            if wanted is not None and own[0] not in self.doubted:
                by_hand = self.by_hand.get(own[0], "active")
                expected = max(wanted, by_hand, key=lambda status: SEVERITY[status])
                status = seen.statuses[own[0]]
                assert status == expected, f"client {client} is {status} and must be {expected} ({by_hand} by hand)"

    def _wanted(self, client: int, moment: Moment) -> str | None:
        """What the ladder makes of a client; None: as it was."""
        terms = moment.terms.get(client)
        if terms is None or terms.status == "closed":
            return "suspended"
        late, pending = 0, False
        for booked in moment.after.booked:
            if booked.client_id == client and booked.status in {"unpaid", "pending"} and booked.paid < booked.total:
                late = max(late, (moment.day - booked.due_date).days)
                pending = pending or booked.status == "pending"
        if late > 0 and pending:
            return None
        return "suspended" if late >= SUSPEND_AFTER else "locked" if late >= LOCK_AFTER else "active"


def _gone(moment: Moment) -> set[int]:
    """Clients that the ledger or the panel knows, and the billing system does not."""
    known = {entry.client for entry in moment.after.entries.values()} | set(moment.after.accounts.values())
    known |= {client for client in moment.after.clients_of_users.values() if client is not None}
    return known - moment.terms.keys()


def _following(month: Month, count: int) -> Iterable[Month]:
    for _ in range(count):
        month = month.next
        yield month
