"""What goes wrong between the bridge and a billing system, and that nothing of it is guessed or told to strangers."""

import logging

import pytest
import structlog

from tollbridge.adapters.billing import BillingSystem
from tollbridge.conformance.side import OtherSide, an_invoice
from tollbridge.errors import OutcomeUnknown, Refused, ServiceError, Unavailable
from tollbridge.logs import configure_logs
from tollbridge.model import Client


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

    def test_an_adapter_is_made_while_its_billing_system_is_down(self, side: OtherSide) -> None:
        with side.outage():
            side.adapter()

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
        configure_logs(verbose=True)
        caplog.set_level(logging.DEBUG)
        try:
            shown = self._everything_shown(side)
        finally:
            structlog.reset_defaults()
        written = capfd.readouterr()
        text = "\n".join([*shown, written.out, written.err, caplog.text])
        for secret in side.secrets:
            assert secret not in text

    def _everything_shown(self, side: OtherSide) -> list[str]:
        client = side.some_client()
        adapter = side.adapter()
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
