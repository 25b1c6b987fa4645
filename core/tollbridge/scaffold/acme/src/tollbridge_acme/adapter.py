"""The adapter: each hook as calls of Acme's API."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tollbridge import (
    Check,
    Client,
    ClientStatus,
    Currency,
    Invoice,
    InvoiceStatus,
    NotFound,
    OutcomeUnknown,
    Receipt,
    Refused,
    TaxRate,
    Terms,
    Unavailable,
    hookimpl,
)
from tollbridge.http import Answer, Http, Retry
from tollbridge.reading import Row, day, decimal, flag, made, one_of, records, reference_in, text, whole

from tollbridge_acme.settings import AcmeSettings

# What Acme calls a status, and what Tollbridge calls it.
CLIENT_STATUSES = {str(status): status for status in ClientStatus}
INVOICE_STATUSES = {str(status): status for status in InvoiceStatus}


class AcmeAdapter:
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
    }

    def __init__(self, settings: AcmeSettings, retry: Retry | None = None) -> None:
        self._http = Http(
            settings.url,
            service="Acme",
            headers={"X-Api-Key": settings.key.reveal()},
            ca_file=settings.ca_file,
            retry=retry,
        )

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        try:
            return _client(self._get(f"clients/{client_id}"))
        except NotFound:
            return None

    @hookimpl
    def clients(self) -> Iterator[Client]:
        return map(_client, self._every("clients"))

    @hookimpl
    def currencies(self) -> list[Currency]:
        return [_currency(row) for row in self._every("currencies")]

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """Acme tells its taxes; it has no discounts, so bridge.toml's apply."""
        found = self._every("taxes", country=client.country)
        return Terms(discounts=None, taxes=tuple(TaxRate(text(row, "name"), text(row, "percent")) for row in found))

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        if invoice.prices_include_tax and invoice.taxes:
            raise Refused(f"{invoice.reference}: Acme adds tax to prices: set pricing.prices_include_tax = false")
        lines = [
            {"description": line.description, "amount": f"{line.amount:f}", "taxed": line.taxed}
            for line in invoice.lines
        ]
        answer = self._http.request(
            "POST",
            "invoices",
            json={
                "reference": invoice.reference,
                "client": invoice.client_id,
                "currency": invoice.currency,
                "date": invoice.issue_date.isoformat(),
                "due": invoice.due_date.isoformat(),
                "lines": lines,
            },
        )
        try:
            return _receipt(_document(answer))
        except Refused:
            if answer.ok:  # it is made, and what came back makes no sense
                raise OutcomeUnknown(f"Acme's answer for {invoice.reference} cannot be read") from None
            raise
        except Unavailable as error:
            raise OutcomeUnknown(f"Acme was sent {invoice.reference}, and {error}") from None

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        rows = self._every("invoices", client=client_id, reference=reference)
        return next(map(_receipt, rows), None)

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        for status in ("unpaid", "pending"):
            yield from map(_receipt, self._every("invoices", status=status))

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:
        """Whoever's it is now: the receipt names the client that Acme names."""
        try:
            return _receipt(self._get(f"invoices/{invoice_id}"))
        except NotFound:
            return None

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt]:
        rows = self._every("invoices", created_since=day.isoformat())
        return (_receipt(row) for row in rows if reference_in(text(row, "reference")))

    @hookimpl
    def close(self) -> None:
        self._http.close()

    @hookimpl
    def check(self) -> list[Check]:
        currencies = ", ".join(currency.code for currency in self.currencies())
        return [Check("Acme", ok=True, detail=f"answers, with the currencies {currencies}")]

    def _get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return _document(self._http.request("GET", path, params=parameters))

    def _page(self, path: str, **parameters: Any) -> dict[str, Any]:
        """A page of a list. A no to it is nothing that one client could be blamed for."""
        try:
            return self._get(path, **parameters)
        except (Refused, NotFound) as error:
            raise Unavailable(f"Acme does not give its list of {path}: {error}") from None

    def _every(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list; Unavailable if they are not as many as it says, since nothing is decided on a part."""
        total, page, read = 1, 0, 0
        while read < total:
            page += 1
            document = self._page(path, page=page, **parameters)
            total = whole(document, "total", f"Acme's list of {path}")
            rows = records(document.get("items"))
            if not rows and read < total:
                raise Unavailable(f"Acme says that {path} has {total} rows, and gave {read}")
            yield from rows
            read += len(rows)


def _document(answer: Answer) -> dict[str, Any]:
    """The answer's JSON, unless it says no."""
    document = answer.json()
    if answer.status == 404:
        raise NotFound("Acme has no such thing")
    if not answer.ok or not isinstance(document, dict):
        said = text(document, "error") if isinstance(document, dict) else ""
        raise Refused(f"Acme refuses: {said or answer.status}")
    return document


def _client(row: Row) -> Client:
    who = f"client {row.get('id')} in Acme"
    return made(
        who,
        Client,
        id=whole(row, "id", who),
        email=text(row, "email"),
        currency=text(row, "currency"),
        first_name=text(row, "first_name"),
        last_name=text(row, "last_name"),
        company=text(row, "company"),
        status=one_of(row, "status", CLIENT_STATUSES, who),
        country=text(row, "country"),
        state=text(row, "state"),
        tax_exempt=flag(row, "tax_exempt", who),
    )


def _currency(row: Row) -> Currency:
    who = f"currency {row.get('code')} in Acme"
    decimals = whole(row, "decimals", who)
    return made(who, Currency, code=text(row, "code"), prefix=text(row, "symbol"), decimals=decimals)


def _receipt(row: Row) -> Receipt:
    who = f"invoice {row.get('reference')} in Acme"
    return made(
        who,
        Receipt,
        id=whole(row, "id", who),
        reference=text(row, "reference"),
        client_id=whole(row, "client", who),
        status=one_of(row, "status", INVOICE_STATUSES, who),
        due_date=day(row, "due", who),
        total=decimal(row, "total", who),
        currency=text(row, "currency"),
    )
