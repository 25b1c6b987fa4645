"""What the operator is told without asking: what failed, what waits for a human, what an audit found; each once."""

import hashlib
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, Literal

import attrs
import orjson

from tollbridge.config import NotifySettings
from tollbridge.errors import PriceMismatch, UsageError
from tollbridge.jobs.parts import Failure
from tollbridge.jobs.reports import DailyReport
from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import WEBHOOK, Mail
from tollbridge.secret import redact

_RECENTLY = timedelta(days=2)
_SHOWN = 50
_NUMBERS = re.compile(r"\d+(?:[.,:]? ?\d+)*")
_TITLES = {
    "stopped": "Stopped",
    "died": "Died",
    "failure": "Failed",
    "approval": "Waits for you",
    "finding": "Found by the audit",
}

Kind = Literal["stopped", "died", "failure", "approval", "finding"]


@attrs.frozen
class Thing:
    """Something to be told, and whom or what it is about."""

    kind: Kind
    who: str
    message: str

    @property
    def key(self) -> str:
        """The same for the same trouble of the same client, whatever figures its message has by now."""
        words = _NUMBERS.sub("#", self.message)
        return hashlib.sha256(f"{self.kind}\n{self.who}\n{words}".encode(errors="replace")).hexdigest()


@attrs.frozen
class Occasion:
    """What found it: a command, and the run that it was, if it was one."""

    command: str
    run_id: int | None = None
    day: str | None = None
    outcome: str | None = None


def notify_of_run(
    ledger: Ledger, notify: NotifySettings, occasion: Occasion, report: DailyReport, *, only_part: bool
) -> None:
    """Put notices of what is new in a run's report into the outbox, and of runs that died without a word.

    ``only_part``: somebody has asked for one month alone, so what is not in the report may be so all the same.
    """
    dead = [
        Thing("died", f"run {run.id}", f"`tollbridge {run.command}` on {run.host} ended without a word")
        for run in ledger.runs.last(_SHOWN)
        if run.outcome == "died" and _is_recent(run.ended_at or run.began_at, ledger)
    ]
    complete = report.stopped_by is None and not report.invoicing.left and not only_part
    _notify(ledger, notify, occasion, [*_of(report), *dead], complete=complete)


def notify_of_findings(
    ledger: Ledger, notify: NotifySettings, findings: Iterable[tuple[str, str]], *, complete: bool
) -> None:
    """The same of what an audit found: who, and what is different; ``complete``: every check was made."""
    things = [Thing("finding", who, redact(words)) for who, words in findings]
    _notify(ledger, notify, Occasion("audit"), things, complete=complete)


def _of(report: DailyReport) -> Iterator[Thing]:
    stop = report.stopped_by
    if stop is not None and not isinstance(stop, UsageError):
        kind: Kind = "approval" if isinstance(stop, PriceMismatch) else "stopped"
        yield Thing(kind, "the run", redact(str(stop)))
    for failure in report.failures:
        yield _thing(failure)


def _thing(failure: Failure) -> Thing:
    return Thing("approval" if failure.waits else "failure", failure.who, failure.message)


def _is_recent(moment: datetime, ledger: Ledger) -> bool:
    with ledger.database.read() as connection:
        return moment > ledger.database.now(connection) - _RECENTLY


def _notify(
    ledger: Ledger, notify: NotifySettings, occasion: Occasion, things: Sequence[Thing], *, complete: bool
) -> None:
    by_key = {thing.key: thing for thing in things}

    def messages(new: frozenset[str]) -> Iterator[tuple[str, Mail]]:
        found = [thing for key, thing in by_key.items() if key in new]
        if notify.mail is not None:
            yield notify.mail, _mail(occasion, found)
        if notify.webhook is not None:
            yield WEBHOOK, Mail(occasion.command, orjson.dumps(_document(occasion, found)).decode(), "")

    ledger.told.tell(occasion.command, list(by_key), messages, complete=complete)


def _mail(occasion: Occasion, things: Sequence[Thing]) -> Mail:
    kinds = {kind: [thing for thing in things if thing.kind == kind] for kind in _TITLES}
    counts = [f"{title.lower()}: {len(kinds[kind])}" for kind, title in _TITLES.items() if kinds[kind]]
    by = f"`tollbridge {occasion.command}`"
    if occasion.run_id is not None:
        by += f", run {occasion.run_id} of {occasion.day},"
    lines = [f"New in {by} on {socket.gethostname()}:"]
    for kind, title in _TITLES.items():
        if kinds[kind]:
            lines += ["", f"{title}:", *(f"- {thing.who}: {thing.message}" for thing in kinds[kind][:_SHOWN])]
            if len(kinds[kind]) > _SHOWN:
                lines.append(f"- and {len(kinds[kind]) - _SHOWN:,} more")
    again = "tollbridge audit" if occasion.command == "audit" else "tollbridge runs"
    lines += ["", f"`{again}` tells all there is. You are told of each thing once, as long as it lasts."]
    text = "\n".join(_plain(line) for line in lines) + "\n"
    return Mail(f"Tollbridge: {', '.join(counts)}", text, f"<pre>{escape(text)}</pre>\n")


def _document(occasion: Occasion, things: Sequence[Thing]) -> dict[str, Any]:
    return {
        "command": occasion.command,
        "run": occasion.run_id,
        "date": occasion.day,
        "outcome": occasion.outcome,
        "host": socket.gethostname(),
        "new": [
            {"kind": each.kind, "who": _plain(each.who), "message": _plain(each.message)} for each in things[:_SHOWN]
        ],
        "more": max(0, len(things) - _SHOWN),
    }


def _plain(text: str) -> str:
    """Without halves of characters, which no mail and no JSON can hold."""
    return text.encode(errors="replace").decode()
