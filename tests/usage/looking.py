"""A look at a sandbox's servers as the meter sees them, without a call: for tests with hundreds of snapshots."""

from tollbridge.ledger import Ledger
from tollbridge.ledger.meter import Snapshot
from tollbridge.solus import wire
from tollbridge.solus.sandbox import Panel
from tollbridge.solus.sandbox.api import wire as answers


def look(ledger: Ledger, panel: Panel) -> Snapshot:
    """A snapshot of the panel's own moment, read from what it would answer."""
    plans = {plan.id: wire.plan_prices(answers.plan(plan)) for plan in panel.tables.plans}
    rows = (answers.server(panel, server, panel.user(1)) for server in panel.servers)
    return ledger.meter.add(panel.now, [wire.server(row, plans) for row in rows])
