"""Entries are drafted once for a client and month, to the last digit, and never over what somebody may have sent."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.books import (
    AT_ONCE,
    DAY,
    DUE,
    HOUR,
    JULY,
    JUNE,
    NEXT_DUE,
    PRICE,
    anew,
    claim,
    draft,
    entry,
    found,
    issued,
    receipt,
    running,
)
from tollbridge.errors import LedgerError
from tollbridge.ledger import Ledger
from tollbridge.ledger.claims import Result
from tollbridge.ledger.invoices import Draft, Seen
from tollbridge.ledger.runs import LiveRun
from tollbridge.model import InvoiceStatus
from tollbridge.rules.entry import Document, State


def test_what_is_drafted_is_read_again_to_the_last_digit(ledger: Ledger) -> None:
    drafted = entry(1042)
    assert draft(ledger, drafted) == [drafted]
    assert ledger.invoices.find(JUNE, 1042) == drafted
    assert ledger.invoices.find(JULY, 1042) is None


def test_an_entry_that_is_final_is_never_replaced(ledger: Ledger) -> None:
    into = {State.CARRIED: "2026-07"}
    for client_id, state in enumerate([State.ISSUED, State.CARRIED, State.NOTHING]):
        draft(ledger, attrs.evolve(entry(client_id, state=state), carried_into=into.get(state)))
        assert draft(ledger, anew(found(ledger, client_id))) == []
        assert (found(ledger, client_id).state, found(ledger, client_id).subtotal) == (state, Decimal("4.66"))


def test_an_entry_that_was_not_sent_is_replaced_by_a_new_draft_and_one_that_may_be_there_is_not(
    ledger: Ledger, run: LiveRun
) -> None:
    draft(ledger, entry(1))
    assert [each.subtotal for each in draft(ledger, anew(found(ledger, 1), "9.99"))] == [Decimal("9.99")]
    assert found(ledger, 1).subtotal == Decimal("9.99")
    claim(ledger, run)
    assert draft(ledger, anew(found(ledger, 1), "3.33")) == []
    assert [each.subtotal for each in ledger.invoices.of_month(JUNE, [1]).values()] == [Decimal("9.99")]


@pytest.mark.parametrize("given_back", [False, True])
def test_a_draft_does_not_replace_what_was_claimed_since_it_was_found_whether_or_not_it_was_given_back(
    ledger: Ledger, run: LiveRun, given_back: bool
) -> None:
    draft(ledger, entry(1), entry(2))
    before = found(ledger, 1), found(ledger, 2)
    [claimed] = claim(ledger, run, most=1)
    if given_back:
        ledger.claims.give_back(run.id, [claimed])
    assert [each.client_id for each in draft(ledger, *map(anew, before))] == [2]
    assert [found(ledger, client_id).subtotal for client_id in (1, 2)] == [Decimal("4.66"), Decimal("9.99")]


def test_a_draft_that_is_not_written_takes_nothing_in_and_lets_go_of_nothing(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1, JUNE, State.CARRIED))
    draft(ledger, attrs.evolve(entry(1, JULY), document=Document((), PRICE, ("2026-06",))))
    before = found(ledger, 1, JULY)
    claim(ledger, run)
    assert draft(ledger, anew(before)) == []
    assert found(ledger, 1).carried_into == "2026-07"


def test_what_an_attempt_has_kept_something_of_is_never_drafted_anew(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run)
    ledger.claims.keep(run.id, claimed, "draft 12", HOUR)
    ledger.claims.record(run.id, [Result(claimed, State.WRITTEN, "no such tax")])
    assert draft(ledger, anew(found(ledger, 1))) == []
    assert (found(ledger, 1).subtotal, found(ledger, 1).kept) == (Decimal("4.66"), "draft 12")


def test_an_entry_that_is_drafted_anew_has_nothing_left_of_the_last_attempt_but_its_number(
    ledger: Ledger, run: LiveRun
) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run)
    ledger.claims.record(run.id, [Result(claimed, State.WRITTEN, "no such tax")])
    draft(ledger, anew(found(ledger, 1)))
    there = found(ledger, 1)
    assert (there.problem, there.run_id, there.sent_at, there.attempt) == (None, None, None, 1)
    assert [each.entry.attempt for each in claim(ledger, run)] == [2], "and it is to be sent again"


def test_a_page_of_whoever_was_taken_over_while_drafting_fails_whole(ledger: Ledger) -> None:
    draft(ledger, entry(2))
    before = found(ledger, 2)
    with running(ledger) as slow, running(ledger) as quick:
        over = ledger.leases.take("drafting", slow.id, AT_ONCE)
        taken = ledger.leases.take("drafting", quick.id, HOUR)
        assert over is not None
        assert taken is not None
        with pytest.raises(LedgerError, match="taken over drafting"):
            ledger.invoices.draft([Draft(entry(1)), anew(before)], over)
        assert ledger.invoices.find(JUNE, 1) is None
        assert found(ledger, 2) == before
        assert len(ledger.events.of_kind("invoice")) == 1, "that of the first draft"
        assert ledger.invoices.draft([Draft(entry(1))], taken) == [entry(1)]


def test_the_database_itself_refuses_a_second_entry_for_a_client_and_month(ledger: Ledger) -> None:
    draft(ledger, entry(1))
    with pytest.raises(LedgerError, match=r"(?i)unique"), ledger.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO invoices (client_id, month, state, currency, issue_date, due_date, tokens, subtotal, total,"
            " document, written_at) SELECT client_id, month, state, currency, issue_date, due_date, tokens, subtotal,"
            " total, document, written_at FROM invoices"
        )


def test_a_carried_month_is_found_until_an_invoice_has_taken_it_in(ledger: Ledger) -> None:
    draft(ledger, entry(1, JUNE, State.CARRIED), entry(2, JUNE, State.CARRIED))
    waiting = ledger.invoices.carried(JULY, [1, 2])
    assert [[each.month for each in carried] for carried in waiting.values()] == [[JUNE], [JUNE]]
    draft(ledger, attrs.evolve(entry(1, JULY), document=Document((), PRICE, ("2026-06",))))
    assert list(ledger.invoices.carried(JULY, [1, 2])) == [1, 2], (
        "the same month's invoice, drafted anew, takes it again"
    )
    assert list(ledger.invoices.carried(JULY.next, [1, 2])) == [2], "no other does"
    assert list(ledger.invoices.waiting(JULY.next)) == [[2]]
    assert list(ledger.invoices.waiting(JULY)) == [[1, 2]], "July is not done with the first"
    lets_go = anew(found(ledger, 1, JULY))
    draft(ledger, attrs.evolve(lets_go, entry=attrs.evolve(lets_go.entry, state=State.CARRIED)))
    assert list(ledger.invoices.carried(JULY.next, [1])) == [1], "a draft that takes nothing in lets go of it"


def test_open_invoices_are_those_issued_and_not_settled_or_settled_and_open_again(ledger: Ledger, run: LiveRun) -> None:
    statuses = [InvoiceStatus.UNPAID, InvoiceStatus.PENDING, InvoiceStatus.PAID, InvoiceStatus.CANCELLED]
    draft(ledger, *(entry(client_id) for client_id in range(4)), entry(9, state=State.CARRIED))
    claims = claim(ledger, run)
    receipts = [receipt(each, str(70 + number), statuses[number]) for number, each in enumerate(claims)]
    results = zip(claims, receipts, strict=True)
    ledger.claims.record(run.id, [Result(each, State.ISSUED, receipt=there) for each, there in results])
    assert [[each.client_id for each in page] for page in ledger.invoices.open()] == [[0, 1]]
    assert [each.client_id for each in ledger.invoices.open_of([1, 2, 3])] == [1]
    assert [each.client_id for each in ledger.invoices.issued_as(["72", "99"])] == [2], "whatever it was last"
    ledger.invoices.note_status([Seen(found(ledger, 2), InvoiceStatus.UNPAID, NEXT_DUE)])
    assert [each.client_id for each in ledger.invoices.open_of([1, 2, 3])] == [1, 2]
    assert found(ledger, 2).due_date == NEXT_DUE


def test_when_an_invoice_was_first_seen_settled_is_known_until_it_is_open_again(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    ledger.claims.record(run.id, [issued(each) for each in claim(ledger, run)])
    ledger.invoices.note_status([Seen(found(ledger, 1), InvoiceStatus.PAID, DUE)])
    paid = found(ledger, 1)
    assert (paid.billing_status, paid.settled_at is None) == (InvoiceStatus.PAID, False)
    ledger.invoices.note_status([Seen(paid, InvoiceStatus.REFUNDED, DUE)])
    assert (found(ledger, 1).billing_status, found(ledger, 1).settled_at) == (InvoiceStatus.REFUNDED, paid.settled_at)
    ledger.invoices.note_status([Seen(found(ledger, 1), InvoiceStatus.UNPAID, DUE)])
    assert found(ledger, 1).settled_at is None


def test_what_is_said_of_one_invoice_is_not_noted_of_another_that_the_ledger_has_by_now(
    ledger: Ledger, run: LiveRun
) -> None:
    draft(ledger, entry(1), entry(2))
    ledger.claims.record(run.id, [issued(each) for each in claim(ledger, run, most=1)])
    looked_at = attrs.evolve(found(ledger, 1), billing_id="76")
    ledger.invoices.note_status([Seen(looked_at, InvoiceStatus.CANCELLED, DUE)])
    ledger.invoices.note_status([Seen(found(ledger, 2), InvoiceStatus.PAID, DUE)])
    assert found(ledger, 1).billing_status is InvoiceStatus.UNPAID
    assert found(ledger, 2).billing_status is None, "nor of an entry that is not issued"


def test_what_is_wrong_with_an_issued_invoice_is_found_until_it_is_settled(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1), entry(2), entry(3))
    one, two, three = claim(ledger, run)
    wrong = issued(one, "77", "invoice 77 is in USD")
    ledger.claims.record(run.id, [wrong, issued(two, "78"), Result(three, State.WRITTEN, "refused")])
    assert [each.client_id for page in ledger.invoices.with_problems() for each in page] == [1]
    ledger.invoices.settle(found(ledger, 1), "invoice 77 is still in USD")
    assert found(ledger, 1).problem == "invoice 77 is still in USD"
    ledger.invoices.settle(found(ledger, 1), None, "79")
    assert list(ledger.invoices.with_problems()) == []
    assert (found(ledger, 1).billing_id, found(ledger, 1).problem) == ("79", None)


def test_revenue_adds_up_what_was_issued_per_month_and_currency(ledger: Ledger) -> None:
    draft(ledger, entry(1, state=State.ISSUED), entry(2, state=State.ISSUED), entry(3, state=State.CARRIED))
    draft(ledger, entry(1, JULY, State.ISSUED, "0.10"))
    assert [(row.month, row.currency, row.invoices, row.net) for row in ledger.lists.revenue()] == [
        ("2026-06", "EUR", 2, Decimal("9.32")),
        ("2026-07", "EUR", 1, Decimal("0.10")),
    ]
    assert ledger.invoices.count_by_state() == {"issued": 3, "carried": 1}
    assert [each.month for each in ledger.invoices.issued_to(1, 9)] == [JULY, JUNE], "newest first"


def test_the_invoices_of_a_run_are_those_it_issued(ledger: Ledger, run: LiveRun, other: LiveRun) -> None:
    draft(ledger, entry(1), entry(2), entry(1, JULY))
    first = claim(ledger, run, most=2)
    ledger.claims.record(other.id, [issued(each) for each in claim(ledger, other)])
    ledger.claims.record(run.id, [issued(first[0]), Result(first[1], State.WRITTEN)])
    assert [(each.month, each.client_id) for each in ledger.invoices.of_run(run.id, None)] == [(JUNE, 1)]
    assert [(each.month, each.client_id) for each in ledger.invoices.of_run(other.id, 1)] == [(JULY, 1)]
    assert (found(ledger, 1).issue_date, found(ledger, 1).due_date) == (DAY, DUE)


_AMOUNTS = st.decimals(0, 10**12, places=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=_AMOUNTS, client_id=st.integers(1, 2**62))
def test_no_amount_and_no_id_loses_a_digit(ledger: Ledger, amount: Decimal, client_id: int) -> None:
    before = ledger.invoices.find(JUNE, client_id)
    draft(ledger, Draft(entry(client_id, subtotal=f"{amount:f}"), before))
    there = found(ledger, client_id)
    assert (there.subtotal, there.document.lines[0].amount, there.client_id) == (amount, amount, client_id)
