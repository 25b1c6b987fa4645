"""``worker``: help from another machine."""

import asyncio
from contextlib import closing

import typer

from tollbridge.cli.output import complain, say
from tollbridge.cli.session import Session
from tollbridge.distributed import must_be_installed
from tollbridge.errors import LedgerNewer, UsageError

_NEWER = 75


def worker(context: typer.Context) -> None:
    """Help runs send their invoices, on any number of machines; with `distributed.every`, start the daily job, too."""
    session: Session = context.obj
    settings = session.settings()
    if settings.distributed is None:
        if settings.ledger.url.reveal().startswith("sqlite"):
            raise UsageError(
                f"a worker needs a ledger that other machines can reach, and {settings.ledger.url} is a SQLite file:"
                " one machine needs no worker, `tollbridge run` does everything"
            )
        raise UsageError(
            "a worker needs the table [distributed] in bridge.toml, which every machine has; it may be empty"
        )
    must_be_installed()
    from tollbridge.distributed.worker import Worker, quiet_engine  # noqa: PLC0415 - needs what may not be there
    from tollbridge.ledger import Ledger  # noqa: PLC0415

    quiet_engine()
    try:
        with session.parts():
            pass  # the adapter can be made, and ledger and queue are up to date
        with closing(Ledger.open(settings.ledger.url)) as ledger:
            zone = settings.billing.timezone
            newer = asyncio.run(Worker(session.parts, ledger, say).run(settings.distributed.every, zone))
    except LedgerNewer as error:
        newer = error
    if newer is not None:
        complain(str(newer))
        raise typer.Exit(_NEWER)
