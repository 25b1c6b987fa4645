"""Acme's API: what it is asked, and what its records mean."""

from collections.abc import Iterator
from typing import Any

from tollbridge import Client, ClientStatus, Currency, InvoiceStatus, NotFound, Receipt, Refused, Unavailable
from tollbridge.http import Answer, Http, Retry
from tollbridge.reading import Row, day, decimal, flag, made, one_of, records, text, whole

from tollbridge_acme.settings import AcmeSettings

# What Acme calls a status, and what Tollbridge calls it.
CLIENT_STATUSES = {str(status): status for status in ClientStatus}
INVOICE_STATUSES = {str(status): status for status in InvoiceStatus}


class Api:
    """Calls to Acme."""

    def __init__(self, settings: AcmeSettings, retry: Retry | None = None) -> None:
        self._http = Http(
            settings.url,
            service="Acme",
            headers={"X-Api-Key": settings.key.reveal()},
            ca_file=settings.ca_file,
            retry=retry,
        )
        self.close = self._http.close

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return document(self._http.request("GET", path, params=parameters))

    def send(self, method: str, path: str, fields: Row | None = None) -> Answer:
        """Something that changes Acme; a POST is sent once and never again."""
        return self._http.request(method, path, json=fields)

    def _page(self, path: str, **parameters: Any) -> dict[str, Any]:
        """A page of a list. A no to it is nothing that one client could be blamed for."""
        try:
            return self.get(path, **parameters)
        except (Refused, NotFound) as error:
            raise Unavailable(f"Acme does not give its list of {path}: {error}") from None

    def every(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list; Unavailable if they are not as many as it says, since nothing is decided on a part."""
        total, page, read = 1, 0, 0
        while read < total:
            page += 1
            found = self._page(path, page=page, **parameters)
            total = whole(found, "total", f"Acme's list of {path}")
            rows = records(found.get("items"))
            if not rows and read < total:
                raise Unavailable(f"Acme says that {path} has {total} rows, and gave {read}")
            yield from rows
            read += len(rows)


def document(answer: Answer) -> dict[str, Any]:
    """The answer's JSON, unless it says no."""
    found = answer.json()
    if answer.status == 404:
        raise NotFound("Acme has no such thing")
    if not answer.ok or not isinstance(found, dict):
        said = text(found, "error") if isinstance(found, dict) else ""
        raise Refused(f"Acme refuses: {said or answer.status}")
    return found


def client_of(row: Row) -> Client:
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


def currency_of(row: Row) -> Currency:
    who = f"currency {row.get('code')} in Acme"
    decimals = whole(row, "decimals", who)
    return made(who, Currency, code=text(row, "code"), prefix=text(row, "symbol"), decimals=decimals)


def receipt_of(row: Row) -> Receipt:
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
        balance=decimal(row, "balance", who),
        currency=text(row, "currency"),
    )
