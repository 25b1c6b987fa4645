"""``entries``: one for each client and month, months without a hole, and nothing unfinished in a closed one."""

from itertools import pairwise

from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally, entry_name
from tollbridge.ledger.months import KnownMonth
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State


def check_entries(evidence: Evidence, tally: Tally) -> None:
    """Look at every month's place in time, and at every entry's place in its month."""
    _check_months(evidence, tally)
    for month in evidence.months:
        seen: set[int] = set()
        for state in State:
            for row in evidence.sources.ledger.lists.invoices(month, state=state):
                tally.checked += 1
                if row.client_id in seen:
                    tally.find(
                        row.reference,
                        f"one entry of {month}",
                        "several",
                        "the ledger's tables were changed by hand: restore it from a backup (docs/operation.md)",
                    )
                seen.add(row.client_id)
                if state in {State.WRITTEN, State.SENDING} and evidence.known[month].closed_at is not None:
                    tally.find(
                        entry_name(month, row.client_id),
                        f"issued, carried or nothing to pay, for {month} is closed",
                        str(state),
                        "the next run opens the month again and goes on with it: `tollbridge run`",
                    )
        evidence.progress("entries of their months", tally.checked)


def _check_months(evidence: Evidence, tally: Tally) -> None:
    """From the first month on each follows the one before it, and begins where that one ended."""
    start = evidence.sources.settings.billing.start
    known = [each for each in evidence.known.values() if each.month >= start]
    if not known:
        return
    month, there = start, {each.month for each in known}
    while month < known[-1].month:
        if month not in there:
            tally.find(
                str(month),
                f"begun, as every month from billing.start ({start}) on",
                "not in the ledger",
                "the next run bills it; if it was billed before, restore the ledger from a backup first"
                " (docs/operation.md)",
            )
        month = month.next
    for before, after in pairwise(known):
        _check_edge(before, after, evidence.months, tally)


def _check_edge(before: KnownMonth, after: KnownMonth, months: tuple[Month, ...], tally: Tally) -> None:
    follows = before.month.next == after.month and after.month in months
    if not follows or before.ends_at is None or after.starts_at is None or before.ends_at == after.starts_at:
        return
    twice = after.starts_at < before.ends_at
    tally.find(
        str(after.month),
        f"from {before.ends_at.isoformat()} on, where {before.month} ended",
        f"from {after.starts_at.isoformat()} on, so that some of it is billed {'twice' if twice else 'never'}",
        "settle the hours between by hand; the ledger's interval is not changed by anything but a hand",
    )
