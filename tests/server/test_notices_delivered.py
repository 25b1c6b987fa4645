"""A server delivers what waits in the outbox: the operator's notices, with and without pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from tests.mail.webhooks import SECRET, Hook, a_webhook
from tests.world import World
from tollbridge.ledger.outbox import WEBHOOK, Mail
from tollbridge.mail import Delivery
from tollbridge.server.app import create_app

MAIL = """
[mail]
host = "127.0.0.1"
port = 9
security = "none"
sender = "tollbridge@example.com"
"""
NOTICE = Mail("run", '{"command": "run"}', "")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with a_webhook() as running:
        yield running


@contextmanager
def delivering(deliveries: list[Delivery]) -> Iterator[None]:
    for each in deliveries:
        each.start()
    try:
        yield
    finally:
        for each in deliveries:
            each.stop()


def test_a_server_without_pages_delivers_a_notice_that_a_run_could_not(world: World, hook: Hook) -> None:
    world.more = f'[notify]\nmail = "ops@example.com"\nwebhook = "{hook.url}"\nwebhook_secret = "{SECRET}"\n{MAIL}'
    with world.parts() as parts:
        parts.ledger.outbox.put("notice", WEBHOOK, NOTICE, datetime.now(UTC))
        deliveries = create_app(parts).state.deliveries
        assert len(deliveries) == 2, "one for mails, one for the webhook"
        with delivering(deliveries):
            for _ in range(200):
                if hook.received:
                    break
                threading.Event().wait(0.05)
    assert hook.bodies == [NOTICE.text.encode()]


def test_a_server_that_has_nobody_to_tell_delivers_nothing(world: World) -> None:
    with world.parts() as parts:
        assert create_app(parts).state.deliveries == []
