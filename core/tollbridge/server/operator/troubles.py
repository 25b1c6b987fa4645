"""What is wrong, on one screen: a line for each kind of trouble, the worst first, with the command that mends it."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from tollbridge.config import METER
from tollbridge.jobs.parts import Failure, Parts
from tollbridge.jobs.price_lists import another_list, running_month
from tollbridge.jobs.recheck import undecided
from tollbridge.jobs.unbilled import unbilled_words
from tollbridge.ledger.finder import FoundInvoice
from tollbridge.ledger.outbox import WEBHOOK
from tollbridge.ledger.runs import PastRun
from tollbridge.reference import month_and_client
from tollbridge.rules.calendar import Month, months_to_invoice
from tollbridge.rules.overdue import HoldReason
from tollbridge.server.operator.sheets import Badge, Column, Commands, Link, Told, Value, Words
from tollbridge.server.operator.writing import about, commands_for, commands_in
from tollbridge.usage.meter import gap_words, gaps_of

QUIET = timedelta(hours=26)
_AUDIT_EVERY = timedelta(days=15)
_PATIENCE = timedelta(days=2)  # a month that is over may be open for so long before something is wrong
_LOOKED_AT = 200
_JOBS = {"run", "sync", "invoice", "overdue"}
_NUMBERS = re.compile(r"\d+(?:[.,:]? ?\d+)*")
_DECIDE = ("tollbridge approve ", "tollbridge write-off ", "tollbridge overdue --confirm")
_SAY_WHOSE = "tollbridge hold "
_RUN = ("tollbridge run",)
_CHECK = ("tollbridge check",)

COLUMNS = (Column("trouble"), Column("count", right=True), Column("who"), Column("message"), Column("what_to_do"))


@attrs.frozen
class Trouble:
    """One kind of trouble.

    Attributes:
        kind: the text key of its name.
        count: of how many clients, invoices or other things it is.
        who: whom or what the first of them is about.
        words: what is said of it.
        commands: what mends it, or tells what to do.
        more: where all of them are, on this page or another of ours; empty: there are no more.
        bad: something does not go on, or is not right; else it waits for a human, or tells of something.
    """

    kind: str
    count: int
    who: str
    words: Value
    commands: tuple[str, ...]
    more: str = ""
    bad: bool = True

    @property
    def badge(self) -> Badge:
        """Its name."""
        return Badge(Words(f"trouble.{self.kind}"), "bad" if self.bad else "wait")


@attrs.frozen
class Endpoint:
    """What the price endpoint was asked since the server started, ``for_`` that long."""

    answered: int
    refused: int
    failed: int
    fetched: int
    unfetched: int
    for_: timedelta


class Troubles:
    """All that is wrong, from the ledger and the last runs' reports."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def find(self, now: datetime, runs: Sequence[PastRun], endpoint: Endpoint) -> list[Trouble]:
        """Every kind of trouble there is; whatever does not go on, or is not right, before what waits for a human."""
        reports = list(_reports(runs))
        living = [run for run in self._ledger.runs.living() if run.command in _JOBS]
        hanging = self._that_hang(now, living)
        decided = list(self.to_decide())
        found = [
            *_hanging(hanging),
            *self._totals(),
            *self._invoices(living, {run.id for run in hanging}),
            *self._open_months(now),
            *self._failures(reports, decided),
            *self._audit(now),
            *self._meter(now),
            *self._endpoint(endpoint),
            *_grouped("waiting", decided, _kind_of_decision),
            *self._locks(),
            *self._mails(),
            *self._prices(now),
            *_grouped("told", _told(reports), lambda _: "told"),
        ]
        return sorted(found, key=lambda each: not each.bad)

    def _that_hang(self, now: datetime, living: Sequence[PastRun]) -> list[PastRun]:
        """Runs that live, and do not go on with what they hold, or are at work for longer than a day."""
        ledger = self._ledger
        months = [each.month for each in ledger.months.all()] if living else []
        held = [*ledger.claims.held_by_the_frozen(0, months), *ledger.accounts.held_by_the_frozen(0)] if living else []
        frozen = {run_id for run_id, *_ in held}
        return [run for run in living if run.id in frozen or now - run.began_at > QUIET]

    def _totals(self) -> Iterator[Trouble]:
        if differing := self._ledger.claims.differing():
            named = month_and_client(differing[0])
            look = (f"tollbridge price {named[1]}",) if named else ()
            commands = (*look, "tollbridge approve totals --reason TEXT")
            words = Words("trouble.totals_stop" if len(differing) > 2 else "trouble.totals_told")
            yield Trouble("totals", len(differing), differing[0], words, commands, "#waiting-part")

    def _invoices(self, living: Sequence[PastRun], hanging: Collection[int]) -> Iterator[Trouble]:
        """Issued ones that are not right; refused ones; those whose outcome is not known, and those not sent yet."""
        finder = self._ledger.finder
        wrong, _ = finder.wrong(_LOOKED_AT)
        yield from _by_words("wrong", wrong)
        refused, _ = finder.refused(_LOOKED_AT)
        yield from _by_words("refused", refused)
        at_work = {run.id for run in living}.difference(hanging)
        nothing: tuple[list[FoundInvoice], int] = ([], 0)
        for kind, (found, count) in (
            ("doubtful", finder.doubtful(1, [run.id for run in living])),
            ("unsent", nothing if at_work else finder.unsent(1)),
        ):
            for first in found:
                since = first.sent_at if kind == "doubtful" else first.written_at
                said: Value = Told(first.problem) if first.problem else Words(f"trouble.{kind}_told", {"since": since})
                yield Trouble(kind, count, first.reference, said, _RUN, "#stuck-part")

    def _open_months(self, now: datetime) -> Iterator[Trouble]:
        """Months that are over and not closed: as a matter of course on the day after, and wrong after some."""
        billing = self._parts.settings.billing
        closed = {each.month for each in self._ledger.months.all() if each.closed_at is not None}
        ended = months_to_invoice(billing.start, now, billing.timezone, billing.settle)
        months = [month for month in ended if month not in closed]
        if months:
            since = months[0].next.start(billing.timezone)
            reading = self._ledger.readings.last(months[0])
            key = "unread" if reading is None else "open"
            late = now - since > billing.settle + _PATIENCE
            words = Words(f"trouble.month_{key}_told", {"month": months[0], "since": since})
            yield Trouble(f"month_{key}", len(months), str(months[0]), words, _RUN, "#stuck-part", bad=late)

    def _failures(self, reports: Sequence[dict[str, Any]], decided: Sequence[Failure]) -> Iterator[Trouble]:
        """What else failed in the last runs, put together by what is said of it."""
        told = {*(each.who for each in decided), *self._ledger.finder.with_problems()}
        failures = [each for each in self.still_so(_failures(reports)) if each.who not in told]
        yield from _grouped("failures", failures, _kind_of_failure)

    def last_failures(self, runs: Sequence[PastRun]) -> list[Failure]:
        """What failed in the last whole run, and in the parts of one that were run since."""
        return list(self.still_so(_failures(_reports(runs))))

    def still_so(self, failures: Iterable[Failure]) -> Iterator[Failure]:
        """Without what waited for somebody's word: of that the ledger knows by now whether it still does."""
        for each in failures:
            commands = commands_in(each.message)
            if any(command.startswith(_DECIDE) for command in commands):
                continue
            if commands and commands[0].startswith(_SAY_WHOSE) and self._is_explained(each):
                continue
            yield each

    def _is_explained(self, failure: Failure) -> bool:
        client_id = int(failure.who.removeprefix("client "))
        account = self._ledger.accounts.of_clients([client_id]).get(client_id)
        return account is None or account.explained

    def _audit(self, now: datetime) -> Iterator[Trouble]:
        last = self._ledger.runs.last_of("audit")
        command = ("tollbridge audit",)
        if last is None or last.report is None:
            if any(each.closed_at for each in self._ledger.months.all()):
                yield Trouble("audit_none", 1, "", Words("trouble.audit_none_told"), command, "books", bad=False)
            return
        findings, not_made = last.report["findings"], last.report["not_made"]
        by_check: dict[str, list[dict[str, str]]] = {}
        for each in findings:
            by_check.setdefault(each["check"], []).append(each)
        for check, found in by_check.items():
            first = found[0]
            said = Told(f"{first['found']}; expected: {first['expected']}. {first['what_to_do']}")
            what = commands_for(first["who"], first["what_to_do"]).lines
            kind = f"audit_{check}"
            yield Trouble(kind, len(found), first["who"], said, (*what, *command), "books#findings")
        for check, why in list(not_made.items())[:1]:
            yield Trouble("audit_unfinished", len(not_made), check, Told(why), (*_CHECK, *command), "books")
        if now - last.began_at > _AUDIT_EVERY:
            words = Words("trouble.audit_old_told", {"at": last.began_at})
            yield Trouble("audit_old", 1, "", words, command, "books", bad=False)

    def _meter(self, now: datetime) -> Iterator[Trouble]:
        """The bridge's own meter, where usage comes from it, or somebody once let it run."""
        settings, last = self._parts.settings.meter, self._ledger.meter.last()
        bills = self._parts.usage.name == METER
        if last is None and not bills:
            return
        if last is None or now - last > settings.longest_gap:
            silent = Words("trouble.meter_silent_told", {"since": last}) if last else Words("trouble.meter_never_told")
            yield Trouble("meter_silent", 1, "", silent, ("tollbridge meter",), "#feed", bad=bills)
        zone = self._parts.settings.billing.timezone
        month = Month.of(now, zone)
        for of in (month.previous, month) if last is not None else ():
            start, end = of.interval(zone)
            gaps = gaps_of(self._ledger, settings, start, min(end, now))
            over = [gap for gap in gaps if gap.since is not None and gap.until is not None]
            if over:
                words = Told(gap_words(over[0], settings))
                commands = (f"tollbridge usage --month {of}",)
                yield Trouble("meter_gaps", len(over), str(of), words, commands, "#feed", bad=bills)

    def _endpoint(self, asked: Endpoint) -> Iterator[Trouble]:
        if asked.failed or asked.unfetched:
            words = Words("today.endpoint_failed")
            yield Trouble("endpoint_failed", max(asked.failed, asked.unfetched), "", words, _CHECK, "#endpoint")
        if asked.refused and not asked.answered:
            words = Words("trouble.endpoint_refused_told")
            yield Trouble("endpoint_refused", asked.refused, "", words, ("tollbridge connect",), "#endpoint")
        elif asked.for_ > QUIET and not asked.answered:
            words = Words("trouble.endpoint_silent_told")
            yield Trouble("endpoint_silent", 1, "", words, ("tollbridge connect",), "#endpoint", bad=False)

    def to_decide(self) -> Iterator[Failure]:
        """What a human is to decide, with the commands that say so."""
        yield from undecided(self._ledger, with_tax=self._parts.settings.pricing.prices_include_tax)
        for month, user in self._ledger.readings.all_unbilled():
            yield Failure(f"user {user.user_id} in {month}", unbilled_words(month, user), waits=True)

    def _locks(self) -> Iterator[Trouble]:
        held_back = sorted({client for reason in HoldReason for client in self._ledger.accounts.held_back(reason)})
        if held_back:
            first = f"client {held_back[0]}"
            words, commands = Words("trouble.locks_told"), ("tollbridge overdue --confirm",)
            yield Trouble("locks", len(held_back), first, words, commands, "#waiting-part", bad=False)

    def _mails(self) -> Iterator[Trouble]:
        found = self._ledger.outbox.troubled(_LOOKED_AT)
        for kind, mails in (
            ("notices", [each for each in found if each.recipient == WEBHOOK]),
            ("mails", [each for each in found if each.recipient != WEBHOOK]),
        ):
            if mails:
                words = Told(mails[0].problem or "")
                yield Trouble(kind, len(mails), mails[0].recipient, words, _CHECK, "#stuck-part")

    def _prices(self, now: datetime) -> Iterator[Trouble]:
        month = running_month(self._parts, now)
        if differs := another_list(self._parts, month):
            yield Trouble("prices", 1, str(month), Told(differs), commands_in(differs), "prices", bad=False)


def _hanging(runs: Sequence[PastRun]) -> Iterator[Trouble]:
    for run in runs[:1]:
        words = Words("trouble.run_hangs_told", {"host": run.host, "since": run.began_at})
        yield Trouble("run_hangs", len(runs), f"run {run.id}", words, ("tollbridge runs",), "#runs-part")


def _reports(runs: Iterable[PastRun]) -> Iterator[dict[str, Any]]:
    """What the last whole run, and the parts of one that were run since, had to say."""
    for run in runs:
        if run.command not in _JOBS or not run.report:
            continue
        yield run.report
        if run.command == "run":
            return


def _failures(reports: Iterable[dict[str, Any]]) -> Iterator[Failure]:
    """What failed in them, each once."""
    told: set[Failure] = set()
    for report in reports:
        for each in report.get("failures", ()):
            failure = Failure(each["who"], each["message"])
            if failure not in told:
                told.add(failure)
                yield failure


def last_told(runs: Iterable[PastRun]) -> list[str]:
    """What the same had to say beside."""
    return [each.message for each in _told(list(_reports(runs)))]


def _told(reports: Sequence[dict[str, Any]]) -> list[Failure]:
    parts = ("accounts", "invoicing", "overdue")
    words = [each for report in reports for part in parts for each in report.get(part, {}).get("warnings", ())]
    return [Failure("", each) for each in dict.fromkeys(words)]


def _grouped(part: str, found: Sequence[Failure], kind_of: Callable[[Failure], str]) -> Iterator[Trouble]:
    """One for each thing that is said, whatever figures are in it; what is said of most comes first."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for each in found:
        kind = kind_of(each)
        said = "" if kind in _ONE_GROUP else _NUMBERS.sub("#", each.message)
        groups.setdefault((kind, said), []).append(each)
    for (kind, _), group in sorted(groups.items(), key=lambda each: -len(each[1])):
        first = group[0]
        commands = commands_for(first.who, first.message).lines if kind != "told" else commands_in(first.message)
        bad = part == "failures" and kind != "whose"
        yield Trouble(kind, len(group), first.who, Told(first.message), commands, f"#{part}-part", bad)


_ONE_GROUP = {"held", "corrections", "credits", "unbilled", "whose", "told"}


def _kind_of_decision(failure: Failure) -> str:
    if failure.who.startswith("user "):
        return "unbilled"
    if "--correction" in failure.message:
        return "corrections" if "tollbridge approve" in failure.message else "credits"
    return "held"


def _kind_of_failure(failure: Failure) -> str:
    if any(command.startswith(_SAY_WHOSE) for command in commands_in(failure.message)):
        return "whose"
    return "run_hangs" if "does not go on" in failure.message else "failed"


def _by_words(kind: str, found: Sequence[FoundInvoice]) -> Iterator[Trouble]:
    """Invoices put together by what is said of them."""
    failures = [Failure(each.reference, each.problem or "") for each in found]
    for group in _grouped("failures", failures, lambda _: kind):
        commands = tuple(dict.fromkeys((*group.commands, *_RUN)))
        yield attrs.evolve(group, commands=commands, more="#stuck-part")


def row(trouble: Trouble) -> Sequence[Value]:
    """A trouble as a row of its table."""
    count: Value = Link(trouble.count, trouble.more) if trouble.more else trouble.count
    return trouble.badge, count, about(trouble.who), trouble.words, Commands(trouble.commands)
