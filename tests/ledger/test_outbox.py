"""A mail waits in the ledger until it is sent, and is one deliverer's at a time."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import Mail, Outbox
from tollbridge.ledger.schema import mails
from tollbridge.secret import DatabaseUrl

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LINK = "https://bridge.example.com/cloud/confirm/abcdef"
MAIL = Mail("Your link", f"Here: {LINK}\n", f'<a href="{LINK}">Here</a>')


@pytest.fixture
def outbox(ledger: Ledger) -> Outbox:
    """Its outbox."""
    return ledger.outbox


def row(ledger: Ledger, key: str = "signup:1") -> dict[str, Any]:
    with ledger.database.read() as connection:
        return dict(connection.execute(sa.select(mails).where(mails.c.key == key)).one()._mapping)


def test_one_thing_is_mailed_once(outbox: Outbox) -> None:
    assert outbox.put("signup:1", "ada@example.com", MAIL, NOW)
    assert not outbox.put("signup:1", "eve@example.com", MAIL, NOW)
    assert outbox.put("signup:2", "ada@example.com", MAIL, NOW)
    assert [(mail.key, mail.recipient) for mail in outbox.take(NOW, 60, 9)] == [
        ("signup:1", "ada@example.com"),
        ("signup:2", "ada@example.com"),
    ]


def test_what_is_taken_is_what_was_put(outbox: Outbox) -> None:
    outbox.put("signup:1", "ada@example.com", MAIL, NOW)
    [mail] = outbox.take(NOW, 60, 9)
    assert (mail.recipient, mail.mail, mail.attempts, mail.created_at) == ("ada@example.com", MAIL, 1, NOW)
    assert LINK not in repr(mail)


def test_a_mail_that_was_claimed_is_nobody_elses_until_the_lease_is_over(outbox: Outbox) -> None:
    outbox.put("signup:1", "ada@example.com", MAIL, NOW)
    [first] = outbox.take(NOW, 60, 9)
    assert outbox.take(NOW + MINUTE / 2, 60, 9) == []
    [second] = outbox.take(NOW + MINUTE, 60, 9)
    assert (second.id, second.attempts) == (first.id, 2)
    assert second.message_id == first.message_id, "the same mail has the same Message-ID at every attempt"


def test_mails_are_taken_when_they_are_due_and_those_first_that_waited_longest(outbox: Outbox) -> None:
    for key, minutes in (("later", 5), ("second", 1), ("first", 0)):
        outbox.put(key, "ada@example.com", MAIL, NOW + minutes * MINUTE)
    assert [mail.key for mail in outbox.take(NOW + MINUTE, 60, 1)] == ["first"]
    assert [mail.key for mail in outbox.take(NOW + MINUTE, 60, 9)] == ["second"]
    assert outbox.take(NOW + 4 * MINUTE, 600, 0) == []


def test_a_mail_that_failed_is_due_again_when_it_is_said_to_be(outbox: Outbox, ledger: Ledger) -> None:
    outbox.put("signup:1", "ada@example.com", MAIL, NOW)
    [mail] = outbox.take(NOW, 60, 9)
    outbox.failed(mail, "452 mailbox full", NOW + 5 * MINUTE)
    assert (row(ledger)["state"], row(ledger)["problem"]) == ("waiting", "452 mailbox full")
    assert outbox.take(NOW + 4 * MINUTE, 60, 9) == []
    [again] = outbox.take(NOW + 5 * MINUTE, 60, 9)
    assert (again.mail, again.attempts) == (MAIL, 2)


@pytest.mark.parametrize("end", ["sent", "refused"])
def test_a_mail_that_came_to_its_end_leaves_no_link_behind_and_is_never_taken_again(
    outbox: Outbox, ledger: Ledger, end: str
) -> None:
    outbox.put("signup:1", "ada@example.com", MAIL, NOW)
    [mail] = outbox.take(NOW, 60, 9)
    if end == "sent":
        outbox.sent(mail, NOW + MINUTE)
    else:
        outbox.refused(mail, "550 nobody here", NOW + MINUTE)
    found = row(ledger)
    assert (found["state"], found["sent_at"]) == (end, NOW + MINUTE)
    assert (found["body_text"], found["body_html"], found["leased_until"]) == ("", "", None)
    assert outbox.take(NOW + timedelta(days=9), 60, 9) == []
    assert not outbox.put("signup:1", "ada@example.com", MAIL, NOW)


def test_a_deliverer_that_was_too_slow_changes_nothing_about_the_next_ones_attempt(
    outbox: Outbox, ledger: Ledger
) -> None:
    outbox.put("signup:1", "ada@example.com", MAIL, NOW)
    [slow] = outbox.take(NOW, 60, 9)
    [quick] = outbox.take(NOW + MINUTE, 60, 9)
    outbox.failed(slow, "timed out", NOW)
    outbox.refused(slow, "550 nobody here", NOW)
    assert row(ledger)["state"] == "sending"
    assert outbox.take(NOW + MINUTE, 60, 9) == []
    outbox.sent(quick, NOW + MINUTE)
    outbox.failed(slow, "timed out", NOW)
    assert row(ledger)["state"] == "sent"


def test_a_mail_that_a_slow_deliverer_did_send_is_sent_whoever_has_claimed_it_since(
    outbox: Outbox, ledger: Ledger
) -> None:
    outbox.put("signup:1", "ada@example.com", MAIL, NOW)
    [slow] = outbox.take(NOW, 60, 9)
    [quick] = outbox.take(NOW + MINUTE, 60, 9)
    outbox.sent(slow, NOW + MINUTE)
    outbox.failed(quick, "cannot be reached", NOW + MINUTE)
    assert row(ledger)["state"] == "sent"


def test_mails_that_ended_long_ago_are_forgotten_and_those_that_wait_never(outbox: Outbox) -> None:
    for key in ("sent", "refused", "sent just now", "waiting"):
        outbox.put(key, "ada@example.com", MAIL, NOW)
        if key != "waiting":
            [mail] = outbox.take(NOW, 60, 1)
            if key == "refused":
                outbox.refused(mail, "550", NOW)
            else:
                outbox.sent(mail, NOW + 2 * MINUTE if key == "sent just now" else NOW)
    assert outbox.purge(NOW + MINUTE) == 2
    assert [outbox.put(key, "ada@example.com", MAIL, NOW) for key in ("sent", "refused", "sent just now")] == [
        True, True, False,
    ]  # fmt: skip
    assert [mail.key for mail in outbox.take(NOW, 60, 9)] == ["waiting", "sent", "refused"]


def test_several_who_claim_at_once_get_every_mail_and_none_of_them_twice(ledger_url: str, outbox: Outbox) -> None:
    for number in range(60):
        outbox.put(f"signup:{number}", "ada@example.com", MAIL, NOW)
    taken: list[str] = []
    gate = threading.Barrier(4)

    def claim() -> None:
        mine = Ledger.open(DatabaseUrl(ledger_url))
        gate.wait()
        while found := mine.outbox.take(NOW, 60, 3):
            taken.extend(mail.key for mail in found)
        mine.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.extend(mail.key for mail in outbox.take(NOW, 60, 99))
    assert sorted(taken) == sorted(f"signup:{number}" for number in range(60))


def test_several_who_put_the_same_thing_at_once_put_it_once(ledger_url: str, outbox: Outbox) -> None:
    put: list[bool] = []
    gate = threading.Barrier(4)

    def try_it() -> None:
        mine = Ledger.open(DatabaseUrl(ledger_url))
        for number in range(20):
            gate.wait()
            put.append(mine.outbox.put(f"signup:{number}", "ada@example.com", MAIL, NOW))
        mine.close()

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (put.count(True), put.count(False)) == (20, 60)
    assert len(outbox.take(NOW, 60, 99)) == 20
