"""``meter``: what the feed reports lies within what the bridge's own meter is sure of, where there is one."""

from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally
from tollbridge.config import METER
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import ItemKey
from tollbridge.usage.meter import Bounds, gap_words, gaps_of, metered_items
from tollbridge.words import counted


def check_meter(evidence: Evidence, tally: Tally) -> None:
    """Compare each item of the months that the meter saw whole."""
    if evidence.sources.ledger.meter.last() is None:
        return
    evidence.read_usage()
    for month in evidence.months:
        if evidence.known[month].source != METER:
            _check_month(evidence, tally, month)


def _check_month(evidence: Evidence, tally: Tally, month: Month) -> None:
    ledger, settings = evidence.sources.ledger, evidence.sources.settings
    start, end = ledger.months.interval(month, settings.billing.timezone)
    if not any(start <= taken < end for taken in ledger.meter.snapshots(start, end)):
        return
    if gaps := gaps_of(ledger, settings.meter, start, end):
        tally.told.append(f"{month} is not compared with the meter: {gap_words(gaps[0], settings.meter)}")
        return
    bounds = metered_items(ledger, settings.meter, start, end)
    for key, tokens in evidence.items.used(month):
        if (known := bounds.pop(key, None)) is not None:
            _compare(tally, month, key, known, tokens)
    for key, known in sorted(bounds.items()):
        _compare(tally, month, key, known, 0)
    evidence.progress("metered items", tally.checked)


def _compare(tally: Tally, month: Month, key: ItemKey, known: Bounds, tokens: int) -> None:
    tally.checked += 1
    least, most = known.item.tokens, known.most
    if least <= tokens <= most:
        return
    user_id, kind, number = key
    tally.find(
        f"user {user_id}",
        f"{least:,} to {most:,} tokens of {known.item.name} ({kind} {number}) in {month}, by the meter",
        f"{counted(tokens, 'token')} reported",
        f"look at `tollbridge usage --month {month}`, and ask the panel's makers; what is reported is what is billed",
    )
