"""Any number of senders at once, dying, sleeping and cut off at any point: no invoice twice, and none lost."""

from pathlib import Path

import pytest

from tests.senders import Died, an_office, dies
from tollbridge.jobs import sending


@pytest.fixture(autouse=True)
def small_pages_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there is something for everybody to claim, and nobody waits longer than is needed."""
    monkeypatch.setattr(sending, "_PAGE", 2)
    monkeypatch.setattr(sending, "_POLL_SECONDS", 0.01)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("hands", [2, 4, 8])
def test_senders_that_die_at_any_effect_leave_books_that_the_next_run_sets_right(
    tmp_path: Path, postgresql_url: str, hands: int, *, after: bool
) -> None:
    with an_office(tmp_path, postgresql_url, clients=hands + 2, at_once=2) as office:
        at, died = 0, True
        while died:
            at += 1
            office.open()
            senders = [office.sender(f"sender{each}", dies(at, after=after)) for each in range(hands)]
            office.send_all(senders)
            died = any(isinstance(sender.error, Died) for sender in senders)
            office.finish()
    assert at > 8, "a sender has several effects to die at"
