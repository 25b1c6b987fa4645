"""What a worker does for a run on another machine: it sends, under a claim of its own, what that run has drafted."""

import attrs

from tollbridge.errors import Interrupted, TollbridgeError, Unavailable
from tollbridge.jobs.crew import Crew, Errand
from tollbridge.jobs.former_invoices import FormerInvoices
from tollbridge.jobs.parts import Failures, Parts
from tollbridge.jobs.reports import DailyReport
from tollbridge.jobs.sending import Sending
from tollbridge.jobs.work import ClientsRead, Work
from tollbridge.ledger import Ledger


def is_open(ledger: Ledger, errand: Errand) -> bool:
    """Whether the run still lives, and has something that nobody has tried to send yet."""
    return ledger.runs.lives(errand.run_id) and ledger.helpers.next_for(errand.run_id, errand.months) is not None


def help_with(parts: Parts, errand: Errand, crew: Crew) -> DailyReport:
    """Send until nothing is left to claim, the run has ended, or something stops it, which is in the report.

    The worker is a run of its own in the ledger meanwhile, so that others take over what it has claimed if it dies.
    """
    report = DailyReport(errand.when.day, dry_run=False)
    invoicing = report.invoicing
    invoicing.months.extend(errand.months)
    live_as = parts.ledger.runs.live("worker", errand.when.day, works=True, helps=errand.run_id)
    with ClientsRead() as clients, live_as as live:
        work = Work(parts, errand.when, live, clients, lambda _step, _done: None, crew=attrs.evolve(crew, ask=None))
        try:
            Sending(work, errand.months, invoicing, Failures(invoicing.failures), FormerInvoices(work)).send()
        except Interrupted:
            pass  # what it has not begun was given back
        except TollbridgeError as error:
            report.stopped_by = error
        parts.ledger.runs.end(live.id, report.outcome, report.json())
    return report


def answers_again(parts: Parts, errand: Errand) -> bool:
    """Whether the billing system can be reached, by a look for one invoice that is still to be sent."""
    entry = parts.ledger.helpers.next_for(errand.run_id, errand.months)
    if entry is None:
        return False
    try:
        parts.billing.find_invoice(entry.client_id, entry.reference)
    except Unavailable:
        return False
    except TollbridgeError:
        return True  # it said no, or is wrong, and answers
    return True
