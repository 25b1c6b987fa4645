"""The adapter: each hook as calls of Acme's API. How an invoice is made stands in creating.py."""

from collections.abc import Iterator, Mapping
from datetime import date

from tollbridge import Check, Client, Currency, NotFound, Receipt, Refused, TaxRate, Terms, hookimpl
from tollbridge.http import Retry
from tollbridge.reading import reference_in, text

from tollbridge_acme.api import Api, client_of, currency_of, receipt_of
from tollbridge_acme.creating import InvoiceCreating
from tollbridge_acme.settings import AcmeSettings


class AcmeAdapter(InvoiceCreating):
    """Billing in Acme."""

    Settings = AcmeSettings
    # How long after a request without an answer an invoice may still appear.
    in_doubt_seconds = 60.0
    # How many calls at once Acme stands; hooks are called from several threads.
    at_once = 4
    # What it cannot do, and why; see "What an adapter cannot do" in Tollbridge's docs/adapters.md.
    cannot: Mapping[str, str] = {
        "discounts": "Acme has none for clients: give them in [[pricing.discounts]]",
        "prices_include_tax": "Acme adds tax to prices",
        "set_taxes": "Acme charges its own taxes",
    }

    def __init__(self, settings: AcmeSettings, retry: Retry | None = None) -> None:
        self._api = Api(settings, retry)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        try:
            return client_of(self._api.get(f"clients/{client_id}"))
        except NotFound:
            return None

    @hookimpl
    def clients(self) -> Iterator[Client]:
        return map(client_of, self._api.every("clients"))

    @hookimpl
    def currencies(self) -> list[Currency]:
        return [currency_of(row) for row in self._api.every("currencies")]

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """Acme tells its taxes; it has no discounts, so bridge.toml's apply."""
        found = self._api.every("taxes", country=client.country)
        return Terms(discounts=None, taxes=tuple(TaxRate(text(row, "name"), text(row, "percent")) for row in found))

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        found = [*map(receipt_of, self._api.every("invoices", client=client_id, reference=reference))]
        if len(found) > 1:  # as where somebody duplicated it: only a human knows which one is right
            numbers = ", ".join(str(receipt.id) for receipt in found)
            raise Refused(f"Acme's invoices {numbers} all have the reference {reference}: take it out of all but one")
        return found[0] if found else None

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        rows = (row for status in ("unpaid", "pending") for row in self._api.every("invoices", status=status))
        return map(receipt_of, rows)  # goes on after a row that cannot be read, where a function with yield would end

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:
        """Whoever's it is now: the receipt names the client that Acme names."""
        try:
            return receipt_of(self._api.get(f"invoices/{invoice_id}"))
        except NotFound:
            return None

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt]:
        rows = self._api.every("invoices", created_since=day.isoformat())
        return (receipt_of(row) for row in rows if reference_in(text(row, "reference")))

    @hookimpl
    def close(self) -> None:
        self._api.close()

    @hookimpl
    def check(self) -> list[Check]:
        currencies = ", ".join(currency.code for currency in self.currencies())
        return [Check("Acme", ok=True, detail=f"answers, with the currencies {currencies}")]
