"""``meter``: one snapshot of the panel's servers, for the bridge's own meter."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from tollbridge.cli.output import complain, iso, print_json, say
from tollbridge.cli.session import AsJson, reader
from tollbridge.errors import UsageError
from tollbridge.fields import is_loopback
from tollbridge.jobs.clock import refuse_wrong_clock
from tollbridge.jobs.parts import Parts
from tollbridge.ledger.meter import Snapshot
from tollbridge.usage.snapshot import take_snapshot
from tollbridge.words import counted


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a moment like 2026-08-01T00:20:00Z") from None


def meter(
    context: typer.Context,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at", metavar="MOMENT", parser=reader(_moment),
            help="The moment that it pretends to be of, like 2026-08-01T00:20:00Z; only with a panel on this machine.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Look at all servers once, and keep what they are like: for billing without SolusIO's usage feed, or beside it."""
    with context.obj.parts() as parts:
        _refuse_pretending(parts, at)
        taken = take_snapshot(
            parts.ledger, parts.solus, at_once=parts.settings.solus.at_once, at=at, check_time=refuse_wrong_clock
        )
        too_long = taken.before is not None and taken.taken_at - taken.before > parts.settings.meter.longest_gap
    if as_json:
        print_json(_json(taken, too_long=too_long))
    else:
        changes = f"{taken.new:,} new, {taken.changed:,} changed, {taken.gone:,} gone"
        say(f"Snapshot of {iso(taken.taken_at)}: {counted(taken.servers, 'server')}, {changes}")
    if too_long:
        complain(
            f"The snapshot before was of {iso(taken.before)}, longer ago than meter.longest_gap_hours"
            f" ({parts.settings.meter.longest_gap_hours}): what it touches of a month cannot be billed from the meter."
        )


def _refuse_pretending(parts: Parts, at: datetime | None) -> None:
    if at is None:
        return
    if not is_loopback(urlsplit(parts.settings.solus.url).hostname or ""):
        raise UsageError("--at is for a panel on this machine, such as the sandbox: SolusIO tells the time itself")
    last = parts.ledger.meter.last()
    if last is not None and at < last:
        raise UsageError(f"--at {iso(at)} is before the meter's last snapshot, of {iso(last)}: time goes forwards only")


def _json(taken: Snapshot, *, too_long: bool) -> dict[str, Any]:
    return {
        "taken_at": iso(taken.taken_at),
        "before": iso(taken.before) or None,
        "gap_too_long": too_long,
        "servers": taken.servers,
        "new": taken.new,
        "changed": taken.changed,
        "gone": taken.gone,
    }
