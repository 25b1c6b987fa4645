"""What tests of the ledger put into it: entries, drafts, claims, receipts and runs."""

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs

from tollbridge.ledger import Ledger
from tollbridge.ledger.claims import Claim, Result
from tollbridge.ledger.invoices import Draft
from tollbridge.ledger.readings import Reading
from tollbridge.ledger.runs import LiveRun
from tollbridge.model import Currency, Discount, InvoiceStatus, Receipt, TaxRate
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Document, Entry, Line, State
from tollbridge.rules.pricing import TokenPrice

JUNE, JULY = Month(2026, 6), Month(2026, 7)
NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DAY, DUE = date(2026, 7, 1), date(2026, 7, 15)
NEXT_DAY, NEXT_DUE = date(2026, 7, 2), date(2026, 7, 16)
AT_ONCE, HOUR = timedelta(0), timedelta(hours=1)
PRICE = TokenPrice(
    base=Decimal("0.001"),
    without_tax=Decimal("0.001"),
    net=Decimal("0.00095"),
    currency=Currency("EUR", suffix=" €", decimal_separator=",", thousands_separator="."),
    discounts=(Discount("Partner", "5%", Decimal("0.95")),),
    taxes=(TaxRate("USt", Decimal(19)),),
    compound=False,
    prices_include_tax=False,
)


def entry(client_id: int, month: Month = JUNE, state: State = State.WRITTEN, subtotal: str = "4.66") -> Entry:
    """An entry of one line."""
    line = Line("web-1", 4900, Decimal(subtotal), True, str(month), "server", 11, "web-1", "1 Core", 700, 7, 5000)
    return Entry(
        client_id, month, state, "EUR", DAY, DUE, 4900, Decimal(subtotal), Decimal("5.55"), Document((line,), PRICE),
        NOW,
    )  # fmt: skip


def anew(found: Entry, subtotal: str = "9.99") -> Draft:
    """Another draft of an entry, an hour later, from how it was found."""
    later = found.written_at + HOUR
    return Draft(attrs.evolve(entry(found.client_id, found.month, subtotal=subtotal), written_at=later), found)


def draft(ledger: Ledger, *drafts: Entry | Draft) -> list[Entry]:
    """Write a page of drafts as a run of its own does."""
    with running(ledger) as live:
        lease = ledger.leases.take("drafting", live.id, HOUR)
        assert lease is not None
        page = [each if isinstance(each, Draft) else Draft(each) for each in drafts]
        written = ledger.invoices.draft(page, lease)
        ledger.leases.give_back(lease)
        return written


def running(ledger: Ledger, *, works: bool = False) -> AbstractContextManager[LiveRun]:
    """A run of the ledger, which is gone after the block."""
    return ledger.runs.live("run", DAY, works=works)


def claim(ledger: Ledger, run: LiveRun, most: int = 9, lease: timedelta = HOUR) -> list[Claim]:
    """Claim what is written of June and July."""
    return ledger.claims.claim(run.id, [JUNE, JULY], DAY, DUE, lease, most)


def take_over(ledger: Ledger, run: LiveRun, in_doubt: timedelta = AT_ONCE) -> list[Claim]:
    """Take over what others have left of June and July."""
    return ledger.claims.take_over(run.id, [JUNE, JULY], in_doubt, HOUR, 9)


def receipt(claimed: Claim, number: str = "77", status: InvoiceStatus = InvoiceStatus.UNPAID) -> Receipt:
    """What the billing system has of it."""
    there = claimed.entry
    return Receipt(number, there.reference, there.client_id, status, there.due_date, there.total)


def issued(claimed: Claim, number: str = "77", problem: str | None = None) -> Result:
    """It is there."""
    return Result(claimed, State.ISSUED, problem, receipt(claimed, number))


def found(ledger: Ledger, client_id: int, month: Month = JUNE) -> Entry:
    """A client's month, which is there."""
    there = ledger.invoices.find(month, client_id)
    assert there is not None
    return there


def reading(starts_at: datetime, ends_at: datetime, users: int = 3, tokens: int = 4900) -> Reading:
    """A complete answer of a usage source."""
    return Reading("feed", starts_at, ends_at, NOW, users, tokens, "5e1f")


def draft_month(ledger: Ledger, month: Month, of: Reading) -> None:
    """Note that a month is drafted, as a run of its own does."""
    with running(ledger) as live:
        lease = ledger.leases.take("drafting", live.id, HOUR)
        assert lease is not None
        ledger.months.draft(month, of, lease)
        ledger.leases.give_back(lease)
