"""What ``tollbridge check`` finds out about a HostBill, by reading only."""

from collections.abc import Iterator
from typing import Any

from tollbridge import Check, NotFound, Refused
from tollbridge.asking import tried
from tollbridge.reading import Row, flag, records, text, whole
from tollbridge.words import counted
from tollbridge_hostbill import clients, invoices, taxes
from tollbridge_hostbill.api import Api, told
from tollbridge_hostbill.settings import HostBillSettings

_WRITING = ("addInvoice", "addInvoiceItem", "editInvoiceDetails", "convertInvoice", "deleteInvoice")
_PAGES = ("addClient", "verifyClientLogin")
_KNOWN = "getInvoices"  # surely one of the methods that HostBill lists


def check_install(api: Api, settings: HostBillSettings) -> list[Check]:
    """One check for each thing the bridge will ask of HostBill, as far as asking changes nothing."""
    return list(_checks(api, settings))


def _checks(api: Api, settings: HostBillSettings) -> Iterator[Check]:
    yield tried("HostBill currencies", lambda: _currencies(api))
    yield tried("HostBill clients", lambda: _clients(api))
    yield tried("HostBill invoices", lambda: _invoices(api))
    yield tried("HostBill writing", lambda: _writing(api, settings))
    yield tried("HostBill tax", lambda: _taxes(api, settings))
    if settings.custom_field is not None:
        yield tried("HostBill custom field", lambda: _field(api, settings.custom_field or ""))


def _currencies(api: Api) -> str:
    found = clients.currencies(api.read("getCurrencies"))
    return ", ".join(sorted({each.currency.code for each in found.values() if each.enabled}))


def _first_client(api: Api) -> Row | None:
    """The details of a client that is listed; None if there is none."""
    rows = records(api.read("getClients").get("clients"), "clients")
    if not rows:
        return None
    try:
        row = api.read("getClientDetails", id=whole(rows[0], "id", "a client")).get("client")
    except NotFound:
        row = None
    if not isinstance(row, dict) or not row:
        raise Refused("HostBill's getClientDetails gives nothing of a client that getClients lists")
    return row


def _clients(api: Api) -> str:
    answer = api.read("getClients")
    row = _first_client(api)
    if row is not None and not clients.is_contact(row):
        clients.client(row, clients.currencies(api.read("getCurrencies")))
    return f"{counted(_records(answer), 'client')}; the first can be read"


def _records(answer: Row) -> int:
    sorter = answer.get("sorter")
    return whole(sorter if isinstance(sorter, dict) else {}, "sorterrecords", "HostBill's sorter")


def _invoices(api: Api) -> str:
    answer = api.read("getInvoices", list="all")
    row = _newest_invoice(api, answer)
    if row is not None:
        wanted = invoices.reference(row)
        if wanted:
            invoices.receipt(row, wanted, None)
        else:  # credit notes and old imports have other statuses and dates, and are nothing to the bridge
            invoices.total(row, f"HostBill's invoice {row.get('id')}")
        _of_client(api, whole(row, "client_id", "an invoice"))
    elif client := _first_client(api):
        _of_client(api, clients.number(client))
    return f"{counted(_records(answer), 'invoice')} can be read"


def _of_client(api: Api, client_id: int) -> None:
    try:
        told(api.read("getClientInvoices", id=client_id), "invoices", f"the invoices of client {client_id}")
    except NotFound:
        return


def _newest_invoice(api: Api, answer: Row) -> Row | None:
    rows = records(answer.get("invoices"), "invoices")
    if not rows:
        return None
    newest = max(whole(row, "id", "an invoice") for row in rows)
    try:
        return invoices.details(api.read("getInvoiceDetails", id=newest))
    except NotFound:  # it was deleted in between
        return None


def _writing(api: Api, settings: HostBillSettings) -> str:
    """What the key may do, if HostBill lists it: nothing is written to find out."""
    needed = [*_WRITING, *(["setClientDetails"] if settings.custom_field else [])]
    try:
        allowed = set(_names(api.read("getAPIMethods")))
    except (NotFound, Refused):
        allowed = set()
    if _KNOWN not in allowed:
        return f"HostBill does not list what this key may do: allow it {', '.join(needed)}"
    if missing := [name for name in needed if name not in allowed]:
        raise Refused(f"this key may not call {', '.join(missing)}: allow it under API Access")
    if without := [name for name in _PAGES if name not in allowed]:
        return f"HostBill lists all that is needed; for the pages allow it {', '.join(without)}, too"
    return "HostBill lists all that is needed"


def _names(value: Any) -> Iterator[str]:
    """Every name in an answer of unknown shape: keys and texts."""
    if isinstance(value, dict):
        yield from (str(key) for key in value)
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _names(each)
    elif isinstance(value, str):
        yield value


def _taxes(api: Api, settings: HostBillSettings) -> str:
    told = _tax_mode(api, settings)
    if not settings.read_taxes:
        return f"{told}; taxes are those of [[pricing.taxes]]"
    client = _first_client(api)
    if client is None:
        return f"{told}; there is no client yet whose taxes could be asked for"
    try:
        answer = api.read("getClientTaxDetails", id=clients.number(client))
    except (NotFound, Refused) as error:
        raise Refused(f"{error}; or set read_taxes = false, and give taxes in [[pricing.taxes]]") from None
    taxes.rates(answer, f"client {clients.number(client)}")
    return f"{told}; a client's rates can be read"


def _tax_mode(api: Api, settings: HostBillSettings) -> str:
    """How HostBill taxes, as far as its newest invoice says.

    Raises:
        Refused: prices hold their tax there, or its second tax is charged otherwise than ``compound_tax`` says.
    """
    row = _newest_invoice(api, api.read("getInvoices", list="all")) or {}
    metadata = row.get("metadata")
    mode = metadata.get("taxconfig") if isinstance(metadata, dict) else None
    if not isinstance(mode, dict) or not text(mode, "TaxType"):
        return "its mode is not told: it must be Exclusive, and each invoice is compared before it counts"
    if text(mode, "TaxType").lower() != "exclusive":
        raise Refused(
            f"HostBill's taxes are {text(mode, 'TaxType')}, so that it would make other totals: set them to Exclusive"
        )
    if "CompoundL2" in mode and flag(mode, "CompoundL2", "HostBill's tax settings") != settings.compound_tax:
        raise Refused(f"compound_tax must be {str(not settings.compound_tax).lower()}, as it is in HostBill")
    return "exclusive"


def _field(api: Api, code: str) -> str:
    """Registration fields cannot be listed, but a client's details show them all by their codes."""
    client = _first_client(api)
    if client is None:
        return "there is no client yet at whom to look for it"
    if code not in client:
        raise Refused(f"HostBill's clients have no field {code}: create it, or put its code into custom_field")
    return f"field {code} is there; {_searching(api, code)}"


def _searching(api: Api, code: str) -> str:
    nobodys = api.read("getClients", **{f"filter[{code}]": "no-such-user"})
    if _records(nobodys):
        return "it is not searchable, so staff cannot find a client by it"
    return "staff can search by it"
