"""What becomes of a client's month: drafted or left, invoiced, carried or nothing, and what a receipt makes of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.model import Client, Currency, InvoiceStatus, Receipt, TaxRate, UsageItem
from tollbridge.reference import months_in
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import InvoiceRules, draft, is_to_draft, late_tokens, proof
from tollbridge.rules.entry import Entry, State, UserItem
from tollbridge.rules.pricing import TokenPrice

JULY = Month(2026, 7)
DAY = date(2026, 8, 1)
NOW = datetime(2026, 8, 1, 4, tzinfo=UTC)
ONE = Decimal("0.01")
PRICE = TokenPrice(ONE, ONE, ONE, Currency("EUR"), (), (TaxRate("VAT", Decimal(20)),), False, False)
ADA = Client(1042, "ada@example.com", "EUR")


def used(*tokens: int) -> list[UserItem]:
    """Backups of these many tokens."""
    return [UserItem(7, UsageItem("backup", number, f"web-{number}", each)) for number, each in enumerate(tokens)]


def drafted(
    items: Sequence[UserItem],
    minimum: str | None = None,
    carried: Sequence[Entry] = (),
    *,
    zero: bool = False,
    price: TokenPrice = PRICE,
) -> Entry:
    """Ada's July."""
    rules = InvoiceRules({} if minimum is None else {"EUR": Decimal(minimum)}, 14, zero)
    return draft(JULY, ADA, items, carried, (), price=price, rules=rules, prices="a list", day=DAY, now=NOW)


@pytest.mark.parametrize(
    ("tokens", "minimum", "zero", "expected"),
    [
        (0, None, False, State.NOTHING),
        (0, None, True, State.WRITTEN),
        (0, "1.00", True, State.WRITTEN),
        (99, "1.00", False, State.CARRIED),
        (100, "1.00", False, State.WRITTEN),
        (1, None, False, State.WRITTEN),
    ],
)
def test_too_little_is_carried_and_nothing_is_nothing(
    tokens: int, minimum: str | None, zero: bool, expected: State
) -> None:
    assert drafted(used(tokens), minimum, zero=zero).state is expected


@given(st.integers(0, 500), st.none() | st.integers(0, 500), st.booleans())
def test_money_owed_is_invoiced_or_carried_but_never_forgotten(tokens: int, minimum: int | None, zero: bool) -> None:
    least = None if minimum is None else f"{minimum * ONE}"
    found = drafted(used(tokens), least, zero=zero).state
    assert (found is State.NOTHING) == (tokens == 0 and not zero)
    assert found is not State.CARRIED or (minimum is not None and tokens < minimum)


def test_what_was_carried_is_taken_in_whole_or_waits_whole() -> None:
    june = attrs.evolve(drafted(used(60), "1.00"), month=JULY.previous)
    taking = drafted(used(50), "1.00", [june])
    assert (taking.state, taking.tokens, taking.document.carries) == (State.WRITTEN, 110, ("2026-06",))
    waiting = drafted(used(30), "1.00", [june])
    assert (waiting.state, waiting.tokens, waiting.document.carries) == (State.CARRIED, 30, ())


def test_what_was_carried_is_priced_anew_where_the_currency_has_changed_and_nowhere_else() -> None:
    dearer = attrs.evolve(PRICE, base=3 * ONE, without_tax=3 * ONE, net=3 * ONE)
    june = attrs.evolve(drafted(used(60), "1.00"), month=JULY.previous)
    taking = drafted(used(50), "1.00", [june], price=dearer)
    assert [line.amount for line in taking.document.lines] == [Decimal("0.60"), Decimal("1.50")]
    abroad = drafted(used(50), "1.00", [attrs.evolve(june, currency="USD")], price=dearer)
    assert [line.amount for line in abroad.document.lines] == [Decimal("1.80"), Decimal("1.50")]


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({}, False),
        ({"problem": "the books are closed"}, True),
        ({"issue_date": date(2026, 7, 31)}, True),
        ({"prices": "another list"}, True),
        ({"problem": "the books are closed", "kept": "draft 7"}, False),
        *(({"state": state, "problem": "x"}, False) for state in State if state is not State.WRITTEN),
    ],
)
def test_only_what_is_written_and_out_of_date_or_refused_is_drafted_anew(changes: dict[str, Any], anew: bool) -> None:
    entry = attrs.evolve(drafted(used(100)), **changes)
    assert is_to_draft(entry, DAY, "a list") is anew


def test_a_client_without_an_entry_is_drafted() -> None:
    assert is_to_draft(None, DAY, "a list")


def test_usage_that_came_later_is_counted_against_the_months_own_lines_only() -> None:
    june = attrs.evolve(drafted(used(60), "1.00"), month=JULY.previous)
    entry = drafted(used(50), "1.00", [attrs.evolve(june, document=attrs.evolve(june.document, lines=tuple(
        attrs.evolve(line, month="2026-06") for line in june.document.lines
    )))])  # fmt: skip
    assert late_tokens(entry, used(50, 7)) == 7
    assert late_tokens(entry, used(50)) == 0
    assert late_tokens(entry, []) == 0, "usage that is not reported any more takes nothing back"


def receipt(entry: Entry, **changes: Any) -> Receipt:
    """The billing system's invoice, just as it was asked for but for ``changes``."""
    made = Receipt(77, entry.reference, entry.client_id, InvoiceStatus.UNPAID, entry.due_date, entry.total)
    return attrs.evolve(made, **changes)


@given(st.lists(st.integers(1, 12).map(lambda month: f"2025-{month:02}"), max_size=4, unique=True))
def test_the_notes_of_an_invoice_name_its_months_to_whoever_reads_them(carried: list[str]) -> None:
    entry = drafted(used(100))
    sent = attrs.evolve(entry, document=attrs.evolve(entry.document, carries=tuple(carried))).invoice()
    edited = f"Thank you.\n\n{sent.notes}\n2026-08-03 paid by Ada"
    for notes in (sent.notes, edited):
        assert months_in(notes, sent.reference) == (*sorted(carried), "2026-07")


def test_an_invoice_that_is_as_it_was_asked_for_proves_itself() -> None:
    entry = drafted(used(500))
    found = proof(entry, receipt(entry, subtotal=entry.subtotal, currency="EUR"))
    assert (found.issued, found.problem, found.warning, found.differs) == (True, None, None, False)


def test_a_draft_is_not_an_issued_invoice() -> None:
    entry = drafted(used(500))
    found = proof(entry, receipt(entry, status="draft"))
    assert (found.issued, found.problem) == (
        False,
        "the billing system has it as a draft, which nobody is asked to pay",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"currency": "USD"}, "is in USD, where EUR was asked for"),
        ({"subtotal": Decimal("2.50")}, "the lines of invoice 77 come to 2.50 EUR"),
        ({"total": Decimal("3.00")}, "which no tax explains"),
        ({"total": Decimal("9.00")}, "which no tax explains"),
    ],
)
def test_a_half_invoice_or_one_in_another_currency_is_a_failure(changes: dict[str, Any], words: str) -> None:
    entry = drafted(used(500))  # 5.00 EUR, and 6.00 with tax
    found = proof(entry, receipt(entry, **changes))
    assert found.issued is True
    assert found.differs
    assert "invoice 77" in (found.problem or "")
    assert words in (found.problem or "")


def test_another_tax_is_a_warning() -> None:
    entry = drafted(used(500))
    found = proof(entry, receipt(entry, total=Decimal("5.95"), subtotal=Decimal("5.00")))
    assert (found.issued, found.problem, found.differs) == (True, None, True)
    assert (found.warning or "").startswith("the billing system makes it 5.95 EUR")
    assert f"`tollbridge price {entry.client_id}`" in (found.warning or "")


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_what_is_wrong_with_a_cancelled_invoice_concerns_nobody(status: str) -> None:
    entry = drafted(used(500))
    found = proof(entry, receipt(entry, status=status, total=Decimal(0)))
    assert (found.issued, found.problem, found.differs) == (True, None, False)


@pytest.mark.parametrize("off", ["0.01", "-0.01"])
def test_lines_may_be_rounded_otherwise_by_half_a_cent_each_and_no_more(off: str) -> None:
    entry = drafted(used(250, 250))
    at_most = receipt(entry, subtotal=entry.subtotal + Decimal(off))
    more = receipt(entry, subtotal=entry.subtotal + 2 * Decimal(off))
    assert proof(entry, at_most).problem is None
    assert "the lines of invoice 77 come to" in (proof(entry, more).problem or "")


def test_a_line_is_sent_with_all_that_it_is_made_from() -> None:
    [line] = drafted(used(500)).document.lines
    made = attrs.evolve(
        line, plan="Large", hours=71, tokens_per_hour=7, item_type="server", item_name="web-1"
    ).as_sent()
    assert (made.kind, made.name, made.plan, made.hours, made.tokens_per_hour) == ("server", "web-1", "Large", 71, 7)
    assert (made.period_start, made.period_end) == (date(2026, 7, 1), date(2026, 7, 31))
