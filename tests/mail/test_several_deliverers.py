"""Several processes deliver one ledger's mails, and some of them die."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

from tests.mail.servers import HANG, MailServer
from tests.mail.waiting import MAIL, Clock, row, states
from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import Outbox
from tollbridge.mail import MailReport, Sender, deliver_due
from tollbridge.mail.delivery import LEASE_SECONDS

_PATIENCE = 60.0


@contextmanager
def a_worker(ledger_url: str, port: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that is ready to deliver what is due."""
    command = [sys.executable, "-m", "tests.mail.worker", ledger_url, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        try:
            yield worker
        finally:
            worker.kill()


def begin(worker: "subprocess.Popen[str]") -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


def later() -> Clock:
    """A clock by which every lease of now is over."""
    return Clock(datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS), timedelta(0))


def test_several_processes_deliver_every_mail_once(
    ledger_url: str, outbox: Outbox, ledger: Ledger, server: MailServer
) -> None:
    names = [f"client{number}@example.com" for number in range(45)]
    for name in names:
        outbox.put(f"signup:{name}", name, MAIL, datetime.now(UTC))
    with ExitStack() as stack:
        workers = [stack.enter_context(a_worker(ledger_url, server.port)) for _ in range(3)]
        for worker in workers:
            begin(worker)
        assert [worker.wait(_PATIENCE) for worker in workers] == [0, 0, 0]
    assert Counter(server.recipients()) == Counter(names)
    assert {*states(ledger).values()} == {"sent"}


def test_a_mail_whose_deliverer_was_killed_before_it_was_sent_is_sent_when_the_claim_is_over(
    ledger_url: str, outbox: Outbox, ledger: Ledger, server: MailServer
) -> None:
    server.fault("RCPT", HANG)
    outbox.put("signup:1", "ada@example.com", MAIL, datetime.now(UTC))
    with a_worker(ledger_url, server.port) as worker:
        begin(worker)
        assert server.hung.wait(_PATIENCE)
        worker.kill()
        worker.wait(_PATIENCE)
    server.clear()
    assert (states(ledger), server.received) == ({"signup:1": "sending"}, [])
    sender = Sender(server.settings())
    assert deliver_due(outbox, sender) == MailReport(), "it might still be in good hands"
    assert deliver_due(outbox, sender, later()) == MailReport(sent=1)
    assert (len(server.received), row(ledger)["attempts"]) == (1, 2)


def test_a_mail_whose_deliverer_was_killed_while_the_server_took_it_is_sent_again_as_the_very_same(
    ledger_url: str, outbox: Outbox, ledger: Ledger, server: MailServer
) -> None:
    server.fault("DATA", HANG)
    outbox.put("signup:1", "ada@example.com", MAIL, datetime.now(UTC))
    with a_worker(ledger_url, server.port) as worker:
        begin(worker)
        assert server.hung.wait(_PATIENCE)
        worker.kill()
        worker.wait(_PATIENCE)
    server.clear()
    sender = Sender(server.settings())
    assert deliver_due(outbox, sender) == MailReport()
    assert deliver_due(outbox, sender, later()) == MailReport(sent=1)
    first, second = server.received
    assert first.message["Message-ID"].split("@")[1] == "example.com>"
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert states(ledger) == {"signup:1": "sent"}
