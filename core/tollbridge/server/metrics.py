"""Numbers for Prometheus, added up over all worker processes."""

import os

from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """Counts of price look-ups by status, and of fetches from the billing system by outcome."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
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
        """All of them, of every worker process there is."""
        registry = self._registry
        if MULTIPROCESS in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
