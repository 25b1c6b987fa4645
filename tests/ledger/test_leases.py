"""One run drafts at a time: whoever paused for too long has lost its turn, whether it lives or not."""

from datetime import timedelta

import pytest

from tests.ledger.books import AT_ONCE, HOUR, JUNE, NOW, reading, running
from tollbridge.errors import LedgerError
from tollbridge.ledger import Ledger
from tollbridge.ledger.leases import Lease
from tollbridge.ledger.runs import LiveRun


def renew(ledger: Ledger, lease: Lease) -> None:
    """In a transaction of its own."""
    with ledger.database.write() as connection:
        lease.renew(connection)


def test_one_run_has_a_lease_until_it_gives_it_back(shared: tuple[Ledger, Ledger]) -> None:
    ledger, _ = shared
    with running(ledger) as run, running(ledger) as other:
        lease = ledger.leases.take("drafting", run.id, HOUR)
        assert lease is not None
        assert ledger.leases.take("drafting", other.id, HOUR) is None
        assert ledger.leases.take("another", other.id, HOUR) is not None
        ledger.leases.give_back(lease)
        assert ledger.leases.take("drafting", other.id, HOUR) is not None


def test_a_lease_whose_run_has_ended_is_free_before_its_time(ledger: Ledger, run: LiveRun) -> None:
    with running(ledger) as gone:
        assert ledger.leases.take("drafting", gone.id, HOUR) is not None
    assert ledger.leases.take("drafting", run.id, HOUR) is not None


@pytest.mark.parametrize("length", [AT_ONCE, -HOUR])
def test_a_lease_that_is_over_is_taken_over_whether_its_run_lives_or_not_which_then_has_lost_it(
    ledger: Ledger, run: LiveRun, other: LiveRun, length: timedelta
) -> None:
    lost = ledger.leases.take("drafting", run.id, length)
    taken = ledger.leases.take("drafting", other.id, HOUR)
    assert lost is not None
    assert taken is not None
    with pytest.raises(LedgerError, match="taken over drafting"):
        renew(ledger, lost)
    with pytest.raises(LedgerError, match="taken over drafting"):
        ledger.months.draft(JUNE, reading(NOW, NOW + HOUR), lost)
    assert not ledger.months.is_drafted(JUNE)
    ledger.leases.give_back(lost)
    renew(ledger, taken)


def test_a_lease_that_was_taken_again_or_given_back_is_lost(ledger: Ledger, run: LiveRun) -> None:
    first = ledger.leases.take("drafting", run.id, AT_ONCE)
    second = ledger.leases.take("drafting", run.id, HOUR)
    assert first is not None
    assert second is not None
    with pytest.raises(LedgerError, match="taken over drafting"):
        renew(ledger, first)
    ledger.leases.give_back(first)
    renew(ledger, second)
    ledger.leases.give_back(second)
    with pytest.raises(LedgerError, match="taken over drafting"):
        renew(ledger, second)


def test_a_lease_that_is_over_and_was_not_taken_over_is_renewed(shared: tuple[Ledger, Ledger]) -> None:
    ledger, _ = shared
    with running(ledger) as run, running(ledger) as other:
        lease = ledger.leases.take("drafting", run.id, AT_ONCE)
        assert lease is not None
        long = Lease(lease.name, lease.run_id, lease.epoch, HOUR, ledger.database)
        renew(ledger, long)
        assert ledger.leases.take("drafting", other.id, HOUR) is None
