"""Today: what the last runs did, what waits for somebody, what is stuck, the usage feed and the price endpoint."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tollbridge.config import METER
from tollbridge.jobs.parts import Failure, Parts
from tollbridge.jobs.price_lists import another_list, running_month
from tollbridge.jobs.recheck import undecided
from tollbridge.jobs.unbilled import unbilled_words
from tollbridge.ledger.runs import PastRun
from tollbridge.rules.calendar import months_to_invoice
from tollbridge.rules.overdue import HoldReason
from tollbridge.server.metrics import Metrics
from tollbridge.server.operator.sheets import (
    Asked,
    Badge,
    Column,
    Commands,
    Facts,
    Note,
    Section,
    Sheet,
    Table,
    Told,
    Value,
    Words,
    rows_shown,
)
from tollbridge.server.operator.writing import about, commands_for

_RUNS = 15
_MOST, _ALL = 25, 1_000_000
_JOBS = {"run", "sync", "invoice", "overdue"}
_QUIET = timedelta(hours=26)
_LOOKUPS, _FETCHES = "tollbridge_price_lookups_total", "tollbridge_price_fetches_total"
_TO_DO = (Column("who"), Column("message"), Column("what_to_do"))


class Today:
    """The first page."""

    def __init__(self, parts: Parts, metrics: Metrics) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._metrics = metrics

    def sheet(self, asked: Asked) -> Sheet:
        """The page as of now."""
        runs = self._ledger.runs.last(_RUNS)
        waiting = list(self._waiting())
        named = {each.who for each in waiting}
        failures = [each for each in _failures(runs) if each.who not in named]
        stuck = [*self._open_months(asked), *self._unfinished(asked), *self._mails()]
        return Sheet("today", Words("today.title"), (
            Section("state", Words("today.state"), self._notes(asked, runs, waiting, failures, stuck)),
            Section("waiting-part", Words("today.waiting"), (_to_do(asked, "waiting", waiting),)),
            Section("failures-part", Words("today.failures"), (_to_do(asked, "failures", failures),)),
            Section("stuck-part", Words("today.stuck"), (_stuck(asked, stuck),)),
            Section("runs-part", Words("today.runs"), (_runs(runs),)),
            Section("feed", Words("today.feed"), self._feed(asked)),
            Section("endpoint", Words("today.endpoint"), self._endpoint(asked)),
        ))  # fmt: skip

    def _notes(
        self,
        asked: Asked,
        runs: Sequence[PastRun],
        waiting: Sequence[Failure],
        failures: Sequence[Failure],
        stuck: Sequence[object],
    ) -> Sequence[Note]:
        notes = [_last_run(asked, runs)]
        for count, key in ((len(waiting), "waiting"), (len(failures), "failing"), (len(stuck), "standing")):
            if count:
                notes.append(Note(Words(f"today.{key}_{'one' if count == 1 else 'many'}", {"count": count}), "wait"))
        return notes

    def _waiting(self) -> Iterator[Failure]:
        """What a human is to decide, with the commands that say so."""
        yield from undecided(self._ledger, self._parts.settings.pricing)
        for month, user in self._ledger.readings.all_unbilled():
            yield Failure(f"user {user.user_id} in {month}", unbilled_words(month, user))
        held_back = {client for reason in HoldReason for client in self._ledger.accounts.held_back(reason)}
        if held_back:
            yield Failure(
                "locks",
                f"{len(held_back):,} users would be locked or suspended, more than a run does by itself. If that is"
                " right: `tollbridge overdue --confirm`",
            )
        if differing := self._ledger.claims.differing():
            yield Failure(
                "totals",
                f"{', '.join(differing[:_MOST])} came to another total than was shown: find out why, then"
                " `tollbridge approve totals --reason TEXT`",
            )

    # What is stuck

    def _open_months(self, asked: Asked) -> Iterator[Sequence[Value]]:
        billing = self._parts.settings.billing
        closed = {each.month for each in self._ledger.months.all() if each.closed_at is not None}
        for month in months_to_invoice(billing.start, asked.now, billing.timezone, billing.settle):
            if month not in closed:
                since = month.next.start(billing.timezone)
                yield month, Badge(Words("state.open"), "wait"), since, Words("today.open_month"), _RUN

    def _unfinished(self, asked: Asked) -> Iterator[Sequence[Value]]:
        finder, most = self._ledger.finder, _ALL if asked.whole else _MOST
        (unfinished, count), (wrong, others) = finder.unfinished(most), finder.wrong(most)
        for each in unfinished:
            what = Commands((f"tollbridge explain {each.reference}",)) if each.problem else _RUN
            since = each.sent_at or each.written_at
            yield (
                about(each.reference),
                Badge(Words(f"state.{each.state}"), "wait"),
                since,
                Told(each.problem or ""),
                what,
            )
        for each in wrong:
            what = Commands((f"tollbridge explain {each.reference}",))
            yield (
                about(each.reference),
                Badge(Words("state.wrong"), "bad"),
                each.issued_at,
                Told(each.problem or ""),
                what,
            )
        if (more := count + others - len(unfinished) - len(wrong)) > 0:
            words = Words("today.more_unfinished", {"count": more})
            yield words, None, None, None, Commands(("tollbridge invoices --state written",))

    def _mails(self) -> Iterator[Sequence[Value]]:
        for mail in self._ledger.outbox.troubled(_MOST):
            refused = mail.state == "refused"
            state = Badge(
                Words("state.mail_refused" if refused else "state.mail_waiting"), "bad" if refused else "wait"
            )
            yield mail.recipient, state, mail.created_at, Told(mail.problem or ""), None

    # The feed and the endpoint

    def _feed(self, asked: Asked) -> Sequence[Facts | Note]:
        months = self._ledger.months.all()
        last = self._ledger.readings.newest()
        source = self._parts.usage.name
        rows: list[tuple[str, Value]] = [("source", source)]
        if last is not None:
            month, reading = last
            rows += [
                ("read_at", reading.read_at), ("read_month", month), ("read_users", reading.users),
                ("read_tokens", reading.tokens),
            ]  # fmt: skip
        snapshot = self._ledger.meter.last()
        if snapshot is not None:
            rows.append(("snapshot_at", snapshot))
        parts: list[Facts | Note] = [Facts(rows)]
        gap = self._parts.settings.meter.longest_gap
        if (source == METER or snapshot is not None) and (snapshot is None or asked.now - snapshot > gap):
            parts.append(Note(Words("today.no_snapshot"), "bad"))
        if last is None:
            parts.append(Note(Words("today.never_read" if not months else "today.not_kept")))
        return parts

    def _endpoint(self, asked: Asked) -> Sequence[Facts | Note]:
        counts = _counts(self._metrics.text().decode())

        def lookups(first: str) -> int:
            return sum(n for (name, kind), n in counts.items() if name == _LOOKUPS and kind.startswith(first))

        failed, unfetched = lookups("5"), counts.get((_FETCHES, "failed"), 0)
        month = running_month(self._parts, asked.now)
        kept = self._ledger.price_lists.find(month)
        listed = str(kept.prices) if kept else Words("today.no_list")
        rows: list[tuple[str, Value]] = [
            ("lookups", lookups("2")), ("lookups_refused", lookups("4")), ("lookups_failed", failed),
            ("fetches", counts.get((_FETCHES, "ok"), 0)), ("fetches_failed", unfetched), ("price_list", listed),
        ]  # fmt: skip
        parts: list[Facts | Note] = [Facts(rows)]
        if failed or unfetched:
            parts.append(Note(Words("today.endpoint_failed"), "wait"))
        if differs := another_list(self._parts, month):
            parts.append(Note(Told(differs), "wait"))
        return parts


_RUN = Commands(("tollbridge run",))


def _last_run(asked: Asked, runs: Sequence[PastRun]) -> Note:
    """How the last run of the daily job ended, in one sentence."""
    last = next((run for run in runs if run.command == "run" and run.outcome), None)
    if last is None:
        return Note(Words("today.no_run"), "wait")
    values: dict[str, Value] = {"run": str(last.id), "at": last.began_at}
    stopped = last.report and last.report.get("stopped_by")
    if last.outcome == "stopped":
        return Note(Words("today.run_stopped", {**values, "why": Told(str(stopped))}), "bad")
    if last.outcome == "died":
        return Note(Words("today.run_died", values), "bad")
    if asked.now - last.began_at > _QUIET:
        return Note(Words("today.run_old", values), "bad")
    if last.outcome == "failures":
        return Note(Words("today.run_failed", values), "bad")
    return Note(Words("today.run_done", values), "good")


def _failures(runs: Iterable[PastRun]) -> Iterator[Failure]:
    """What failed in the last whole run, and in the parts of one that were run since."""
    told: set[Failure] = set()
    for run in runs:
        if run.command not in _JOBS or not run.report:
            continue
        for each in run.report.get("failures", ()):
            failure = Failure(each["who"], each["message"])
            if failure not in told:
                told.add(failure)
                yield failure
        if run.command == "run":
            return


def _to_do(asked: Asked, name: str, failures: Sequence[Failure]) -> Table:
    rows = [(about(each.who), Told(each.message), commands_for(each.who, each.message)) for each in failures]
    shown, more = rows_shown(asked, rows, _MOST)
    return Table(name, _TO_DO, shown, f"today.no_{name}", more=more)


def _stuck(asked: Asked, rows: Sequence[Sequence[Value]]) -> Table:
    columns = (Column("who"), Column("state"), Column("since"), Column("message"), Column("what_to_do"))
    shown, more = rows_shown(asked, rows, _MOST)
    return Table("stuck", columns, shown, "today.no_stuck", more=more)


_OUTCOMES = {"done": "good", "failures": "bad", "stopped": "bad", "died": "bad"}


def _runs(runs: Sequence[PastRun]) -> Table:
    columns = (
        Column("run", right=True), Column("command"), Column("began_at"), Column("seconds", right=True),
        Column("outcome"), Column("failed", right=True), Column("host"),
    )  # fmt: skip
    rows = [
        (
            str(run.id), run.command, run.began_at, _seconds(run), _outcome(run), _failed(run.report), run.host,
        )
        for run in runs
    ]  # fmt: skip
    return Table("runs", columns, rows, "today.no_run")


def _seconds(run: PastRun) -> Value:
    if run.ended_at is None:
        return None
    return int((run.ended_at - run.began_at).total_seconds())


def _outcome(run: PastRun) -> Badge:
    return Badge(Words(f"outcome.{run.outcome or 'at_work'}"), _OUTCOMES.get(run.outcome or "", "wait"))


def _failed(report: dict[str, Any] | None) -> int | None:
    if not report:
        return None
    return len(report.get("failures") or report.get("findings") or ())


def _counts(text: str) -> dict[tuple[str, str], int]:
    """The counters of look-ups and fetches, by name and the one label they have."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): int(Decimal(sample.value))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("tollbridge_price_") and sample.name.endswith("_total")
    }
