"""One audit: which months, and every check in turn, each whole or not at all."""

from tollbridge.audit.entries import check_entries
from tollbridge.audit.evidence import Evidence, Progress, Sources
from tollbridge.audit.findings import Audit, Finding, Tally
from tollbridge.audit.holds import check_holds
from tollbridge.audit.invoices import check_invoices
from tollbridge.audit.meter import check_meter
from tollbridge.audit.strangers import check_strangers
from tollbridge.audit.sums import check_sums
from tollbridge.audit.tokens import check_tokens
from tollbridge.audit.users import check_users
from tollbridge.errors import AdapterFault, ServiceError, UsageError
from tollbridge.ledger.months import KnownMonth
from tollbridge.rules.calendar import Month
from tollbridge.secret import redact

_MOST_MONTHS = 12
_CHECKS = {
    "tokens": check_tokens,
    "entries": check_entries,
    "sums": check_sums,
    "invoices": check_invoices,
    "strangers": check_strangers,
    "users": check_users,
    "holds": check_holds,
    "meter": check_meter,
}


def audit(sources: Sources, month: Month | None = None, progress: Progress = lambda _step, _done: None) -> Audit:
    """Make every check of the last twelve months that were billed, or of one.

    Nothing is written. A check for which something could not be asked is not made: nothing is judged on a part.

    Raises:
        UsageError: the month was not billed.
        LedgerError: the ledger cannot be read.
    """
    known = {each.month: each for each in sources.ledger.months.all()}
    look = sources.ledger.runs.last_look()
    months = _months(sources, known, month)
    checked: dict[str, int] = {}
    findings: list[Finding] = []
    told: list[str] = []
    not_made: dict[str, str] = {}
    if not months:
        return Audit(months, checked, (), ("no month was billed yet, so there is nothing to audit",), not_made)
    with Evidence(sources, months, month is not None, known, look.day if look else None, progress) as evidence:
        for name, check in _CHECKS.items():
            tally = Tally(name)
            progress(name, 0)
            try:
                check(evidence, tally)
            except (ServiceError, AdapterFault) as error:
                not_made[name] = redact(str(error))
            else:
                checked[name] = tally.checked
                findings += tally.findings
                told += tally.told
    return Audit(months, checked, tuple(findings), tuple(told), not_made)


def _months(sources: Sources, known: dict[Month, KnownMonth], only: Month | None) -> tuple[Month, ...]:
    """What was begun; a month that has ended since is the next run's to bill."""
    start = sources.settings.billing.start
    if only is None:
        return tuple([month for month in known if month >= start][-_MOST_MONTHS:])
    if only not in known:
        raise UsageError(f"{only} was not billed, so there is nothing to audit of it; `tollbridge run` bills it")
    return (only,)
