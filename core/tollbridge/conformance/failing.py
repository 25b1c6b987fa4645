"""What goes wrong between the bridge and a billing system, and that nothing of it is guessed or told to strangers."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

from tollbridge.adapters.billing import BillingSystem
from tollbridge.conformance.side import OtherSide, an_invoice
from tollbridge.errors import OutcomeUnknown, Refused, ServiceError, Unavailable
from tollbridge.logs import configure_logs
from tollbridge.model import Client, Receipt


@contextmanager
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Within it, everything is logged that can be."""
    configure_logs(verbose=True)
    caplog.set_level(logging.DEBUG)
    try:
        yield
    finally:
        structlog.reset_defaults()


class FailureTests:
    """Refusals, outages, lost answers, and secrets."""

    def test_an_outage_is_unavailable_to_every_hook(self, side: OtherSide) -> None:
        client = side.some_client()
        billing = side.billing()
        reference = f"TB-2026-07-{client.id}"
        calls = (
            lambda: billing.client(client.id),
            lambda: list(billing.clients()),
            lambda: billing.find_invoice(client.id, reference),
            lambda: list(billing.unpaid_invoices()),
            lambda: billing.create_invoice(an_invoice(client)),
        )
        with side.outage():
            for call in calls:
                with pytest.raises(Unavailable):
                    call()
        assert side.invoices() == []
        assert billing.client(client.id).id == client.id, "it works again once the other side does"

    def test_a_list_that_lacks_rows_is_unavailable(self, side: OtherSide) -> None:
        """Nothing is decided on a part: who is not listed would be taken for closed, or for paid."""
        clients = [side.some_client(id=1042 + n, email=f"client{n}@example.com") for n in range(3)]
        made = [side.billing().create_invoice(an_invoice(client)) for client in clients]
        billing = side.billing()
        lists: dict[str, Callable[[], object]] = {
            "clients": lambda: list(billing.clients()),
            "unpaid_invoices": lambda: list(billing.unpaid_invoices()),
            "find_invoice": lambda: billing.find_invoice(clients[2].id, made[2].reference),
        }
        with side.short_lists():
            for hook, ask in lists.items():
                try:
                    told = ask()
                except Unavailable:
                    continue
                whole = 1 if isinstance(told, Receipt) else len(told) if isinstance(told, list) else 0
                assert whole == (1 if hook == "find_invoice" else 3), f"{hook} gives a part, as if it were all"

    def test_a_wrong_key_is_no_empty_answer(self, side: OtherSide) -> None:
        client = side.some_client()
        with side.wrong_key():
            billing = side.billing()
            calls: list[Callable[[], object]] = [
                lambda: billing.client(client.id),
                lambda: list(billing.clients()),
                lambda: billing.find_invoice(client.id, f"TB-2026-07-{client.id}"),
                lambda: list(billing.unpaid_invoices()),
                lambda: billing.create_invoice(an_invoice(client)),
            ]
            if billing.can("authenticate"):
                calls.append(lambda: billing.authenticate(client.email, "wrong"))
            for call in calls:
                with pytest.raises((Refused, Unavailable)):
                    call()

    def test_check_finds_a_wrong_key(self, side: OtherSide) -> None:
        side.needs("check")
        with side.wrong_key():
            self._check_says_what_is_wrong(side)

    def test_check_finds_a_missing_permission(self, side: OtherSide) -> None:
        side.needs("check")
        with side.missing_permission():
            self._check_says_what_is_wrong(side)

    def test_check_finds_an_outage(self, side: OtherSide) -> None:
        side.needs("check")
        with side.outage():
            self._check_says_what_is_wrong(side)

    @staticmethod
    def _check_says_what_is_wrong(side: OtherSide) -> None:
        """In a line of its own, or by an error, which `tollbridge check` shows as one."""
        try:
            failed = [each for each in side.billing().check() if each.ok is False]
        except (Refused, Unavailable):
            return
        assert failed, "check finds nothing wrong"
        assert all(each.detail for each in failed), "and what to do about it"

    def test_an_adapter_is_made_while_its_billing_system_is_down(self, side: OtherSide) -> None:
        with side.outage():
            side.new_adapter()

    def test_a_refused_invoice_is_refused_and_not_there(self, side: OtherSide) -> None:
        client = side.some_client()
        with side.refusal(), pytest.raises(Refused) as told:
            side.billing().create_invoice(an_invoice(client))
        assert str(told.value)
        assert side.invoices() == []
        assert side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}") is None

    def test_a_lost_answer_is_unknown_and_the_invoice_is_found(self, side: OtherSide) -> None:
        client = side.some_client()
        with side.lost_answer(), pytest.raises(OutcomeUnknown):
            side.billing().create_invoice(an_invoice(client))
        assert len(side.invoices()) == 1
        found = side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}")
        assert found is not None
        assert str(found.id) == str(side.the_invoice().id)

    def test_secrets_show_nowhere(
        self, side: OtherSide, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with everything_logged(caplog):
            shown = self._everything_shown(side)
        written = capfd.readouterr()
        text = "\n".join([*shown, written.out, written.err, caplog.text])
        for secret in side.secrets:
            assert secret not in text

    def _everything_shown(self, side: OtherSide) -> list[str]:
        client = side.some_client()
        adapter = side.new_adapter()
        billing = side.billing()
        shown = [repr(adapter), str(adapter), *(repr(value) for value in getattr(adapter, "__dict__", {}).values())]
        billing.create_invoice(an_invoice(client, month="2026-06"))
        with side.outage():
            shown.append(self._error(billing, client))
        with side.refusal():
            shown.append(self._error(billing, client))
        return shown

    @staticmethod
    def _error(billing: BillingSystem, client: Client) -> str:
        with pytest.raises(ServiceError) as told:
            billing.create_invoice(an_invoice(client))
        return f"{told.value!r} {told.value}"
