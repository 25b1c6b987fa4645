"""Books: what the last audit found, and where each month's tokens have gone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

import attrs

from tollbridge.jobs.parts import Parts
from tollbridge.ledger.runs import PastRun
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import CorrectionState
from tollbridge.rules.entry import State
from tollbridge.server.operator.months_memory import MonthsMemory
from tollbridge.server.operator.sheets import (
    Asked,
    Badge,
    Bar,
    Chart,
    Column,
    Commands,
    Note,
    Part,
    Section,
    Sheet,
    Table,
    Told,
    Words,
    rows_shown,
)
from tollbridge.server.operator.writing import about, commands_for

_MOST_BARS = 24
_MOST_FINDINGS = 100


@attrs.define
class Places:
    """Where the tokens of one month are.

    Attributes:
        reported: what the source reported when it was read last; None: that was not kept.
        invoiced: on issued invoices of the month itself.
        later: on a later invoice, since they were carried.
        carried: waiting for a later invoice.
        to_send: on invoices that are not sent yet.
        nothing: without anything to pay.
        corrected: more, or fewer, that were corrected afterwards or are going to be.
        written_off: let be by a human, corrections and users without a client included.
        unbilled: of users without a client.
    """

    reported: int | None = None
    invoiced: int = 0
    later: int = 0
    carried: int = 0
    to_send: int = 0
    nothing: int = 0
    corrected: int = 0
    written_off: int = 0
    unbilled: int = 0

    @property
    def left(self) -> int | None:
        """What is in none of these places; less than 0: what is billed, and not reported any more."""
        if self.reported is None:
            return None
        return self.reported - sum(int(getattr(self, name)) for name in PLACES)


PLACES = ("invoiced", "later", "carried", "to_send", "nothing", "corrected", "written_off", "unbilled")
_CHARTED = ("invoiced", "later", "to_send", "nothing", "unbilled")
_PLACE_OF = {
    State.ISSUED: "invoiced", State.CARRIED: "carried", State.NOTHING: "nothing", State.WRITTEN: "to_send",
    State.SENDING: "to_send",
}  # fmt: skip


class Books:
    """The second page."""

    def __init__(self, parts: Parts, memory: MonthsMemory) -> None:
        self._ledger = parts.ledger
        self._memory = memory

    def sheet(self, asked: Asked) -> Sheet:
        """The page as of now."""
        places = self.places()
        return Sheet("books", Words("books.title"), (
            Section("audit", Words("books.audit"), _audit(asked, self._ledger.runs.last_of("audit"))),
            Section("places-part", Words("books.places"), tuple(_places(places))),
        ))  # fmt: skip

    def places(self) -> dict[str, Places]:
        """By month, where its tokens are."""
        sums, found = self._ledger.sums, defaultdict[str, Places](Places)
        for each in self._memory.sums():
            _add(found[each.month], _PLACE_OF[each.state], each.tokens)
        for taken in sums.taken_in_tokens():
            _add(found[taken.month], "carried", -taken.tokens)
            _add(found[taken.month], "later", taken.tokens)
            _add(found[taken.into], _PLACE_OF[taken.state], -taken.tokens)
        for month, tokens in sums.written_off_tokens().items():
            _add(found[month], "nothing", -tokens)
            _add(found[month], "written_off", tokens)
        for corrected in sums.corrected_tokens():
            refused = corrected.state is CorrectionState.REFUSED
            _add(found[corrected.month], "written_off" if refused else "corrected", corrected.tokens)
            if corrected.taken_in is not None:
                _add(found[corrected.taken_in.into], _PLACE_OF[corrected.taken_in.state], -corrected.tokens)
        for of_month, user in self._ledger.readings.all_unbilled():
            found[str(of_month)].unbilled += user.tokens
        for name in list(found):
            let_be = self._ledger.readings.let_be(Month.parse(name))
            found[name].written_off += sum(user.tokens for user in let_be)
        for month, tokens in sums.reported_tokens().items():
            found[month].reported = tokens
        return {month: found[month] for month in sorted(found)}


def _add(places: Places, name: str, tokens: int) -> None:
    setattr(places, name, getattr(places, name) + tokens)


def _places(places: dict[str, Places]) -> Iterator[Part]:
    months = [(Month.parse(name), of) for name, of in places.items()]
    if months:
        yield Chart(
            "tokens", Words("books.chart"), tuple(f"column.{name}" for name in _CHARTED),
            [Bar(month, [Decimal(tokens) for tokens in _charted(of)]) for month, of in months[-_MOST_BARS:]],
            Words("chart.tokens"),
        )  # fmt: skip
    columns = [Column("month"), *(Column(name, right=True) for name in ("reported", *PLACES, "left"))]
    rows = [
        (month, of.reported, *(getattr(of, name) or None for name in PLACES), of.left) for month, of in reversed(months)
    ]
    yield Table("places", columns, rows, "books.no_month")
    yield Note(Words("books.places_told"))


def _charted(of: Places) -> tuple[int, ...]:
    """Five parts that can be told apart; the table has them all."""
    return (
        of.invoiced, of.later + max(of.corrected, 0), of.to_send + of.carried, of.nothing + of.written_off, of.unbilled,
    )  # fmt: skip


def _audit(asked: Asked, run: PastRun | None) -> Sequence[Part]:
    if run is None or run.report is None:
        return (Note(Words("books.no_audit", {"command": Commands(("tollbridge audit",))}), "wait"),)
    report, findings = run.report, run.report["findings"]
    months = report["months"]
    values = {
        "at": run.ended_at, "count": len(findings), "first": Month.parse(months[0]) if months else "",
        "last": Month.parse(months[-1]) if months else "",
    }  # fmt: skip
    key = "holds" if report["holds"] else "differs" if findings else "unfinished"
    parts: list[Part] = [Note(Words(f"books.audit_{key}", values), "good" if report["holds"] else "bad")]
    parts += [
        Note(Words("books.not_made", {"check": Words(f"check.{check}"), "why": Told(why)}), "wait")
        for check, why in report["not_made"].items()
    ]
    rows = [
        (
            about(each["who"]), _check(each["check"]), Told(each["expected"]), Told(each["found"]),
            Told(each["what_to_do"]), commands_for(each["who"], each["what_to_do"]),
        )
        for each in findings
    ]  # fmt: skip
    shown, more = rows_shown(asked, rows, _MOST_FINDINGS)
    columns = ("who", "check", "expected", "found", "advice", "what_to_do")
    if findings:
        parts.append(Table("findings", [Column(name) for name in columns], shown, more=more))
    if report["told"]:
        told, others = rows_shown(asked, [(Told(words),) for words in report["told"]], _MOST_FINDINGS)
        parts.append(Table("told", (Column("told"),), told, more=others))
    checked = [(_check(check), count) for check, count in report["checked"].items()]
    parts.append(Table("checked", (Column("check"), Column("checked", right=True)), checked))
    return parts


def _check(name: str) -> Badge:
    """A check by its name; in the CSV it has the one that ``tollbridge audit`` calls it by."""
    return Badge(Words(f"check.{name}"))
