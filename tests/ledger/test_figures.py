"""The ledger in figures: what waits and since when, what is owed and since when, and how the last runs ended."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from tests.ledger.books import DAY, DUE, anew, claim, draft, entry, found, issued, running
from tollbridge.ledger import Ledger
from tollbridge.ledger.figures import CommandRuns, Owed, Waiting
from tollbridge.ledger.outbox import WEBHOOK, Mail
from tollbridge.rules.overdue import Age, age

MOMENT = datetime(2026, 7, 1, 5, tzinfo=UTC)


def test_an_empty_ledger_has_nothing_that_waits(ledger: Ledger) -> None:
    figures = ledger.figures(DAY)
    nothing = Waiting(0, None)
    assert figures.unfinished == {"written": nothing, "sending": nothing, "held": nothing}
    assert figures.messages == {"mail": nothing, "webhook": nothing}
    assert (figures.runs, figures.owed, figures.users_held, figures.held_back) == ({}, [], {}, 0)


def test_an_entry_that_is_drafted_anew_waits_since_it_was_drafted_first(ledger: Ledger) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    draft(ledger, entry(7))
    first = ledger.figures(DAY).unfinished["written"]
    draft(ledger, anew(found(ledger, 7)))
    assert ledger.figures(DAY).unfinished["written"] == first
    assert first.count == 1
    assert first.since is not None
    assert began < first.since < datetime.now(UTC)


def test_what_is_held_is_counted_apart_from_what_is_to_be_sent(ledger: Ledger) -> None:
    draft(ledger, entry(7), attrs.evolve(entry(8), held="more than three times the dearest month"))
    counts = {state: waiting.count for state, waiting in ledger.figures(DAY).unfinished.items()}
    assert counts == {"written": 1, "sending": 0, "held": 1}


def test_what_is_owed_is_added_up_exactly_by_currency_and_age(ledger: Ledger) -> None:
    draft(ledger, *(entry(number) for number in (7, 8, 9)))
    with running(ledger, works=True) as run:
        for number, each in enumerate(claim(ledger, run)):
            ledger.claims.record(run.id, [issued(each, str(number))])
    assert ledger.figures(DUE).owed == [Owed("EUR", Age.NOT_DUE, 3, Decimal("16.65"))]
    assert ledger.figures(DUE + timedelta(days=31)).owed == [Owed("EUR", Age.TO_60, 3, Decimal("16.65"))]


@pytest.mark.parametrize(
    ("late", "expected"),
    [(-5, Age.NOT_DUE), (0, Age.NOT_DUE), (1, Age.TO_30), (30, Age.TO_30), (31, Age.TO_60), (60, Age.TO_60),
     (61, Age.TO_90), (90, Age.TO_90), (91, Age.OLDER), (4000, Age.OLDER)],
)  # fmt: skip
def test_an_invoice_ages_by_days_after_its_due_date(late: int, expected: Age) -> None:
    assert age(date(2026, 7, 15), date(2026, 7, 15) + timedelta(days=late)) is expected


def test_a_run_with_failures_is_good_and_a_stopped_one_is_not(ledger: Ledger) -> None:
    with running(ledger) as first:
        ledger.runs.end(first.id, "failures", {"failures": [{"who": "client 7", "message": "refused"}]})
    good = ledger.figures(DAY).runs["run"]
    assert (good.outcome, good.failures) == ("failures", 1)
    with running(ledger) as second:
        ledger.runs.end(second.id, "stopped", {"failures": []})
    assert ledger.figures(DAY).runs["run"] == CommandRuns(good.good, "stopped", 0)
    assert good.good is not None


def test_messages_wait_apart_by_mail_and_webhook(ledger: Ledger) -> None:
    ledger.outbox.put("a", "ada@example.com", Mail("Subject", "text", "html"), MOMENT)
    ledger.outbox.put("b", WEBHOOK, Mail("Subject", "{}", ""), MOMENT + timedelta(hours=1))
    [refused] = ledger.outbox.take(MOMENT, 60, 1)
    ledger.outbox.refused(refused, "no such mailbox", MOMENT)
    figures = ledger.figures(DAY)
    assert figures.messages == {"mail": Waiting(0, None), "webhook": Waiting(1, MOMENT + timedelta(hours=1))}
    assert figures.refused == {"mail": 1, "webhook": 0}
