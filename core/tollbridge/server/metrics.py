"""Numbers for Prometheus, added up over all worker processes."""

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tollbridge.ledger import Ledger
from tollbridge.rules.entry import State

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class LedgerNumbers(Collector):
    """What the ledger holds, read anew for each scrape."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Entries by state, when a month was closed last, and what was used that nobody is asked to pay."""
        counts, closed_at = self._ledger.numbers()
        entries = GaugeMetricFamily(
            "tollbridge_ledger_entries", "Client months in the ledger, by state", labels=["state"]
        )
        for state in State:
            entries.add_metric([state], counts.get(state, 0))
        yield entries
        closed = closed_at.timestamp() if closed_at else 0
        yield GaugeMetricFamily(
            "tollbridge_last_month_closed_timestamp_seconds", "When a month was closed last", closed
        )
        yield GaugeMetricFamily(
            "tollbridge_unbilled_tokens",
            "Tokens of users that belong to no client, until they are linked or written off",
            self._ledger.readings.unbilled_tokens(),
        )


class Metrics:
    """Counts of price look-ups by status, and of fetches from the billing system by outcome; the ledger's numbers."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = LedgerNumbers(ledger)
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
        """All of them, of every worker process there is. It reads the ledger, so call it from a thread."""
        counts = self._registry
        if MULTIPROCESS in os.environ:
            counts = CollectorRegistry()
            multiprocess.MultiProcessCollector(counts)  # type: ignore[no-untyped-call]
        return generate_latest(counts) + generate_latest(self._ledger)
