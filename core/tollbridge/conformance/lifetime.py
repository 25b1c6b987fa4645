"""One adapter in a long process: called from many threads at once, and closed at the end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from typing import Any

from tollbridge.conformance.side import MONTH, OtherSide, an_invoice
from tollbridge.errors import TollbridgeError
from tollbridge.model import Client

_MOST_THREADS = 8
_LONG_AGO = date(2000, 1, 1)


def _questions(side: OtherSide, client: Client, invoice_id: str) -> list[Callable[[Any], Any]]:
    """Every hook that changes nothing and is there, asked about one client."""
    reference = f"TB-2026-06-{client.id}"
    always: list[Callable[[Any], Any]] = [
        lambda billing: billing.client(client.id),
        lambda billing: sorted(each.id for each in billing.clients()),
        lambda billing: billing.currencies(),
        lambda billing: billing.terms(client, MONTH),
        lambda billing: billing.find_invoice(client.id, reference),
        lambda billing: billing.find_invoice(client.id, f"TB-1999-01-{client.id}"),
        lambda billing: sorted(str(each.id) for each in billing.unpaid_invoices() if "2026-06" in each.reference),
    ]
    optional: dict[str, Callable[[Any], Any]] = {
        "invoice": lambda billing: billing.invoice(client.id, invoice_id, reference),
        "invoices_since": lambda billing: sorted(
            str(each.id) for each in billing.invoices_since(_LONG_AGO) if "2026-06" in each.reference
        ),
    }
    return [*always, *(ask for hook, ask in optional.items() if hook not in side.cannot())]


class LifetimeTests:
    """All hooks from several threads, and the hook ``close``."""

    def test_every_hook_answers_many_threads_as_it_answers_one(self, side: OtherSide) -> None:
        clients = [side.some_client(id=1042 + n, email=f"client{n}@example.com") for n in range(4)]
        billing = side.billing()
        of_each = [
            _questions(side, client, str(billing.create_invoice(an_invoice(client, month="2026-06")).id))
            for client in clients
        ]
        # The same question about different clients, one right after the other, so that they meet.
        questions = [ask for asked_of_all in zip(*of_each, strict=True) for ask in asked_of_all]
        if "authenticate" not in side.cannot():
            questions.append(lambda billing: billing.authenticate(clients[0].email, "wrong"))
        answers = [ask(billing) for ask in questions]
        shared = side.billing()
        with ThreadPoolExecutor(max(2, min(_MOST_THREADS, shared.at_once))) as pool:
            made_at_once = [pool.submit(shared.create_invoice, an_invoice(client)) for client in clients]
            told_at_once = [pool.submit(shared.remember_user, client.id, client.id + 7) for client in clients]
            asked_at_once = [pool.submit(ask, shared) for ask in questions]
        assert [answer.result() for answer in asked_at_once] == answers
        receipts = [answer.result() for answer in made_at_once]
        assert [receipt.client_id for receipt in receipts] == [client.id for client in clients]
        assert [answer.result() for answer in told_at_once] == [None] * len(clients)
        assert len(side.invoices()) == 2 * len(clients)

    def test_close_leaves_nothing_behind_and_the_next_adapter_works(self, side: OtherSide) -> None:
        side.needs("close")
        client = side.some_client()
        adapter = side.new_adapter()
        assert adapter.client(client.id) == side.billing().client(client.id)
        before = side.state()
        adapter.close()
        adapter.close()
        assert side.state() == before
        assert side.billing().client(client.id).id == client.id

    def test_close_of_an_adapter_that_was_never_used_does_nothing(self, side: OtherSide) -> None:
        side.needs("close")
        side.new_adapter().close()

    def test_close_in_an_outage_ends(self, side: OtherSide) -> None:
        """It may say that there was nobody to log out from; anything else is a fault of the adapter."""
        side.needs("close")
        client = side.some_client()
        adapter = side.new_adapter()
        adapter.client(client.id)
        with side.outage(), suppress(TollbridgeError):
            adapter.close()
