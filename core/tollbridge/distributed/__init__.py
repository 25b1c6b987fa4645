"""Several machines: runs ask workers for help, and workers start the daily job when it is due.

Procrastinate, a queue in PostgreSQL, brings them together. Nothing outside of this package knows that, so that another
engine could; what is billed is decided by the ledger's claims, whatever engine there is.
"""

from tollbridge.errors import ConfigError
from tollbridge.jobs.crew import Ask, Crew
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Ledger

MISSING = "needs a library: run pip install '.[distributed]' in the folder with Tollbridge's pyproject.toml"


def is_installed() -> bool:
    """Whether this machine has what workers need."""
    try:
        import procrastinate  # noqa: F401, PLC0415 - slow to import, and optional
    except ImportError:
        return False
    return True


def must_be_installed() -> None:
    """Raise ConfigError unless this machine has what workers need."""
    if not is_installed():
        raise ConfigError("[distributed]", [MISSING])


def bring_queue_up_to_date(ledger: Ledger) -> None:
    """Create or change the queue's tables, if this machine knows how; LedgerError if it may not."""
    if is_installed():
        from tollbridge.distributed.tables import bring_up_to_date  # noqa: PLC0415

        bring_up_to_date(ledger.database)


def crew_of(parts: Parts) -> Crew:
    """How a run started by hand works together with workers; without ``[distributed]`` it works alone."""
    return Crew(ask=ask_for_help(parts)) if parts.settings.distributed is not None else Crew()


def ask_for_help(parts: Parts) -> Ask | None:
    """How a run asks workers; None if this machine cannot."""
    if not is_installed():
        return None
    from tollbridge.distributed.queue import Queue  # noqa: PLC0415

    return Queue(parts.ledger).asked
