"""``tokens``: what the source reports has its place, item by item.

What is reported = invoiced + carried + nothing to pay + unbilled + written off, corrections counted, per client, and in
all where no client explains it. What the next run will correct is to come; an item that is gone stays billed.
"""

from collections.abc import Collection

import attrs

from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally, client, entry_name
from tollbridge.audit.items import OddItem
from tollbridge.errors import NotFound
from tollbridge.model import Client, UsageItem
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import differences
from tollbridge.rules.entry import State, UserItem
from tollbridge.words import counted

_SHOWN = 3
_UNFINISHED = {State.WRITTEN, State.SENDING}
_TOO_OLD = (
    "no run bills it by itself any more: look at it with `tollbridge usage --month {month}` and `tollbridge explain"
    " {name}`, then settle the difference with the client by hand"
)


def check_tokens(evidence: Evidence, tally: Tally) -> None:
    """Lay what is reported beside what is billed, month by month."""
    evidence.read_usage()
    evidence.read_books()
    written_off = evidence.sources.ledger.readings.written_off()
    for month in evidence.months:
        theirs = frozenset(each.user_id for each in written_off if each.covers(month))
        _Month(evidence, tally, month, theirs).check()


@attrs.define
class _Month:
    """One month's items, and what was found of each client and user so far.

    Attributes:
        written_off: the users whose usage of the month is nobody's to pay.
        odd: by client, the items that differ.
        nobodys: by user without a client, the tokens that have no place yet.
        to_come: by client, what the next run adds or takes back.
        explained: how many more tokens are reported than placed, by all items that differ.
    """

    evidence: Evidence
    tally: Tally
    month: Month
    written_off: frozenset[int]
    odd: dict[int, list[OddItem]] = attrs.Factory(dict)
    nobodys: dict[int, int] = attrs.Factory(dict)
    to_come: dict[int, int] = attrs.Factory(dict)
    explained: int = 0

    def check(self) -> None:
        items, ledger = self.evidence.items, self.evidence.sources.ledger
        self.tally.checked += items.count(self.month)
        of_nobody = items.of_nobody(self.month)
        unbilled = {each.user_id: each.tokens for each in ledger.readings.unbilled(self.month)}
        linked: dict[int, list[OddItem]] = {}
        for item in items.odd(self.month):
            self.explained += item.difference
            if of_nobody.keys() & {item.client_id, *item.billed.client_ids}:
                continue
            user_id = item.key[0]
            if item.reported is not None and item.client_id is None:
                self.nobodys[user_id] = self.nobodys.get(user_id, 0) + item.difference
            elif user_id in unbilled and item.difference > 0:
                linked.setdefault(user_id, []).append(item)
            else:
                self._judge(item)
        for user_id, theirs in linked.items():  # the next run bills what was nobody's to whoever has the user by now
            if sum(item.difference for item in theirs) == unbilled[user_id]:
                self._comes(theirs[0].client_id, unbilled[user_id])
            else:
                for item in theirs:
                    self._judge(item)
        self._tell_nobodys(unbilled)
        self._compare_clients(of_nobody)
        self._tell_clients()
        self._compare_all()

    @property
    def _is_read_again(self) -> bool:
        """Whether the next run that drafts reads the month again, or drafts it anew."""
        drafted = [month for month, known in self.evidence.known.items() if known.drafted_at is not None]
        if self.month not in drafted:
            return True
        again = self.evidence.sources.settings.billing.recheck_months
        return max(drafted).next.months_since(self.month) <= again

    def _judge(self, item: OddItem) -> None:
        """Whether an item's difference is to come, stays as it was billed, or is one of the books."""
        if item.reported is None:
            if item.is_to_come:
                self._stays(item, "it is not reported any more")
            else:
                self._find(item)
            return
        assert item.client_id is not None  # noqa: S101 - nobody's are told apart
        if item.key[0] in self.written_off and item.difference > 0:
            return
        if item.difference < 0 and len(item.billed.client_ids) > 1:
            self._find(item)
        elif not item.is_to_come:
            unfinished = self.evidence.items.state(self.month, item.client_id) in _UNFINISHED
            if unfinished:
                self._comes(item.client_id, item.difference)
            else:
                self._find(item)
        elif item.difference < 0 and (why := self._why_it_stays(item)):
            self._stays(item, why)
        elif self._is_read_again and self._client(item.client_id) is not None:
            self._comes(item.client_id, item.difference)
        else:
            self._find(item)

    def _why_it_stays(self, item: OddItem) -> str:
        """Why tokens are not taken back that were billed and are not reported any more; empty if they are."""
        payer = self._client(item.client_id)
        if payer is None:
            return "the client is gone from the billing system"
        user_id, kind, number = item.key
        used = UserItem(user_id, UsageItem(kind, number, item.name, item.reported or 0))
        return "".join(each.stays for each in differences(payer, [used], {item.key: item.billed}))

    def _client(self, client_id: int | None) -> Client | None:
        """The client as the billing system has it; None if it has none."""
        if client_id is None:
            return None
        self.evidence.read_clients()
        if (listed := self.evidence.people.client(client_id)) is not None:
            return listed
        try:
            return self.evidence.sources.billing.client(client_id)
        except NotFound:
            return None

    # What it comes to

    def _comes(self, client_id: int | None, tokens: int) -> None:
        if client_id is not None:
            self.to_come[client_id] = self.to_come.get(client_id, 0) + tokens

    def _stays(self, item: OddItem, why: str) -> None:
        name = f"{item.name} ({item.key[1]} {item.key[2]}) of user {item.key[0]}"
        self.tally.told.append(f"{self.month}: {name} stays billed with {counted(item.placed, 'token')}: {why}")

    def _find(self, item: OddItem) -> None:
        client_id = item.client_id if item.client_id is not None else min(item.billed.client_ids, default=0)
        self.odd.setdefault(client_id, []).append(item)

    def _tell_clients(self) -> None:
        for client_id, theirs in sorted(self.odd.items()):
            reported, placed = sum(each.reported or 0 for each in theirs), sum(each.placed for each in theirs)
            self.tally.find(
                self._name(client_id),
                f"{_tokens(reported)} of {_names(theirs)} in {self.month}, as reported today",
                f"{_tokens(placed)} invoiced or accounted for, to {_clients(theirs)}",
                _TOO_OLD.format(month=self.month, name=entry_name(self.month, client_id)),
            )
        for client_id, tokens in sorted(self.to_come.items()):
            self.tally.told.append(f"{client(client_id)} in {self.month}: {tokens:+,} tokens are to come")

    def _name(self, client_id: int) -> str:
        there = self.evidence.items.state(self.month, client_id) is not None
        return entry_name(self.month, client_id) if there else client(client_id)

    def _tell_nobodys(self, unbilled: dict[int, int]) -> None:
        """Usage of users without a client: told by every run, or written off."""
        for user_id, tokens in sorted(self.nobodys.items()):
            if tokens == unbilled.get(user_id, 0) or user_id in self.written_off:
                continue
            if self._is_read_again:
                self.tally.told.append(f"user {user_id} in {self.month}: {tokens:+,} tokens are to come")
                continue
            self.tally.find(
                f"user {user_id}",
                f"{_tokens(tokens)} in {self.month} with a client, told as nobody's, or written off",
                f"{_tokens(unbilled.get(user_id, 0))} told as nobody's",
                f"link the user to its client and settle it by hand, or `tollbridge write-off --user {user_id} --month"
                f" {self.month} --reason TEXT`",
            )

    def _compare_clients(self, of_nobody: dict[int, tuple[int, int]]) -> None:
        """Of entries whose lines name no user only the sums can be compared."""
        for client_id, (reported, placed) in sorted(of_nobody.items()):
            if reported > placed:
                self.tally.find(
                    self._name(client_id),
                    f"{_tokens(reported)} in {self.month}, as reported today",
                    f"{_tokens(placed)} invoiced or accounted for",
                    _TOO_OLD.format(month=self.month, name=entry_name(self.month, client_id)),
                )
            elif reported < placed:
                self.tally.told.append(
                    f"{client(client_id)} in {self.month}: {_tokens(placed)} stay billed, {reported:,} are reported"
                )

    def _compare_all(self) -> None:
        """In all: whatever is reported and not billed is some client's or user's, or else this audit overlooked it."""
        reported = self.evidence.reported[self.month]
        placed = self.evidence.items.placed(self.month)
        nameless = self.evidence.items.nameless(self.month)
        if reported - placed != self.explained - nameless:
            self.tally.find(
                str(self.month),
                f"{_tokens(reported)} reported in all",
                f"{_tokens(placed)} placed, and {self.explained - nameless:+,} explained by clients and users",
                f"compare every item with `tollbridge usage --month {self.month}`",
            )


def _tokens(count: int) -> str:
    return counted(count, "token")


def _names(items: Collection[OddItem]) -> str:
    shown = ", ".join(f"{each.name} ({each.key[1]} {each.key[2]})" for each in [*items][:_SHOWN])
    return shown + (f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else "")


def _clients(items: Collection[OddItem]) -> str:
    ids = sorted({client_id for each in items for client_id in each.billed.client_ids})
    return " and ".join(client(each) for each in ids[:_SHOWN]) or "nobody"
