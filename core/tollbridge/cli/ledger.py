"""``ledger``: a ledger copied to another database, and proof that one is whole."""

from contextlib import closing
from typing import Annotated, Any

import typer

from tollbridge.cli.output import iso, out, print_json, progress, say, table
from tollbridge.cli.session import AsJson, reader
from tollbridge.ledger import Ledger
from tollbridge.ledger.copying import copy_ledger
from tollbridge.ledger.verifying import verify as verify_ledger
from tollbridge.secret import DatabaseUrl
from tollbridge.words import counted

ledger = typer.Typer(
    help="Copy a ledger to another database, and prove that one, or a backup, is whole.", no_args_is_help=True
)

_URL_HELP = "sqlite:///FILE or postgresql+psycopg://…; let PGPASSWORD or ~/.pgpass have the password."


@ledger.command()
def copy(
    source: Annotated[DatabaseUrl, typer.Argument(metavar="FROM", parser=reader(DatabaseUrl), help=_URL_HELP)],
    target: Annotated[
        DatabaseUrl,
        typer.Argument(metavar="TO", parser=reader(DatabaseUrl), help="The same, of a ledger with nothing in it."),
    ],
    as_json: AsJson = False,
) -> None:
    """Copy a whole ledger into an empty one, and compare them row by row. Nothing may use either meanwhile."""
    with progress(quiet=as_json) as tell:
        counts = copy_ledger(source, target, tell)
    if as_json:
        print_json({"from": str(source), "to": str(target), "tables": _json(counts)})
        return
    _print(counts)
    say(f"{counted(sum(counts.values()), 'row')} copied to {target}, and each is there as it was.")
    say("Name it as ledger.url in bridge.toml, and let nothing use the old one any more.")


@ledger.command()
def verify(
    context: typer.Context,
    url: Annotated[
        DatabaseUrl | None,
        typer.Argument(
            metavar="[URL]", parser=reader(DatabaseUrl), help=f"A backup: {_URL_HELP} Default: bridge.toml's ledger."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read every row of a ledger, or of a backup, and tell what does not belong together.

    Exit 0 it is whole, 1 something is wrong, 3 it cannot be read.
    """
    if url is None:
        with context.obj.ledger() as (settings, opened):
            found, shown = verify_ledger(opened), settings.ledger.url
    else:
        with closing(Ledger.open(url, read_only=True)) as opened:
            found, shown = verify_ledger(opened), url
    if as_json:
        print_json({
            "ledger": str(shown), "revision": found.revision, "last_event": iso(found.last_event) or None,
            "holds": not found.problems, "tables": _json(found.tables), "problems": found.problems,
        })  # fmt: skip
    else:
        _print(found.tables)
        for problem in found.problems:
            say(problem)
        last = f"changed last at {iso(found.last_event)}" if found.last_event else "nothing was ever done with it"
        say(f"{shown}: revision {found.revision}, {last}.")
        say("It is whole." if not found.problems else f"{counted(len(found.problems), 'problem')} found.")
    if found.problems:
        raise typer.Exit(1)


def _print(counts: dict[str, int]) -> None:
    made = table("", "table", "rows", right=("rows",))
    for name, count in counts.items():
        made.add_row(name, f"{count:,}")
    out.print(made)


def _json(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"table": name, "rows": count} for name, count in counts.items()]
