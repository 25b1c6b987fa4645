"""A reading: one complete answer of the usage source, which counts when two passes over it agree."""

from collections.abc import Callable, Iterator
from datetime import datetime

from tollbridge.ledger.readings import Reading
from tollbridge.model import UserUsage
from tollbridge.solus.panel import read_twice
from tollbridge.usage.source import UsageSource


def read_usage(
    source: UsageSource,
    start: datetime,
    end: datetime,
    keep: Callable[[Iterator[UserUsage]], object],
    *,
    ended: bool,
    now: datetime,
) -> Reading:
    """Read the usage of ``[start, end)`` whole, or not at all; no pass is held in memory.

    Args:
        source: where usage comes from.
        start: the interval's first moment.
        end: the first moment after it.
        keep: is given the users, all of them, and replaces whatever it has been given before.
        ended: whether the interval is over; then both passes must agree in every token, else in who used anything.
        now: the moment of the reading.

    Raises:
        Incomplete: after three tries something was still missing, or no two passes agreed; what was kept is worth
            nothing.
    """
    tokens = 0

    def counted(rows: Iterator[UserUsage]) -> Iterator[UserUsage]:
        nonlocal tokens
        tokens = 0
        for row in rows:
            tokens += row.tokens
            yield row

    agreed = read_twice(
        lambda: source.read(start, end),
        lambda rows: keep(counted(rows)),
        _everything if ended else _who,
        f"the usage from {start:%Y-%m-%d}",
    )
    return Reading(source.name, start, end, now, agreed.rows, tokens, f"{agreed.digest:064x}")


def _everything(row: UserUsage) -> object:
    """A user and its tokens; names may change without a token's changing."""
    items = sorted((item.type, item.id, item.tokens) for item in row.items)
    return row.user_id, row.billing_user_id, items


def _who(row: UserUsage) -> object:
    return row.user_id, row.billing_user_id
