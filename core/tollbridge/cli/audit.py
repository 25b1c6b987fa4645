"""``audit``: everything derived a second time from the sources."""

from contextlib import closing
from datetime import UTC, datetime

import typer

from tollbridge.audit import Audit, Finding, Sources
from tollbridge.audit import audit as make_audit
from tollbridge.cli.listing import Column, print_rows
from tollbridge.cli.notices import send_notices
from tollbridge.cli.output import complain, print_json, progress, say
from tollbridge.cli.session import AsJson, MonthOption
from tollbridge.errors import TollbridgeError
from tollbridge.jobs.notices import notify_of_findings
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Ledger
from tollbridge.words import counted

_COLUMNS = (
    Column("check"), Column("who", least=17), Column("expected", folds=True), Column("found", folds=True),
)  # fmt: skip


def audit(context: typer.Context, month: MonthOption = None, as_json: AsJson = False) -> None:
    """Derive the last twelve months, or one, a second time from the sources, and tell whatever differs.

    Exit 0 nothing differs, 1 something does, 3 something could not be asked.
    """
    began_at = datetime.now(UTC)
    with context.obj.parts(read_only=True) as parts, progress(quiet=as_json) as show:
        sources = Sources(parts.settings, parts.solus, parts.billing, parts.ledger, parts.usage)
        made = make_audit(sources, month, show)
        _keep(parts, began_at, made, complete=month is None and not made.not_made)
    if as_json:
        print_json(made.json())
        for words in made.told:
            complain(words)
    else:
        _print(made)
    for check, why in made.not_made.items():
        complain(f"{check} could not be checked: {why}")
    if made.not_made:
        raise typer.Exit(3)
    if made.findings:
        raise typer.Exit(1)


def _keep(parts: Parts, began_at: datetime, made: Audit, *, complete: bool) -> None:
    """Keep what it came to for the operator's pages, and tell what is new by [notify].

    Only now is the ledger opened to be written to; where it cannot be, that is said, and no more.
    """
    settings = parts.settings
    day = began_at.astimezone(settings.billing.timezone).date()
    found = [(f"{each.who} ({each.check})", _said(each)) for each in made.findings]
    try:
        with closing(Ledger.open(settings.ledger.url)) as ledger:
            ledger.runs.keep("audit", day, began_at, made.outcome, made.kept())
            if settings.notify is not None:
                notify_of_findings(ledger, settings.notify, found, complete=complete)
                send_notices(parts, ledger)
    except TollbridgeError as error:
        complain(f"This audit is not kept, for the operator's pages and for [notify]: {error}")


def _said(finding: Finding) -> str:
    return f"expected {finding.expected}, found {finding.found}: {finding.what_to_do}"


def _print(made: Audit) -> None:
    for words in made.told:
        say(words)
    if made.findings:
        print_rows(_COLUMNS, ([each.check, each.who, each.expected, each.found] for each in made.findings))
        for each in _different(made.findings):
            say(f"{each.who} ({each.check}): {each.what_to_do}")
    months = f"{made.months[0]} to {made.months[-1]}" if len(made.months) > 1 else "".join(map(str, made.months))
    if months:
        checked = ", ".join(f"{count:,} {check}" for check, count in made.checked.items())
        say(f"Checked of {months}: {checked or 'nothing'}.")
    if made.holds:
        say("Everything is as it should be.")
    elif made.findings:
        say(f"{counted(len(made.findings), 'difference')} found.")


def _different(findings: tuple[Finding, ...]) -> list[Finding]:
    """One for each thing there is to do."""
    return list({(each.check, each.who, each.what_to_do): each for each in findings}.values())
