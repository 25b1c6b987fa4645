"""A month's usage as its source has it, beside what the bridge's rules, its own meter and its ledger have of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import attrs

from tollbridge.config import METER, Settings
from tollbridge.jobs.parts import Parts, Progress
from tollbridge.ledger import Ledger
from tollbridge.model import UsageItem, UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.metering import computed_tokens
from tollbridge.solus.panel import again_if_incomplete
from tollbridge.usage.meter import Bounds, ItemKey, OwnMeter, gap_words, gaps_of, metered_items

_PLACES = {
    State.ISSUED: "invoiced",
    State.CARRIED: "carried to a later invoice",
    State.NOTHING: "without anything to pay",
    State.SENDING: "sent, outcome unknown",
    State.WRITTEN: "not invoiced yet",
}
_BATCH = 500


@attrs.frozen
class UsageRow:
    """One item of one user."""

    user_id: int
    client_id: int | None
    item: UsageItem
    bounds: Bounds | None = None

    @property
    def at_least(self) -> int | None:
        """What the bridge's own meter is sure of; None where it knows nothing of the item."""
        return self.bounds.item.tokens if self.bounds else None

    @property
    def at_most(self) -> int | None:
        """What it can have been at the most by that meter."""
        return self.bounds.most if self.bounds else None

    @property
    def computed(self) -> int | None:
        """What the bridge's own rules make of the item; None where they have nothing to compute from."""
        return computed_tokens(self.item)


@attrs.define
class Comparison:
    """Every item of a month, and where its tokens have gone.

    Attributes:
        source: the usage source that was read.
        gap: why the meter's figures are not good enough to bill the month, if so.
    """

    month: Month
    source: str
    gap: str | None = None
    rows: list[UsageRow] = attrs.Factory(list)
    tokens: int = 0
    places: dict[str, int] = attrs.Factory(dict)
    late: dict[int, int] = attrs.Factory(dict)

    def json(self) -> dict[str, Any]:
        """As ``--json`` has it."""
        return {
            "month": self.month,
            "tokens": self.tokens,
            "places": self.places,
            "items": [
                {
                    "user_id": row.user_id, "client_id": row.client_id, "type": row.item.type, "id": row.item.id,
                    "name": row.item.name, "hours": row.item.server.all_hours if row.item.server else None,
                    "tokens": row.item.tokens, "computed": row.computed,
                    "at_least": row.at_least, "at_most": row.at_most,
                    "agrees": row.computed in {None, row.item.tokens},
                }
                for row in self.rows
            ],
            "remarks": self.remarks(),
        }  # fmt: skip

    def remarks(self) -> list[str]:
        """Everything that does not add up, in sentences."""
        differing = [
            f"{row.item.name} (server {row.item.id}): SolusIO says {row.item.tokens:,} tokens, the rules make it"
            f" {row.computed:,}; SolusIO's figure is what is invoiced"
            for row in self.rows
            if row.computed not in {None, row.item.tokens}
        ]
        late = [
            f"client {client_id}: SolusIO now reports {tokens:+,} tokens against what {self.month} was closed with"
            for client_id, tokens in self.late.items()
        ]
        unbilled = [
            f"user {user_id} belongs to no client, and nobody is billed for it"
            for user_id in dict.fromkeys(row.user_id for row in self.rows if row.client_id is None)
        ]
        return [*differing, *self._unlike_the_meter(), *late, *unbilled, *([self.gap] if self.gap else [])]

    def _unlike_the_meter(self) -> Iterator[str]:
        """Where the source reports what cannot be, by a meter that knows the whole month."""
        for row in self.rows if self.gap is None else ():
            least, most = row.at_least, row.at_most
            if least is not None and most is not None and not least <= row.item.tokens <= most:
                yield (
                    f"{row.item.name} ({row.item.type} {row.item.id}): SolusIO says {row.item.tokens:,} tokens, and the"
                    f" bridge's own meter at least {least:,} and at most {most:,}; SolusIO's figure is what is invoiced"
                )


def compare_usage(parts: Parts, month: Month, progress: Progress) -> Comparison:
    """Read the month's usage whole, and compare. What the bridge's own meter has is shown whatever gaps it has.

    Raises:
        Incomplete: SolusIO's answer is not whole.
    """
    start, end = parts.ledger.months.interval(month, parts.settings.billing.timezone)
    users = _usage(parts, start, end)
    progress(f"usage of {month}", len(users))
    known = parts.ledger.accounts.clients_of_users([user.user_id for user in users if user.billing_user_id is None])
    meter, settings = parts.ledger.meter, parts.settings.meter
    bounds = metered_items(parts.ledger, settings, start, end)
    comparison = Comparison(month, parts.usage.name)
    if meter.last() is not None and (gaps := gaps_of(parts.ledger, settings, start, end)):
        comparison.gap = gap_words(gaps[0], settings)
    of_client: dict[int, int] = {}
    for user in users:
        client_id = user.billing_user_id if user.billing_user_id is not None else known.get(user.user_id)
        comparison.rows.extend(
            UsageRow(user.user_id, client_id, item, bounds.get((user.user_id, item.type, item.id)))
            for item in user.items
        )
        comparison.tokens += user.tokens
        if client_id is None:
            _add(comparison.places, "without a client", user.tokens)
        else:
            of_client[client_id] = of_client.get(client_id, 0) + user.tokens
    _place(parts, comparison, of_client)
    return comparison


def metered_lines(ledger: Ledger, settings: Settings, entry: Entry) -> list[Bounds | None]:
    """What the bridge's own meter knows of each line of an entry; None where it knows nothing."""
    known: dict[str, dict[ItemKey, Bounds]] = {}
    for month in {line.month for line in entry.document.lines}:
        start, end = ledger.months.interval(Month.parse(month), settings.billing.timezone)
        users = {line.user_id for line in entry.document.lines if line.month == month and line.user_id is not None}
        known[month] = metered_items(ledger, settings.meter, start, end, users)
    return [
        None if line.user_id is None else known[line.month].get((line.user_id, line.item_type, line.item_id))
        for line in entry.document.lines
    ]


def _usage(parts: Parts, start: datetime, end: datetime) -> list[UserUsage]:
    if parts.usage.name == METER:
        return list(OwnMeter(parts.ledger, parts.solus, parts.settings.meter).at_least(start, end))
    return again_if_incomplete(lambda: list(parts.usage.read(start, end)))


def _place(parts: Parts, comparison: Comparison, of_client: dict[int, int]) -> None:
    client_ids = sorted(of_client)
    for start in range(0, len(client_ids), _BATCH):
        batch = client_ids[start : start + _BATCH]
        entries = parts.ledger.invoices.of_month(comparison.month, batch)
        for client_id in batch:
            entry, tokens = entries.get(client_id), of_client[client_id]
            lines = entry.document.lines if entry else ()
            own = sum(line.tokens for line in lines if line.month == str(comparison.month)) if entry else tokens
            _add(comparison.places, _PLACES[entry.state if entry else State.WRITTEN], own)
            if own != tokens:
                comparison.late[client_id] = tokens - own
                _add(comparison.places, "reported since", tokens - own)


def _add(sums: dict[str, int], what: str, tokens: int) -> None:
    sums[what] = sums.get(what, 0) + tokens
