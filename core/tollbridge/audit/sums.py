"""``sums``: an entry's lines make its sums, at the net price that was shown in each line's month."""

from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally

_WHAT_TO_DO = (
    "compare it with the invoice in the billing system (`tollbridge explain {name}`): if that is right, the ledger was"
    " changed, so restore it from a backup (docs/operation.md); if not, correct the invoice there"
)


def check_sums(evidence: Evidence, tally: Tally) -> None:
    """Tell what did not add up when the entries were read."""
    evidence.read_books()
    tally.checked = evidence.added_up
    for reference, expected, found in evidence.wrong_sums:
        tally.find(reference, expected, found, _WHAT_TO_DO.format(name=reference))
