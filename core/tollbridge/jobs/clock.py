"""This machine's clock against SolusIO's: by a wrong one months end too soon, and people are locked too soon."""

from datetime import UTC, datetime, timedelta

from tollbridge.errors import ClockWrong
from tollbridge.solus import Solus

_MOST_DIFFERENCE = timedelta(minutes=5)


def compare_clocks(solus: Solus) -> str:
    """What comparing them found, in words; ClockWrong if they are more than five minutes apart.

    A panel that does not tell its time is compared with nothing.
    """
    theirs = solus.time()
    if theirs is None:
        return "SolusIO does not tell its time, so this machine's is taken as it is"
    refuse_wrong_clock(theirs)
    return "as SolusIO's"


def refuse_wrong_clock(theirs: datetime) -> None:
    """ClockWrong if SolusIO's time is more than five minutes away from this machine's."""
    ours = datetime.now(UTC)
    if abs(theirs - ours) > _MOST_DIFFERENCE:
        raise ClockWrong(
            f"this machine's clock says {ours:%Y-%m-%d %H:%M} UTC, and SolusIO's {theirs:%Y-%m-%d %H:%M}: nothing is"
            " closed and nobody is locked before the wrong one of them is set right"
        )
