"""The services that an invoice is made of: one for each line, charged once, and tagged with the reference."""

import html
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from tollbridge import Invoice, InvoiceLine, OutcomeUnknown, Refused, Unavailable
from tollbridge.asking import whole_list
from tollbridge.reading import Row, carries, decimal, text, whole, without_references
from tollbridge_ubersmith.api import Api

# What is kept of a long description may be cut off, and never before this.
_SURE_WORDS = 60
_GONE = {"0", "4"}
_UNBILLED = {"", "0"}


@attrs.frozen
class Service:
    """A tagged service; ``is_gone``: it was deactivated or cancelled, and is not billed any more.

    ``created`` is in seconds since 1970; 0 if that is not told.
    """

    id: int
    description: str
    price: Decimal
    is_gone: bool
    is_billed: bool
    is_once: bool
    created: int

    def is_for(self, line: "Charge") -> bool:
        """Whether this service charges the line, whatever its text was cut to."""
        mine, wanted = _words(self.description), _words(line.description)
        same = mine == wanted or (len(mine) >= _SURE_WORDS and wanted.startswith(mine))
        return same and self.is_once and self.price == line.amount


@attrs.frozen
class Charge:
    """A line as it is sent."""

    description: str
    amount: Decimal
    taxed: bool


def charges(invoice: Invoice) -> list[Charge]:
    """The invoice's lines; the first one begins with the reference, and says which months are billed.

    Raises:
        Refused: there are none.
    """
    if not invoice.lines:
        raise Refused(f"{invoice.reference} has no lines")
    head = next((line for line in invoice.notes.splitlines() if carries(line, invoice.reference)), invoice.reference)
    return [_charge(line, f"{head.strip()}: " if place == 0 else "") for place, line in enumerate(invoice.lines)]


def _charge(line: InvoiceLine, head: str) -> Charge:
    return Charge(f"{head}{' '.join(without_references(line.description).split())}", line.amount, line.taxed)


def tagged(api: Api, field: str, client_id: int, reference: str) -> list[Service]:
    """The client's services that carry the reference in the field, whatever became of them.

    Raises:
        Unavailable: the list is not whole, or does not show the field.
    """
    # 0 and 2 leave out one-time services that began a month ago, and what is filtered by must be asked for, too.
    wanted = {"client_id": client_id, "pack_type_select": 3, "metadata": {field: 1}, field: reference}
    with whole_list():
        rows = api.every("client.service_list", **wanted)
        return [_service(row) for row in rows if _is_tagged(row, field, client_id, reference)]


def _is_tagged(row: Row, field: str, client_id: int, reference: str) -> bool:
    return tag(row, field) == reference and whole(row, "clientid", "a service in Ubersmith") == client_id


def tag(row: Row, field: str) -> str:
    """What a service has in the custom field, in whichever form custom fields come."""
    for name in (field, f"meta_{field}"):
        if name in row:
            return text(row, name)
    if "metadata" not in row:
        raise Unavailable(f"Ubersmith's service {text(row, 'packid')} comes without its custom fields")
    found = row["metadata"] or {}
    if isinstance(found, Mapping) and not isinstance(found.get(field), Mapping) and field in found:
        return text(found, field)
    each = found.values() if isinstance(found, Mapping) else found
    return next((text(one, "value") for one in each if isinstance(one, Mapping) and one.get("variable") == field), "")


def _service(row: Row) -> Service:
    who = f"Ubersmith's service {whole(row, 'packid', 'a service')}"
    return Service(
        id=whole(row, "packid", who),
        description=text(row, "desserv"),
        price=decimal(row, "price", who),
        is_gone=text(row, "active") in _GONE,
        is_billed=text(row, "billed") not in _UNBILLED,
        is_once=text(row, "period") in {"", "0"},
        created=whole(row, "created", who) if text(row, "created") else 0,
    )


def assigned(lines: Sequence[Charge], left: Sequence[Service]) -> tuple[dict[int, int], list[Service]]:
    """Which lines, by their places, are charged by which services that are there; and the services of no line."""
    rest = list(left)
    found: dict[int, int] = {}
    for place, line in enumerate(lines):
        service = next((each for each in rest if each.is_for(line)), None)
        if service is not None:
            rest.remove(service)
            found[place] = service.id
    return found, rest


def new_service(client_id: int, line: Charge, taxes: Sequence[int], field: str, reference: str) -> dict[str, Any]:
    """The arguments of ``client.service_add``.

    A service is monthly unless its ``period`` is 0, and without a ``discount`` of its own it may take the client's.
    Older versions take taxes as a list of numbers, newer ones as a map from numbers: ``taxes[3]=3`` is both.
    """
    numbers = taxes if line.taxed else ()
    return {
        "client_id": client_id,
        "description": line.description,
        "period": 0,
        "price": f"{line.amount:f}",
        "quantity": 1,
        "discount": 0,
        "discount_type": 0,
        "tax_engine_id": 0,
        "taxes": {number: number for number in numbers} or {0: 0},
        f"meta_{field}": reference,
    }


def number_of(answer: Any, reference: str) -> int:
    """The number in the answer of ``client.service_add``.

    Raises:
        OutcomeUnknown: there is none, so that it is not known what was made.
    """
    try:
        return whole({"id": answer}, "id", "the new service")
    except Refused:
        raise OutcomeUnknown(f"Ubersmith was sent a service of {reference}, and its answer has no number") from None


def _words(description: str) -> str:
    return " ".join(html.unescape(description).split())
