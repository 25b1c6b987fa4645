"""Today: what the last runs did, what waits for somebody, what is stuck, the usage feed and the price endpoint."""

from collections.abc import Iterator, Sequence
from typing import Any

from tollbridge.config import METER
from tollbridge.jobs.parts import Failure, Parts
from tollbridge.jobs.price_lists import Clock, another_list, running_month
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
    Overview,
    Section,
    Sheet,
    Table,
    Told,
    Value,
    Words,
    rows_shown,
)
from tollbridge.server.operator.troubles import (
    COLUMNS,
    QUIET,
    Endpoint,
    Trouble,
    Troubles,
    last_told,
    row,
)
from tollbridge.server.operator.writing import about, commands_for, commands_in

_RUNS = 15
_MOST, _ALL = 25, 1_000_000
_FEW = 4
_LOOKUPS, _FETCHES = "tollbridge_price_lookups_total", "tollbridge_price_fetches_total"
_TO_DO = (Column("who"), Column("message"), Column("what_to_do"))


class Today:
    """The first page."""

    def __init__(self, parts: Parts, metrics: Metrics, clock: Clock) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._metrics = metrics
        self._troubles = Troubles(parts)
        self._began = clock()

    def sheet(self, asked: Asked) -> Sheet:
        """The page as of now."""
        runs = self._ledger.runs.last(_RUNS)
        endpoint = self._counts(asked)
        waiting = list(self._waiting())
        named = {each.who for each in waiting}
        failures = [each for each in self._troubles.last_failures(runs) if each.who not in named]
        stuck = [*self._open_months(asked), *self._unfinished(asked), *self._mails()]
        return Sheet("today", Words("today.title"), (
            Section("state", Words("today.state"), (
                _last_run(asked, runs), *_troubles(self._troubles.find(asked.now, runs, endpoint)),
            )),
            Section("waiting-part", Words("today.waiting"), (_to_do(asked, "waiting", waiting),)),
            Section("failures-part", Words("today.failures"), (_to_do(asked, "failures", failures),)),
            Section("stuck-part", Words("today.stuck"), (_stuck(asked, stuck),)),
            Section("told-part", Words("today.told"), (_told(asked, last_told(runs)),)),
            Section("runs-part", Words("today.runs"), (_runs(runs),)),
            Section("feed", Words("today.feed"), self._feed(asked)),
            Section("endpoint", Words("today.endpoint"), self._endpoint(asked, endpoint)),
        ))  # fmt: skip

    def _waiting(self) -> Iterator[Failure]:
        """What a human is to decide, with the commands that say so."""
        yield from self._troubles.to_decide()
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

    def _counts(self, asked: Asked) -> Endpoint:
        counts = self._metrics.counts()

        def lookups(first: str) -> int:
            return sum(n for (name, kind), n in counts.items() if name == _LOOKUPS and kind.startswith(first))

        unfetched = counts.get((_FETCHES, "failed"), 0)
        since_start = asked.now - self._began
        return Endpoint(
            lookups("2"), lookups("4"), lookups("5"), counts.get((_FETCHES, "ok"), 0), unfetched, since_start
        )

    def _endpoint(self, asked: Asked, counted: Endpoint) -> Sequence[Facts | Note]:
        month = running_month(self._parts, asked.now)
        kept = self._ledger.price_lists.find(month)
        listed = str(kept.prices) if kept else Words("today.no_list")
        rows: list[tuple[str, Value]] = [
            ("lookups", counted.answered), ("lookups_refused", counted.refused), ("lookups_failed", counted.failed),
            ("fetches", counted.fetched), ("fetches_failed", counted.unfetched), ("price_list", listed),
        ]  # fmt: skip
        parts: list[Facts | Note] = [Facts(rows)]
        if counted.failed or counted.unfetched:
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
    values: dict[str, Value] = {"run": str(last.id), "at": last.began_at, "command": _RUN}
    stopped = last.report and last.report.get("stopped_by")
    if last.outcome == "stopped":
        what = Commands(commands_in(str(stopped)) or ("tollbridge check",))
        return Note(Words("today.run_stopped", {**values, "why": Told(str(stopped)), "command": what}), "bad")
    if last.outcome == "died":
        return Note(Words("today.run_died", values), "bad")
    if asked.now - last.began_at > QUIET:
        return Note(Words("today.run_old", values), "bad")
    if last.outcome == "failures":
        return Note(Words("today.run_failed", values), "bad")
    return Note(Words("today.run_done", values), "good")


def _troubles(found: Sequence[Trouble]) -> Iterator[Overview | Table]:
    """All of them at a glance, if they are many, and a row for each."""
    ids = [f"trouble-{number}" for number in range(1, len(found) + 1)]
    if len(found) > _FEW:
        yield Overview("troubles", tuple(_at_a_glance(found, ids)))
    yield Table("troubles", COLUMNS, [row(each) for each in found], "today.no_trouble", row_ids=ids)


def _at_a_glance(found: Sequence[Trouble], ids: Sequence[str]) -> Iterator[tuple[Badge, int, str]]:
    """Each kind once, with where its first row is."""
    kinds: dict[str, list[tuple[Trouble, str]]] = {}
    for each, row_id in zip(found, ids, strict=True):
        kinds.setdefault(each.kind, []).append((each, row_id))
    for group in kinds.values():
        first, row_id = group[0]
        yield first.badge, sum(each.count for each, _ in group), row_id


def _told(asked: Asked, told: Sequence[str]) -> Table:
    shown, more = rows_shown(asked, [(Told(words),) for words in told], _MOST)
    return Table("run_told", (Column("run_told"),), shown, "today.no_told", more=more)


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
