"""Every mail of the outbox is delivered, or it is known why not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Self

import attrs
import pytest
from structlog.testing import capture_logs

from tests.mail.servers import CUT, HANG, MailServer, a_mail_server, free_port
from tests.mail.waiting import LINK, MAIL, Clock, row, states
from tollbridge.config import MailSettings
from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import Mail, Outbox
from tollbridge.mail import MailReport, Sender, deliver_due
from tollbridge.mail.delivery import LEASE_SECONDS
from tollbridge.secret import Secret


@attrs.frozen
class Post:
    """All that has to do with mails, at one moment."""

    ledger: Ledger
    server: MailServer
    sender: Sender
    clock: Clock

    @property
    def outbox(self) -> Outbox:
        """The mails."""
        return self.ledger.outbox

    def put(self, *names: str) -> None:
        """A mail for each."""
        for name in names:
            assert self.outbox.put(f"signup:{name}", f"{name}@example.com", MAIL, self.clock())

    @property
    def impatient(self) -> Self:
        """The same, waiting for no answer long."""
        return attrs.evolve(self, sender=Sender(self.server.settings(), step_seconds=1, answer_seconds=1))

    def deliver(self, rounds: int = 99) -> MailReport:
        """Deliver what is due, and so many mails of it."""
        return deliver_due(self.outbox, self.sender, self.clock, go_on=iter([True] * rounds + [False]).__next__)


@pytest.fixture
def post(ledger: Ledger, server: MailServer, clock: Clock) -> Iterator[Post]:
    """A ledger of each kind, and a server that takes every mail."""
    with Sender(server.settings()) as sender:
        yield Post(ledger, server, sender, clock)


def test_what_is_due_is_delivered_once_and_its_link_is_kept_no_longer(post: Post) -> None:
    post.put("ada", "bob")
    assert post.deliver() == MailReport(sent=2)
    assert post.deliver() == MailReport()
    assert post.server.recipients() == ["ada@example.com", "bob@example.com"]
    assert LINK in post.server.received[0].message.get_body(["plain"]).get_content()  # type: ignore[union-attr]
    found = row(post.ledger, "signup:ada")
    assert (found["state"], found["sent_at"], found["attempts"]) == ("sent", post.clock.now, 1)
    assert LINK not in repr(found)


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
def test_a_mail_that_is_refused_for_good_is_not_tried_again(post: Post, stage: str) -> None:
    post.server.fault(stage, "550 5.1.1 nobody here")
    post.put("ada")
    assert post.deliver() == MailReport(refused=1)
    post.server.clear()
    post.clock.forward(days=9)
    assert post.deliver() == MailReport()
    found = row(post.ledger, "signup:ada")
    assert (found["state"], found["body_text"]) == ("refused", "")
    assert "550 5.1.1 nobody here" in found["problem"]


def test_a_mail_that_is_put_off_is_tried_again_ever_more_rarely_and_given_up_after_three_days(post: Post) -> None:
    post.server.fault("RCPT", "450 4.2.0 mailbox busy")
    post.put("ada")
    begun, waits = post.clock.now, []
    while post.deliver() == MailReport(failed=1):
        wait = row(post.ledger, "signup:ada")["next_attempt_at"] - post.clock.now
        post.clock.forward(seconds=wait.total_seconds() - 1)
        assert post.deliver() == MailReport(), "not a second too early"
        post.clock.forward(seconds=1)
        waits.append(wait)
    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[360] * 11]
    assert timedelta(days=3) <= post.clock.now - begun < timedelta(days=3, hours=6)
    assert len(post.server.commands) == 2 * 21
    found = row(post.ledger, "signup:ada")
    assert found["state"] == "refused"
    assert found["problem"].startswith("given up after 21 attempts: ")


def test_a_mail_that_was_put_off_arrives_when_the_server_is_well_again(post: Post) -> None:
    post.server.fault("DATA", "452 4.3.1 disk full", times=2)
    post.put("ada")
    for minutes in (1, 2):
        assert post.deliver() == MailReport(failed=1)
        post.clock.forward(minutes=minutes)
    assert post.deliver() == MailReport(sent=1)


@pytest.mark.parametrize(("stage", "answer"), [("MAIL", "550 5.7.1 not you"), ("RCPT", "530 5.7.0 log in first")])
def test_a_fault_of_our_settings_costs_no_customer_a_mail(post: Post, stage: str, answer: str) -> None:
    post.server.fault(stage, answer)
    post.put("ada")
    assert post.deliver() == MailReport(failed=1)
    post.server.clear()
    post.clock.forward(minutes=1)
    assert post.deliver() == MailReport(sent=1)


@pytest.mark.parametrize("stage", ["MAIL", "RCPT"])
def test_a_connection_cut_before_the_mail_was_sent_costs_nothing(post: Post, stage: str) -> None:
    post.server.fault(stage, CUT, times=1)
    post.put("ada")
    assert post.deliver() == MailReport(failed=1)
    assert post.server.received == []
    post.clock.forward(minutes=1)
    assert post.deliver() == MailReport(sent=1)
    assert len(post.server.received) == 1


@pytest.mark.parametrize("answer", [CUT, HANG])
def test_a_mail_whose_answer_was_lost_is_sent_again_as_the_very_same(post: Post, answer: str) -> None:
    post.server.fault("DATA", answer, times=1)
    post.put("ada")
    assert post.impatient.deliver() == MailReport(failed=1)
    assert "its answer was lost" in row(post.ledger, "signup:ada")["problem"]
    post.clock.forward(minutes=1)
    assert post.deliver() == MailReport(sent=1)
    first, second = post.server.received
    assert first.content == second.content
    assert first.message["Message-ID"] == second.message["Message-ID"]


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["550 5.1.1 nobody here", "450 4.2.0 busy", "421 4.3.2 enough", CUT, HANG])
def test_one_bad_recipient_holds_up_no_other(post: Post, stage: str, answer: str) -> None:
    post.server.fault(stage, answer, address="eve@example.com")
    post.put("ada", "eve", "bob")
    report = post.impatient.deliver()
    assert (report.sent, report.failed + report.refused) == (2, 1)
    assert {"ada@example.com", "bob@example.com"} <= {*post.server.recipients()}
    assert [key for key, state in states(post.ledger).items() if state == "sent"] == ["signup:ada", "signup:bob"]


def test_while_the_server_is_away_one_mail_asks_for_it_and_all_arrive_when_it_is_back(post: Post) -> None:
    port = free_port()
    away = attrs.evolve(post, sender=Sender(MailSettings("127.0.0.1", "billing@example.com", port, "none")))
    away.put("ada", "bob", "cid")
    report = away.deliver()
    assert (report.sent, report.failed, report.refused) == (0, 1, 0)
    assert report.no_server is not None
    assert [row(post.ledger, f"signup:{name}")["attempts"] for name in ("ada", "bob", "cid")] == [1, 0, 0]
    with a_mail_server(port=port) as server:
        away.clock.forward(minutes=1)
        assert away.deliver() == MailReport(sent=3)
        assert sorted(server.recipients()) == ["ada@example.com", "bob@example.com", "cid@example.com"]


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [
        ("ada@example.com\r\nBcc: eve@example.com", "Hi"),
        ("ada", "Hi"),
        ("ada@example.com", "Hi\r\nBcc: eve@example.com"),
    ],
)
def test_a_mail_with_a_header_in_its_address_or_subject_is_refused_and_the_next_is_sent(
    post: Post, recipient: str, subject: str
) -> None:
    post.outbox.put("signup:1", recipient, Mail(subject, "text", "<p>html</p>"), post.clock())
    post.put("bob")
    assert post.deliver() == MailReport(sent=1, refused=1)
    assert post.server.recipients() == ["bob@example.com"]
    assert row(post.ledger)["problem"].startswith("this mail cannot be written: ")


def test_a_deliverer_that_was_held_up_until_its_claim_grew_old_does_not_send(post: Post) -> None:
    post.put("ada")
    post.clock.step = timedelta(seconds=LEASE_SECONDS)
    report = post.deliver(1)
    assert (report, post.server.received) == (MailReport(failed=1), [])
    post.clock.step = timedelta(0)
    post.clock.forward(minutes=1)
    assert post.deliver() == MailReport(sent=1)


def test_a_round_ends_after_the_mail_in_hand_when_it_is_told_to(post: Post) -> None:
    post.put("ada", "bob")
    assert post.deliver(1) == MailReport(sent=1)
    assert states(post.ledger) == {"signup:ada": "sent", "signup:bob": "waiting"}


def test_neither_the_log_nor_the_ledger_has_a_link_that_the_server_quotes_nor_the_password(post: Post) -> None:
    hidden = Secret("s3cr3t-word")
    post.server.fault("DATA", f"554 5.7.1 spam: {LINK} {hidden.reveal()} {'x' * 400}", address="ada@example.com")
    post.server.fault("DATA", f"452 4.7.1 spam? <{LINK}>, {LINK}.", address="bob@example.com")
    post.put("ada", "bob", "cid")
    with capture_logs() as logs:
        assert post.deliver() == MailReport(sent=1, failed=1, refused=1)
    assert len(logs) == 3
    nonce, _, signature = LINK.rpartition("/")[2].rpartition(".")
    shown = repr(logs) + row(post.ledger, "signup:ada")["problem"] + row(post.ledger, "signup:bob")["problem"]
    assert "554 5.7.1 spam: https://bridge.example.com/cloud/confirm/…" in shown
    for part in (nonce, signature, hidden.reveal(), "example.com/cloud/confirm/I"):
        assert part not in shown
    assert "@example.com" not in repr(logs)
