"""What a usage source answered is kept, with the users that belong to no client; the last answer counts."""

from datetime import timedelta

import attrs
import pytest

from tests.ledger.books import HOUR, JULY, JUNE, NOW, reading
from tollbridge.errors import LedgerError
from tollbridge.ledger import Ledger
from tollbridge.ledger.readings import UnbilledUser
from tollbridge.ledger.runs import LiveRun

FIRST = reading(NOW - timedelta(days=30), NOW)


def test_a_reading_is_kept_whole_and_the_last_of_a_month_counts(ledger: Ledger, run: LiveRun) -> None:
    assert ledger.readings.last(JUNE) is None
    second = attrs.evolve(FIRST, read_at=NOW + HOUR, tokens=2**53 + 1, users=4, digest="c0de")
    ledger.readings.keep(JUNE, FIRST, [], run.id)
    ledger.readings.keep(JUNE, second, [], run.id)
    ledger.readings.keep(JULY, FIRST, [], run.id)
    assert (ledger.readings.last(JUNE), ledger.readings.last(JULY)) == (second, FIRST)


def test_users_of_no_client_are_those_of_the_month_s_last_reading(ledger: Ledger, run: LiveRun) -> None:
    ledger.readings.keep(JUNE, FIRST, [UnbilledUser(9, 44), UnbilledUser(2**40, 2**53 + 1)], run.id)
    ledger.readings.keep(JULY, FIRST, [UnbilledUser(5, 1)], run.id)
    assert ledger.readings.unbilled(JUNE) == [UnbilledUser(9, 44), UnbilledUser(2**40, 2**53 + 1)]
    ledger.readings.keep(JUNE, FIRST, [], run.id)
    assert (ledger.readings.unbilled(JUNE), ledger.readings.unbilled(JULY)) == ([], [UnbilledUser(5, 1)])
    assert ledger.readings.unbilled(JULY.next) == []


def test_a_reading_without_all_its_users_is_not_kept(ledger: Ledger, run: LiveRun) -> None:
    with pytest.raises(LedgerError):
        ledger.readings.keep(JUNE, FIRST, [UnbilledUser(9, 44), UnbilledUser(9, 45)], run.id)
    assert ledger.readings.last(JUNE) is None
