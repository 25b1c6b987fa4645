"""A month's usage as SolusIO reports it, beside what the bridge's rules make of it and what the ledger has of it."""

from typing import Any

import attrs

from tollbridge.jobs.parts import Parts, Progress
from tollbridge.model import UsageItem, UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.rules.metering import computed_tokens
from tollbridge.solus.panel import again_if_incomplete

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

    @property
    def computed(self) -> int | None:
        """What the bridge's own rules make of the item; None where they have nothing to compute from."""
        return computed_tokens(self.item)


@attrs.define
class Comparison:
    """Every item of a month, and where its tokens have gone."""

    month: Month
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
                    "name": row.item.name, "hours": row.item.server.hours if row.item.server else None,
                    "tokens": row.item.tokens, "computed": row.computed,
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
        return differing + late + unbilled


def compare_usage(parts: Parts, month: Month, progress: Progress) -> Comparison:
    """Read the month's usage whole, and compare.

    Raises:
        Incomplete: SolusIO's answer is not whole.
    """
    start, end = parts.ledger.months.interval(month, parts.settings.billing.timezone)
    users: list[UserUsage] = again_if_incomplete(lambda: list(parts.usage.read(start, end)))
    progress(f"usage of {month}", len(users))
    known = parts.ledger.accounts.clients_of_users([user.user_id for user in users if user.billing_user_id is None])
    comparison = Comparison(month)
    of_client: dict[int, int] = {}
    for user in users:
        client_id = user.billing_user_id if user.billing_user_id is not None else known.get(user.user_id)
        comparison.rows.extend(UsageRow(user.user_id, client_id, item) for item in user.items)
        comparison.tokens += user.tokens
        if client_id is None:
            _add(comparison.places, "without a client", user.tokens)
        else:
            of_client[client_id] = of_client.get(client_id, 0) + user.tokens
    _place(parts, comparison, of_client)
    return comparison


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
