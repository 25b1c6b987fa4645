"""Beside a server mails are delivered by themselves."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from tests.mail.servers import HANG, MailServer, a_mail_server, free_port
from tests.mail.waiting import MAIL, Clock, states
from tollbridge.config import MailSettings
from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import Outbox
from tollbridge.mail import Delivery, Sender
from tollbridge.mail.message import Message

_PATIENCE = 60.0
_NEVER = 3600.0


def wait_until(condition: Callable[[], bool]) -> None:
    """Until it holds; a test that waits for ever has failed."""
    asking = threading.Event()
    for _ in range(int(_PATIENCE / 0.02)):
        if condition():
            return
        asking.wait(0.02)
    raise AssertionError("it never came to that")


def put(outbox: Outbox, name: str) -> None:
    outbox.put(f"signup:{name}", f"{name}@example.com", MAIL, datetime.now(UTC))


def test_mails_that_wait_are_delivered_when_a_server_starts_and_new_ones_when_it_is_woken(
    outbox: Outbox, ledger: Ledger, server: MailServer
) -> None:
    delivery = Delivery(outbox, Sender(server.settings()), every_seconds=_NEVER)
    put(outbox, "ada")
    delivery.start()
    wait_until(lambda: states(ledger) == {"signup:ada": "sent"})
    put(outbox, "bob")
    delivery.wake()
    wait_until(lambda: {*states(ledger).values()} == {"sent"})
    delivery.stop()
    assert server.recipients() == ["ada@example.com", "bob@example.com"]


def test_mails_that_nobody_woke_it_for_are_found_also_after_the_mail_server_was_away(
    outbox: Outbox, ledger: Ledger
) -> None:
    port = free_port()
    sender = Sender(MailSettings("127.0.0.1", "billing@example.com", port, "none"))
    hasty = Clock(datetime.now(UTC), timedelta(seconds=30))  # so that what was put off is soon due
    delivery = Delivery(outbox, sender, every_seconds=0.05, clock=hasty)
    put(outbox, "ada")
    with capture_logs() as logs:
        delivery.start()
        wait_until(lambda: bool(logs))
    assert logs[0]["event"] == "mail not sent yet"
    put(outbox, "bob")
    with a_mail_server(port=port) as server:
        wait_until(lambda: {*states(ledger).values()} == {"sent"})
        delivery.stop()
        assert sorted(server.recipients()) == ["ada@example.com", "bob@example.com"]


def test_stopping_finishes_the_mail_in_hand_and_begins_no_other(
    outbox: Outbox, ledger: Ledger, server: MailServer
) -> None:
    server.fault("DATA", HANG, times=1)
    put(outbox, "ada")
    put(outbox, "bob")
    delivery = Delivery(outbox, Sender(server.settings()), every_seconds=_NEVER)
    delivery.start()
    assert server.hung.wait(_PATIENCE)
    delivery.stop(timeout_seconds=0)
    server.let_go()
    delivery.stop(_PATIENCE)
    assert states(ledger) == {"signup:ada": "sent", "signup:bob": "waiting"}
    assert server.recipients() == ["ada@example.com"]


def test_a_delivery_that_never_began_can_be_stopped(outbox: Outbox, server: MailServer) -> None:
    Delivery(outbox, Sender(server.settings())).stop()


class ClumsySender(Sender):
    """A sender with a fault of its own, for one recipient."""

    def send(self, message: Message, *, still_ours: Callable[[], bool] = lambda: True) -> None:
        """Fail as only our own mistakes do."""
        if message.recipient.local == "ada":
            raise KeyError("a mistake")
        super().send(message, still_ours=still_ours)


def test_a_fault_of_ours_over_one_mail_is_logged_and_the_others_are_delivered(
    outbox: Outbox, ledger: Ledger, server: MailServer
) -> None:
    put(outbox, "ada")
    put(outbox, "bob")
    delivery = Delivery(outbox, ClumsySender(server.settings()), every_seconds=0.05)
    with capture_logs() as logs:
        delivery.start()
        wait_until(lambda: states(ledger)["signup:bob"] == "sent")
        delivery.stop()
    assert states(ledger) == {"signup:ada": "sending", "signup:bob": "sent"}
    assert "exc_info" in next(entry for entry in logs if entry["event"] == "mails wait")
