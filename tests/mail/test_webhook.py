"""Notices for the webhook: signed, tried again until they are taken, and apart from mails."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.mail.servers import MailServer
from tests.mail.waiting import MAIL, Clock, row, states
from tests.mail.webhooks import SECRET, Hook, a_webhook
from tollbridge.config import NotifySettings
from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import WEBHOOK, Mail
from tollbridge.mail import MailReport, NoServer, Sender, Webhook, deliver_due
from tollbridge.secret import Secret

NOTICE = Mail("run", json.dumps({"command": "run", "new": [{"who": "Zoë"}]}, ensure_ascii=False), "")
OPERATION = Path(__file__).resolve().parents[2] / "docs/operation.md"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with a_webhook() as running:
        yield running


@pytest.fixture
def webhook(hook: Hook) -> Iterator[Webhook]:
    with closing(Webhook(NotifySettings(webhook=hook.url, webhook_secret=Secret(SECRET)))) as made:
        yield made


def test_who_knows_the_secret_can_tell_that_a_notice_is_tollbridges(
    ledger: Ledger, clock: Clock, hook: Hook, webhook: Webhook
) -> None:
    ledger.outbox.put("notice", WEBHOOK, NOTICE, clock())
    assert deliver_due(ledger.outbox, webhook, clock) == MailReport(sent=1)
    [(path, headers, body)] = hook.received
    assert path == "/tollbridge"
    assert body == NOTICE.text.encode()
    documented: dict[str, Any] = {}
    [source] = re.findall(r"```python\n(.*?)```", OPERATION.read_text(encoding="utf-8"), re.DOTALL)
    exec(source, documented)  # noqa: S102 - what the page tells people to write
    check = documented["is_from_tollbridge"]
    assert check(SECRET, body, headers["Tollbridge-Signature"])
    assert not check(SECRET, body + b" ", headers["Tollbridge-Signature"])
    assert not check(SECRET[::-1], body, headers["Tollbridge-Signature"])
    assert SECRET not in str(headers)


@pytest.mark.parametrize("status", [500, 429, 404, 301])
def test_a_notice_that_is_not_taken_is_tried_again_and_is_the_same(
    ledger: Ledger, clock: Clock, hook: Hook, webhook: Webhook, status: int
) -> None:
    hook.answers = [status]
    ledger.outbox.put("notice", WEBHOOK, NOTICE, clock())
    report = deliver_due(ledger.outbox, webhook, clock)
    assert (report.sent, report.failed, states(ledger)) == (0, 1, {"notice": "waiting"})
    assert deliver_due(ledger.outbox, webhook, clock) == MailReport(), "not at once"
    clock.forward(minutes=2)
    assert deliver_due(ledger.outbox, webhook, clock) == MailReport(sent=1)
    first, second = hook.received
    assert first[2] == second[2]
    assert first[1]["Tollbridge-Delivery"] == second[1]["Tollbridge-Delivery"]
    assert (states(ledger), row(ledger, "notice")["body_text"]) == ({"notice": "sent"}, "")


def test_a_webhook_that_is_down_holds_up_no_mail_and_a_mail_server_that_is_down_no_notice(
    ledger: Ledger, clock: Clock, server: MailServer, hook: Hook, webhook: Webhook
) -> None:
    ledger.outbox.put("signup:1", "ada@example.com", MAIL, clock())
    ledger.outbox.put("notice", WEBHOOK, NOTICE, clock())
    with Sender(server.settings()) as sender:
        assert deliver_due(ledger.outbox, sender, clock) == MailReport(sent=1)
    assert hook.received == []
    assert deliver_due(ledger.outbox, webhook, clock) == MailReport(sent=1)
    assert [mail.recipient for mail in server.received] == ["ada@example.com"]


def test_to_try_a_webhook_sends_nothing_and_tells_whether_anybody_is_there(hook: Hook, webhook: Webhook) -> None:
    webhook.try_out()
    assert hook.received == []
    nobody = NotifySettings(webhook="http://127.0.0.1:9/nobody", webhook_secret=Secret(SECRET))
    with closing(Webhook(nobody)) as other, pytest.raises(NoServer, match=r"cannot be reached: http://127\.0\.0\.1:9:"):
        other.try_out()
