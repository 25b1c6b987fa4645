"""Numbers for Prometheus: of this server, added up over all its worker processes, and of the ledger."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tollbridge.config import Settings
from tollbridge.errors import LedgerError
from tollbridge.kept import Freshness, Kept
from tollbridge.ledger import Ledger
from tollbridge.ledger.figures import Figures, Waiting
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.usage.meter import gaps_of

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
READ_EVERY_SECONDS = 60.0

_log = structlog.get_logger("tollbridge.server")

Sample = tuple[list[str], float]


class LedgerNumbers(Collector):
    """What the ledger holds, read at most once a minute however often it is scraped.

    While the ledger cannot be used only that is told: old figures would look like good news.
    """

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._kept = Kept(lambda: [*self._read()], Freshness(READ_EVERY_SECONDS))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All of them."""
        try:
            figures, up = self._kept.get(), 1
        except LedgerError as error:
            _log.warning("no figures of the ledger", reason=str(error))
            figures, up = [], 0
        yield _gauge("tollbridge_ledger_up", "Whether the ledger can be read", up)
        yield from figures

    def _read(self) -> Iterator[GaugeMetricFamily]:
        ledger, settings = self._ledger, self._settings
        now, zone = datetime.now(UTC), settings.billing.timezone
        figures = ledger.figures(now.astimezone(zone).date())
        yield from self._books(figures)
        yield from _runs(figures)
        yield from _people(figures)
        yield from _messages(figures)
        if figures.last_snapshot is not None:
            start = Month.of(now, zone).start(zone)
            gaps = [gap for gap in gaps_of(ledger, settings.meter, start, now) if gap.since is not None]
            yield _gauge(
                "tollbridge_meter_last_snapshot_timestamp_seconds",
                "When the meter looked at all servers last",
                figures.last_snapshot.timestamp(),
            )
            yield _gauge(
                "tollbridge_meter_gaps",
                "Times of this month without a snapshot that are longer than meter.longest_gap_hours",
                len(gaps),
            )
        yield _gauge(
            "tollbridge_figures_read_timestamp_seconds", "When these figures were read from the ledger", time.time()
        )

    def _books(self, figures: Figures) -> Iterator[GaugeMetricFamily]:
        counts, closed_at = self._ledger.numbers()
        yield _gauges(
            "tollbridge_ledger_entries",
            "Client months in the ledger, by state",
            ["state"],
            (([state], counts.get(state, 0)) for state in State),
        )
        yield _gauges(
            "tollbridge_unfinished_entries",
            "Client months that are not issued yet; held ones wait for a human",
            ["state"],
            (([state], waiting.count) for state, waiting in figures.unfinished.items()),
        )
        yield _gauges(
            "tollbridge_oldest_unfinished_entry_timestamp_seconds",
            "When the oldest of them was drafted first; absent where there is none",
            ["state"],
            _since(figures.unfinished),
        )
        yield _gauge(
            "tollbridge_last_month_closed_timestamp_seconds", "When a month was closed last", _seconds(closed_at)
        )
        yield _gauge(
            "tollbridge_unbilled_tokens",
            "Tokens of users that belong to no client, until they are linked or written off",
            self._ledger.readings.unbilled_tokens(),
        )
        yield _gauges(
            "tollbridge_late_tokens",
            "Tokens that were reported otherwise after their month was billed, and are on no invoice yet",
            ["state"],
            (([state], tokens) for state, (_, tokens) in figures.late.items()),
        )
        yield _gauges(
            "tollbridge_corrections",
            "Corrections of billed months that are on no invoice yet; waiting and credit ones need a human",
            ["state"],
            (([state], count) for state, (count, _) in figures.late.items()),
        )


def _runs(figures: Figures) -> Iterator[GaugeMetricFamily]:
    commands = sorted({"run", *figures.runs})
    found = figures.runs
    yield _gauges(
        "tollbridge_last_good_run_timestamp_seconds",
        "When a run ended last that was not stopped; 0: there was none",
        ["command"],
        (([each], _seconds(found[each].good if each in found else None)) for each in commands),
    )
    yield _gauges(
        "tollbridge_last_run_failures",
        "Clients, users and months that the last run to end could not serve",
        ["command"],
        (([each], runs.failures) for each, runs in sorted(found.items())),
    )
    yield _gauges(
        "tollbridge_last_run_outcome",
        "How the last run to end did so: done, failures, stopped or died",
        ["command", "outcome"],
        (([each, runs.outcome], 1) for each, runs in sorted(found.items())),
    )


def _people(figures: Figures) -> Iterator[GaugeMetricFamily]:
    yield _gauges(
        "tollbridge_owed",
        "What clients owe, in units of the currency, by days after the due date",
        ["currency", "age"],
        (([each.currency, each.age], float(each.amount)) for each in figures.owed),
    )
    yield _gauges(
        "tollbridge_open_invoices",
        "Invoices that nobody has paid yet, by days after the due date",
        ["currency", "age"],
        (([each.currency, each.age], each.invoices) for each in figures.owed),
    )
    yield _gauges(
        "tollbridge_users_held",
        "SolusIO users that are locked or suspended, by the reason",
        ["reason", "status"],
        (([*key], count) for key, count in sorted(figures.users_held.items())),
    )
    yield _gauge(
        "tollbridge_users_held_back",
        "SolusIO users that would be locked or suspended, and are not, since they are too many",
        figures.held_back,
    )


def _messages(figures: Figures) -> Iterator[GaugeMetricFamily]:
    yield _gauges(
        "tollbridge_messages_waiting",
        "Mails, and notices to the webhook, that are still to be sent",
        ["by"],
        (([by], waiting.count) for by, waiting in figures.messages.items()),
    )
    yield _gauges(
        "tollbridge_oldest_message_timestamp_seconds",
        "Since when the oldest of them waits; absent where there is none",
        ["by"],
        _since(figures.messages),
    )
    yield _gauges(
        "tollbridge_messages_refused",
        "Messages of the last weeks that were given up",
        ["by"],
        (([by], count) for by, count in figures.refused.items()),
    )


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value)


def _gauges(name: str, words: str, labels: list[str], samples: Iterable[Sample]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _since(waiting: Mapping[str, Waiting]) -> Iterator[Sample]:
    for name, each in waiting.items():
        if each.since is not None:
            yield [name], each.since.timestamp()


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0


class Metrics:
    """Counts of price look-ups by status, and of fetches from the billing system by outcome; the ledger's numbers."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = LedgerNumbers(ledger, settings)
        self._registry = CollectorRegistry()
        self._lookups = Counter(
            "tollbridge_price_lookups", "Price look-ups answered, by HTTP status", ["status"], registry=self._registry
        )
        self._fetches = Counter(
            "tollbridge_price_fetches", "Prices fetched from billing, by outcome", ["outcome"], registry=self._registry
        )
        self._ok = self._lookups.labels("200")

    def lookup(self, status: int) -> None:
        """Count a look-up."""
        if status == 200:
            self._ok.inc()
        else:
            self._lookups.labels(str(status)).inc()

    def fetch(self, outcome: str) -> None:
        """Count a fetch."""
        self._fetches.labels(outcome).inc()

    def text(self) -> bytes:
        """All of them, of every worker process there is. It may read the ledger, so call it from a thread."""
        return generate_latest(self._counts()) + generate_latest(self._ledger)

    def counts(self) -> dict[tuple[str, str], int]:
        """What was counted, of every worker process, by the sample's name and its label; it reads no ledger."""
        return {
            (sample.name, next(iter(sample.labels.values()), "")): int(sample.value)
            for family in self._counts().collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    def _counts(self) -> CollectorRegistry:
        if MULTIPROCESS not in os.environ:
            return self._registry
        counts = CollectorRegistry()
        multiprocess.MultiProcessCollector(counts)  # type: ignore[no-untyped-call]
        return counts
