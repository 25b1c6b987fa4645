"""What every command has at hand: where bridge.toml is, and the options they share."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import attrs
import typer

from tollbridge.errors import UsageError
from tollbridge.rules.calendar import Month

if TYPE_CHECKING:
    from tollbridge.config import Settings
    from tollbridge.jobs.parts import Parts
    from tollbridge.ledger import Ledger

Value = TypeVar("Value")

_MORE_THAN_ANY = 2**63  # a database has no such number


@attrs.frozen
class Session:
    """One call of ``tollbridge``."""

    config: Path

    @contextmanager
    def parts(self, *, read_only: bool = False) -> "Iterator[Parts]":
        """All parts of the bridge, built from bridge.toml and closed at the end; ``read_only``: the ledger is.

        Else the ledger is up to date, and so is the queue, where there is one.
        """
        from tollbridge.bridge import bridge  # noqa: PLC0415 - slow to import, and not needed for --help

        with bridge(self.config, read_only=read_only) as parts:
            if parts.settings.distributed is not None and not read_only:
                from tollbridge.distributed import bring_queue_up_to_date  # noqa: PLC0415

                bring_queue_up_to_date(parts.ledger)
            yield parts

    def settings(self) -> "Settings":
        """bridge.toml's settings, for a command that has to know them first."""
        from tollbridge.bridge import read_settings  # noqa: PLC0415

        return read_settings(self.config)[0]

    @contextmanager
    def ledger(self) -> "Iterator[tuple[Settings, Ledger]]":
        """The settings and the ledger, only to be read, for a command that needs nothing else."""
        from tollbridge.bridge import read_settings  # noqa: PLC0415
        from tollbridge.ledger import Ledger  # noqa: PLC0415

        settings, _own = read_settings(self.config)
        with closing(Ledger.open(settings.ledger.url, read_only=True)) as ledger:
            yield settings, ledger

    def adapter_settings(self, kind: type[Value]) -> Value:
        """The adapter's own settings from bridge.toml, for a command that an adapter brings along.

        Raises:
            UsageError: bridge.toml names another adapter.
        """
        from tollbridge.bridge import read_settings  # noqa: PLC0415

        settings, own = read_settings(self.config)
        if not isinstance(own, kind):
            raise UsageError(f"{self.config} uses the adapter {settings.adapter}, which this command is not for")
        return own


def reader(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """``parse`` for an option: what it refuses by ValueError is bad usage."""

    def read(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return read


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise ValueError(f"{text!r} is not a date like 2026-08-01") from None


def _client(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a client's id") from None
    if abs(number) >= _MORE_THAN_ANY:
        raise ValueError(f"no client has the id {text}")
    return number


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing anywhere.")]
Day = Annotated[
    date | None,
    typer.Option(
        "--date", metavar="D", parser=reader(_day), help="The day to run for, like 2026-08-01; default: today."
    ),
]


def month_option(name: str, words: str) -> Any:
    """An option that takes a month."""
    return typer.Option(name, metavar="M", parser=reader(Month.parse), help=words)


MonthOption = Annotated[Month | None, month_option("--month", "A month like 2026-07.")]
NeededMonth = Annotated[Month, month_option("--month", "A month like 2026-07.")]
ClientOption = Annotated[
    int | None,
    typer.Option("--client", metavar="N", parser=reader(_client), help="A client's id in the billing system."),
]
Since = Annotated[
    date | None,
    typer.Option("--since", metavar="D", parser=reader(_day), help="From this day on, like 2026-08-01."),
]
