"""What ``tollbridge check`` finds out about a WHMCS, without changing anything in it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tollbridge import Check, NotFound, Refused
from tollbridge.asking import tried
from tollbridge.reading import records, text, whole
from tollbridge_whmcs_like import clients
from tollbridge_whmcs_like.api import Api, Denied
from tollbridge_whmcs_like.settings import WhmcsSettings
from tollbridge_whmcs_like.taxes import TaxSettings

# MySQL's largest id: no client and no invoice ever has it.
_NOBODY = 2**31 - 1
_FOR_PAGES = "only the customers' pages need it"


def check_install(api: Api, settings: WhmcsSettings, taxes: TaxSettings) -> list[Check]:
    """One check for each thing the bridge will ask of WHMCS, as far as asking changes nothing."""
    return list(_checks(api, settings, taxes))


def _checks(api: Api, settings: WhmcsSettings, taxes: TaxSettings) -> Iterator[Check]:
    yield tried("WHMCS clients", lambda: _clients(api))
    yield tried("WHMCS currencies", lambda: _currencies(api))
    yield tried("WHMCS client groups", lambda: f"{len(clients.groups_by_id(api.read('GetClientGroups')))} groups")
    yield tried("WHMCS invoices", lambda: f"{_total(api, 'GetInvoices')} invoices can be read")
    yield from _actions(api, settings)
    yield _tax(api, taxes)
    if taxes.enabled is not False and not taxes.included:
        yield from _rounding(api)
    if settings.payment_method:
        yield tried("WHMCS payment method", lambda: _method(api, settings.payment_method or ""))
    if settings.custom_field is not None:
        yield tried("WHMCS custom field", lambda: _field(api, settings.custom_field or 0))


def _actions(api: Api, settings: WhmcsSettings) -> Iterator[Check]:
    """Whether the API role allows what is not tried by reading.

    Each action is called in a way that WHMCS's API reference says it refuses, so nothing is changed: for a client or an
    invoice that cannot exist, an invoice that is a draft and sent at once, a new client without a name or address. The
    refusal of the reference proves the right; any other answer proves nothing.
    """
    nobodys = {"userid": _NOBODY, "draft": 1, "sendinvoice": 1}
    yield _action("GetInvoice", lambda: api.read("GetInvoice", invoiceid=_NOBODY))
    yield _action("CreateInvoice", lambda: api.read("CreateInvoice", **nobodys), "create and send a draft")
    if settings.custom_field is not None:
        yield _action("UpdateClient", lambda: api.read("UpdateClient", clientid=_NOBODY))
    for_pages = [
        _action("AddClient", lambda: api.read("AddClient"), "you did not enter"),
        _action("CreateSsoToken", lambda: api.read("CreateSsoToken", client_id=_NOBODY), "client_id"),
        _listed("GetUsers", lambda: api.read("GetUsers", limitnum=1)),
        Check(
            _named("ValidateLogin"),
            ok=None,
            detail="cannot be tried, since WHMCS counts failed log-ins: look whether the API role allows it",
        ),
    ]
    for check in for_pages:
        yield Check(check.name, ok=check.ok or None, detail=f"{check.detail} ({_FOR_PAGES})")


def _named(action: str) -> str:
    return f"WHMCS action {action}"


def _action(action: str, ask: Callable[[], Any], refusal: str = "") -> Check:
    """Whether the action is allowed: if so it says that there is no such thing, or the words of the ``refusal``."""
    try:
        ask()
    except NotFound:
        return Check(_named(action), ok=True, detail="allowed")
    except Denied as error:
        return Check(_named(action), ok=False, detail=str(error))
    except Refused as error:
        proved = refusal and re.search(refusal, str(error), re.IGNORECASE)
        return Check(_named(action), ok=True if proved else None, detail="allowed" if proved else _unproved(str(error)))
    return Check(_named(action), ok=None, detail=_unproved("WHMCS did not refuse what it cannot do"))


def _listed(action: str, ask: Callable[[], Any]) -> Check:
    """Whether a list may be read."""
    try:
        ask()
    except Refused as error:
        return Check(_named(action), ok=False, detail=str(error))
    return Check(_named(action), ok=True, detail="allowed")


def _unproved(words: str) -> str:
    return f"could not be proved: look whether the API role allows it ({words})"


def _tax(api: Api, taxes: TaxSettings) -> Check:
    """The mode of tax; where it cannot be read, nothing keeps invoices from being taxed twice or not at all."""
    if taxes.included is not None:
        return Check("WHMCS tax", ok=True, detail=taxes.described())
    try:
        api.read("GetConfigurationValue", setting="TaxType")
    except Denied as error:
        return Check("WHMCS tax", ok=False, detail=f"{taxes.described()}. {error}")
    except (Refused, NotFound):
        pass
    return Check("WHMCS tax", ok=None, detail=taxes.described())


def _rounding(api: Api) -> Iterator[Check]:
    """WHMCS keeps hundredths of every currency, and taxes in them, also where it writes none."""
    try:
        found = clients.currencies_by_id(api.read("GetCurrencies"))
    except Refused:
        return  # told already
    for currency in found.values():
        if currency.decimals == 0:
            words = (
                "warning: WHMCS keeps its taxes in hundredths, so that an invoice may come to 344.30 where 344 is shown"
                " and printed. Nobody is locked for less than 1 that is left to pay; WHMCS itself calls the invoice"
                " unpaid until you settle the rest"
            )
            yield Check(f"WHMCS currency {currency.code}", ok=True, detail=words)


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
