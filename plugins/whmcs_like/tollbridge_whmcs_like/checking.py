"""What ``tollbridge check`` finds out about a WHMCS, by reading only."""

from collections.abc import Iterator

from tollbridge import Check, Refused
from tollbridge.asking import tried
from tollbridge.reading import records, text, whole
from tollbridge_whmcs_like import clients
from tollbridge_whmcs_like.api import Api
from tollbridge_whmcs_like.settings import WhmcsSettings
from tollbridge_whmcs_like.taxes import TaxSettings


def check_install(api: Api, settings: WhmcsSettings, taxes: TaxSettings) -> list[Check]:
    """One check for each thing the bridge will ask of WHMCS, as far as asking changes nothing."""
    return list(_checks(api, settings, taxes))


def _checks(api: Api, settings: WhmcsSettings, taxes: TaxSettings) -> Iterator[Check]:
    yield tried("WHMCS clients", lambda: _clients(api))
    yield tried("WHMCS currencies", lambda: _currencies(api))
    yield tried("WHMCS client groups", lambda: f"{len(clients.groups_by_id(api.read('GetClientGroups')))} groups")
    yield tried("WHMCS invoices", lambda: f"{_total(api, 'GetInvoices')} invoices can be read")
    yield Check("WHMCS tax", ok=True, detail=taxes.described())
    if settings.payment_method:
        yield tried("WHMCS payment method", lambda: _method(api, settings.payment_method or ""))
    if settings.custom_field is not None:
        yield tried("WHMCS custom field", lambda: _field(api, settings.custom_field or 0))


def _clients(api: Api) -> str:
    """How many there are, and that the details of the first can be read."""
    answer = api.read("GetClients", limitnum=1)
    for row in records(answer.get("clients"), "client"):
        api.read("GetClientsDetails", clientid=whole(row, "id", "a client"))
    return f"{whole(answer, 'totalresults', 'GetClients')} clients can be read"


def _currencies(api: Api) -> str:
    found = clients.currencies_by_id(api.read("GetCurrencies"))
    if not found:
        raise Refused("WHMCS lists none")
    return ", ".join(sorted(currency.code for currency in found.values()))


def _total(api: Api, action: str) -> int:
    return whole(api.read(action, limitnum=1), "totalresults", action)


def _method(api: Api, wanted: str) -> str:
    rows = records(api.read("GetPaymentMethods").get("paymentmethods"), "paymentmethod")
    known = [text(row, "module") for row in rows]
    if wanted not in known:
        raise Refused(f"payment_method {wanted} is not one of {', '.join(known) or 'none'}")
    return wanted


def _field(api: Api, wanted: int) -> str:
    """Custom fields cannot be listed, but a client's details show them all."""
    for row in records(api.read("GetClients", limitnum=1).get("clients"), "client"):
        details = clients.details(api.read("GetClientsDetails", clientid=whole(row, "id", "a client")))
        known = {text(field, "id") for field in records(details.get("customfields"), "customfield")}
        if str(wanted) not in known:
            raise Refused(f"custom_field {wanted} is not one of {', '.join(sorted(known)) or 'none'}")
        return f"field {wanted} is there"
    return "there is no client yet at whom to look for it"
