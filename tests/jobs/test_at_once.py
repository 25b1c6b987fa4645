"""Work done at once: whatever ends one of it, what the others have got is heard of."""

import threading

import pytest

from tollbridge.errors import LedgerError, Refused
from tollbridge.jobs.at_once import AtOnce


def test_what_ends_the_run_loses_no_result_of_what_was_under_way() -> None:
    begun = threading.Barrier(3)

    def work(number: int) -> int:
        begun.wait(10)
        if number == 1:
            raise LedgerError("the ledger is lost")
        return number

    heard = []
    with pytest.raises(LedgerError):  # noqa: PT012 - what was heard before it counts
        for item, result in AtOnce(3).each(work, [1, 2, 3]):
            heard.append((item, result))
    assert sorted(heard) == [(2, 2), (3, 3)]


def test_one_items_error_comes_as_itself_and_stops_nobody() -> None:
    def work(number: int) -> int:
        if number == 1:
            raise Refused("no")
        return number

    results = dict(AtOnce(2).each(work, [1, 2, 3]))
    assert isinstance(results.pop(1), Refused)
    assert results == {2: 2, 3: 3}
