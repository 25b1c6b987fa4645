"""What the hooks cost in calls, and that those which only read change nothing."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest

from tollbridge.adapters.billing import BillingSystem
from tollbridge.conformance.side import MONTH, OtherSide, an_invoice
from tollbridge.conformance.wire import Watch, watching
from tollbridge.errors import Refused
from tollbridge.model import Client, Receipt

_Asks = dict[str, Callable[[BillingSystem], object]]
_LONG_AGO = date(2000, 1, 1)


def _readings(client: Client, made: Receipt) -> _Asks:
    """Every hook that only reads, asked about a client and its invoice."""
    return {
        "client": lambda billing: billing.client(client.id),
        "clients": lambda billing: list(billing.clients()),
        "currencies": lambda billing: billing.currencies(),
        "terms": lambda billing: billing.terms(client, MONTH),
        "find_invoice": lambda billing: billing.find_invoice(client.id, made.reference),
        "invoice": lambda billing: billing.invoice(client.id, str(made.id), made.reference),
        "unpaid_invoices": lambda billing: list(billing.unpaid_invoices()),
        "invoices_since": lambda billing: list(billing.invoices_since(_LONG_AGO)),
        "authenticate": lambda billing: billing.authenticate(client.email, "wrong"),
        "portal_login_url": lambda billing: billing.portal_login_url(client.id),
    }


def _asked(side: OtherSide) -> tuple[Client, _Asks]:
    """Two clients with an invoice each, and what is asked about the first, as far as the adapter has the hooks."""
    clients = [side.some_client(id=1042 + number, email=f"client{number}@example.com") for number in range(2)]
    made = [side.billing().create_invoice(an_invoice(client)) for client in clients]
    readings, billing = _readings(clients[0], made[0]), side.billing()
    return clients[0], {hook: ask for hook, ask in readings.items() if billing.can(hook)}


def _creating(client: Client) -> Callable[[BillingSystem], object]:
    return lambda billing: billing.create_invoice(an_invoice(client, month="2026-08"))


class CostTests:
    """How many calls, and that reading is only reading."""

    def test_hooks_that_read_change_nothing_and_no_hook_asks_the_same_twice(self, side: OtherSide) -> None:
        """Each of 1,000 clients would wait for what is asked again, every hour."""
        client, readings = _asked(side)
        billing = side.billing(counted=False)
        asked: _Asks = {**readings, "create_invoice": _creating(client)}
        before = side.state()
        for hook, ask in asked.items():
            with watching(Watch()) as watch, suppress(Refused):
                ask(billing)
            assert watch.asked_twice() == [], f"{hook} asks the same twice"
            assert side.state() == before or hook == "create_invoice", f"{hook} changed something"

    def test_hooks_make_as_many_calls_as_they_may(self, side: OtherSide) -> None:
        if not side.most_calls:
            pytest.skip("most_calls of this other side is empty: no hook is held to a number of calls")
        client, readings = _asked(side)
        billing = side.billing()
        asked: _Asks = {**readings, "create_invoice": _creating(client)}
        for ask in readings.values():
            with suppress(Refused):
                ask(billing)
        counted = len(side.counted())
        for hook, ask in asked.items():
            with suppress(Refused):
                ask(billing)
            made = dict(side.counted()[counted:])
            if hook in side.most_calls and hook in made:
                assert made[hook] <= side.most_calls[hook], f"{hook} makes {made[hook]} calls"

    def test_an_invoice_may_appear_for_a_while_after_a_lost_answer(self, side: OtherSide) -> None:
        """A request that was cut off may still be worked on: in_doubt_seconds must not be zero."""
        client = side.some_client()
        with watching(Watch()) as watch:
            side.billing(counted=False).create_invoice(an_invoice(client))
        if all(call.is_sql for call in watch.calls):
            pytest.skip("create_invoice makes no HTTP call; a database can look inside its transaction")
        assert float(getattr(side.new_adapter(), "in_doubt_seconds", 30.0)) >= 1.0
