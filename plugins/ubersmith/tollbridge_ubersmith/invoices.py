"""Invoices as Ubersmith takes and gives them."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from html import unescape
from typing import Any

from tollbridge import InvoiceStatus, Receipt, Refused, Unavailable
from tollbridge.asking import whole_list
from tollbridge.reading import Row, decimal, made, months_in, one_of, records, reference_in, text, whole
from tollbridge_ubersmith.api import Api, Declined
from tollbridge_ubersmith.services import Service
from tollbridge_ubersmith.settings import UbersmithSettings

# Disregarded invoices keep their open amount, so this field alone says what they are.
_STATUSES = {"0": InvoiceStatus.UNPAID, "1": InvoiceStatus.PAID, "2": InvoiceStatus.CANCELLED}
# Where an invoice may show the services that it charges.
_SERVICES = ("current_packs", "pre_billed_packs")
_LISTED_SERVICES = ("services", "services_details", "packs", *_SERVICES)
_CENT = Decimal("0.01")
_DAY = 86_400
_IN_LISTS = {"invid", "clientid", "amount", "amount_unpaid", "due", "paid"}


def read(api: Api, client_id: int, number: int | str) -> Row | None:
    """``client.invoice_get``; None if the client's list, which is whole, does not have it either."""
    name = api.named("client.invoice_get", "invoice_id", "inv_id")
    try:
        row = api.read("client.invoice_get", **{name: number})
    except Declined as error:
        if error.is_denied or not _is_gone(api, client_id, str(number)):
            raise
        return None
    if not isinstance(row, dict) or not row:
        return None
    if text(row, "invid") != str(number):
        raise Refused(f"Ubersmith was asked for invoice {number} and gave invoice {row.get('invid')}")
    return row


def _is_gone(api: Api, client_id: int, number: str) -> bool:
    """Whether the client's list, which is whole, does not have it."""
    try:
        rows = api.every("client.invoice_list", client_id=client_id)
    except Declined:  # which is no list without rows
        return False
    return number not in {text(row, "invid") for row in rows}


def holding(api: Api, client_id: int, services: Collection[Service]) -> list[Row]:
    """The client's invoices that charge any of the services, disregarded ones included, the newest first.

    Older versions cannot be asked for them, so that invoices are read that are not older than the services.
    """
    wanted = {each.id for each in services}
    first = min((each.created for each in services), default=0) - _DAY
    only = {"services": sorted(wanted)} if api.takes("client.invoice_list", "services") else {}
    with whole_list():
        rows = api.every("client.invoice_list", client_id=client_id, **only)
        rows = [row for row in rows if not text(row, "date") or whole(row, "date", _who(row)) >= first]
        numbers = sorted((whole(row, "invid", "an invoice") for row in rows), reverse=True)
        found = [read(api, client_id, number) for number in numbers]
        return [row for row in found if row is not None and wanted & charged(row)]


def charged(row: Row) -> set[int]:
    """The numbers of the services that an invoice of ``client.invoice_get`` charges."""
    return {whole(pack, "packid", _who(row)) for pack in _packs(row, _SERVICES)}


def reference(row: Row, names: Iterable[str] = _SERVICES) -> str:
    """The reference that one of the invoice's services begins with; empty if there is none.

    Raises:
        Refused: there are several.
    """
    found = {reference_in(unescape(text(pack, "desserv"))) for pack in _packs(row, names)} - {""}
    if len(found) > 1:
        raise Refused(f"{_who(row)} has services of several invoices: {', '.join(sorted(found))}")
    return found.pop() if found else ""


def listed_reference(row: Row) -> str | None:
    """The reference in a row of a list that has all of a receipt and shows its services; else None: ask by number."""
    names = [name for name in _LISTED_SERVICES if name in row]
    shown = [pack for name in names for pack in _values(row[name])]
    are_described = all(isinstance(pack, dict) and "desserv" in pack for pack in shown)
    if not names or not are_described or not row.keys() >= _IN_LISTS:
        return None
    return reference(row, names)


def _values(collection: Any) -> list[Any]:
    return list(collection.values()) if isinstance(collection, dict) else list(collection or [])


def _packs(row: Row, names: Iterable[str]) -> list[dict[str, Any]]:
    return [pack for name in names for pack in records(row.get(name))]


def _who(row: Row) -> str:
    return f"Ubersmith's invoice {text(row, 'invid')}"


def receipt(row: Row, wanted: str, settings: UbersmithSettings) -> Receipt:
    """An invoice of ``client.invoice_get`` or a list that carries the reference ``wanted``."""
    who = f"{_who(row)} ({wanted})" if wanted else _who(row)
    return made(
        who,
        Receipt,
        id=whole(row, "invid", who),
        reference=wanted,
        client_id=whole(row, "clientid", who),
        status=one_of(row, "paid", _STATUSES, who),
        due_date=_due(row, settings, who),
        total=decimal(row, "amount", who),
        balance=decimal(row, "amount_unpaid", who) if text(row, "amount_unpaid") else None,
        subtotal=_subtotal(row, who),
        months=_months(row, wanted),
    )


def unfinished(services: Collection[Service], client_id: int, wanted: str, day: date) -> Receipt:
    """Services without an invoice: they are this adapter's own unfinished work."""
    numbers = ", ".join(str(each.id) for each in services)
    total = sum((each.price for each in services), Decimal(0))
    return Receipt(f"services {numbers}", wanted, client_id, InvoiceStatus.DRAFT, day, total)


def _subtotal(row: Row, who: str) -> Decimal | None:
    """The sum of all that is charged before tax, services that were swept in among it; None if it is not shown."""
    if "current_packs" not in row:
        return None
    total = sum((_entered(pack, who) for pack in _packs(row, _SERVICES)), Decimal(0))
    in_cents = total.quantize(_CENT)
    return in_cents if in_cents == total else total


def _entered(pack: Row, who: str) -> Decimal:
    if text(pack, "unit_price") and text(pack, "quantity"):
        return decimal(pack, "unit_price", who) * decimal(pack, "quantity", who)
    return decimal(pack, "cost", who)


def _months(row: Row, wanted: str) -> tuple[str, ...] | None:
    told = {months_in(unescape(text(pack, "desserv")), wanted) for pack in _packs(row, _SERVICES)} - {None}
    return told.pop() if wanted and len(told) == 1 else None


def _due(row: Row, settings: UbersmithSettings, who: str) -> date:
    """The due date; where none is set, which is 0, that of the invoice if it is settled and neither matters any more.

    Raises:
        Refused: none is set, and the invoice is unpaid.
    """
    if whole(row, "due", who):
        return _day(row, "due", settings, who)
    if one_of(row, "paid", _STATUSES, who) is InvoiceStatus.UNPAID:
        raise Refused(f"{who} has no due date: set it in Ubersmith")
    return _day(row, "date", settings, who)


def _day(row: Row, key: str, settings: UbersmithSettings, who: str) -> date:
    """The day in the installation's zone of a time, which comes in seconds since 1970."""
    try:
        return datetime.fromtimestamp(whole(row, key, who), UTC).astimezone(settings.zone).date()
    except (OverflowError, OSError, ValueError):
        raise Refused(f"{who} has {key} {row.get(key)!r}, which is no time") from None


def new_invoice(
    api: Api, client_id: int, services: Collection[int], due: date, settings: UbersmithSettings
) -> dict[str, Any]:
    """The arguments of ``client.invoice_generate``: exactly these services, and nothing else that could be billed."""
    quiet = not settings.send_invoices and api.takes("client.invoice_generate", "skip_notification")
    return {
        "client_id": client_id,
        "duedate": int(datetime.combine(due, time(12), settings.zone).timestamp()),
        "include_packs": dict.fromkeys(services, 1),
        "include_prebills": 0,
        "include_credits": 0,
        "skip_notification": 1 if quiet else None,
    }


def number_of(answer: Any) -> int:
    """The number in the answer of ``client.invoice_generate``; Unavailable if there is none."""
    try:
        return whole(answer if isinstance(answer, dict) else {}, "invid", "the new invoice")
    except Refused as error:
        raise Unavailable(f"Ubersmith's answer to client.invoice_generate has no number: {error}") from None
