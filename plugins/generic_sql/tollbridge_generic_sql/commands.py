"""``tollbridge generic-sql``: the commands this adapter brings along."""

from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from tollbridge import DatabaseUrl, Unavailable
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.database import open_database, reason
from tollbridge_generic_sql.preset import create_tables, metadata

app = typer.Typer(help="The generic_sql adapter's own commands.", no_args_is_help=True)


@app.callback()
def generic_sql() -> None:
    """The generic_sql adapter's own commands."""


@app.command()
def init(
    context: typer.Context,
    url: Annotated[str | None, typer.Argument(help="The database's URL; default: the one in bridge.toml.")] = None,
) -> None:
    """Create the adapter's own tables, for preset = "tollbridge"; what is there already stays, and gets what is new."""
    try:
        database = DatabaseUrl(url) if url else context.obj.adapter_settings(GenericSqlSettings).url
    except ValueError as error:
        raise typer.BadParameter(f"the database URL cannot be used: {error}") from None
    engine = open_database(database, create=True)
    try:
        create_tables(engine)
    except SQLAlchemyError as error:
        raise Unavailable(f"the database {database} cannot be used: {reason(error)}") from None
    finally:
        engine.dispose()
    typer.echo(f"The tables {', '.join(sorted(metadata.tables))} are in {database}.")
