"""``runs``: what the last runs did."""

from typing import Annotated, Any

import typer

from tollbridge.cli.output import complain, iso, out, print_json, table
from tollbridge.cli.session import AsJson
from tollbridge.ledger.runs import PastRun

_SHOWN_FAILURES = 5


def runs(
    context: typer.Context,
    most: Annotated[int, typer.Option("--most", min=1, help="How many runs to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The last runs, newest first, with what failed."""
    with context.obj.ledger() as (_settings, ledger):
        found = ledger.runs.last(most, workers=True)
    if as_json:
        print_json([_json(run) for run in found])
        return
    made = table("", "run", "command", "began", "took", "outcome", "failures", right=("run", "took", "failures"))
    for run in found:
        failures = _failures(run)
        made.add_row(
            str(run.id), _command(run), iso(run.began_at), _took(run), run.outcome or "at work",
            str(len(failures)) if run.report else "",
        )  # fmt: skip
    out.print(made)
    last = next((run for run in found if run.helps is None), None)
    if last is not None and last.report:
        _tell(last)


def _command(run: PastRun) -> str:
    """What it did; a worker's share of a run is told as that."""
    return run.command if run.helps is None else f"{run.command} for {run.helps}"


def _tell(run: PastRun) -> None:
    """What the last run could not do."""
    failures = _failures(run)
    for failure in failures[:_SHOWN_FAILURES]:
        complain(f"{failure['who']}: {failure['message']}")
    if len(failures) > _SHOWN_FAILURES:
        complain(f"… and {len(failures) - _SHOWN_FAILURES} more (--json lists all)")
    if run.report and run.report.get("stopped_by"):
        complain(run.report["stopped_by"])


def _failures(run: PastRun) -> list[dict[str, str]]:
    """What a run could not do; of an audit, what it found."""
    report = run.report or {}
    found = ({"who": each["who"], "message": each["what_to_do"]} for each in report.get("findings", ()))
    return [*report.get("failures", ()), *found]


def _took(run: PastRun) -> str:
    if run.ended_at is None:
        return ""
    seconds = int((run.ended_at - run.began_at).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def _json(run: PastRun) -> dict[str, Any]:
    return {
        "run": run.id,
        "command": run.command,
        "helps": run.helps,
        "host": run.host,
        "date": iso(run.day),
        "began_at": iso(run.began_at),
        "ended_at": iso(run.ended_at) or None,
        "outcome": run.outcome,
        "report": run.report,
    }
