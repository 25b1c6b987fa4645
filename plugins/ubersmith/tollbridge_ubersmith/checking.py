"""What ``tollbridge check`` finds out about an Ubersmith, by reading, and by writing calls that can do nothing."""

import re
from collections.abc import Callable, Iterator

from tollbridge import Check, Refused, Unavailable
from tollbridge.asking import tried
from tollbridge.reading import records, text
from tollbridge.words import counted
from tollbridge_ubersmith import clients, services, taxes
from tollbridge_ubersmith.api import Api, Declined
from tollbridge_ubersmith.settings import UbersmithSettings

_OF_NOBODY = "TB-0000-00-0"
_SHOWN = 10
_LACKS = re.compile(r"client|parameter", re.IGNORECASE)


def check_install(api: Api, settings: UbersmithSettings) -> list[Check]:
    """One check for each thing the bridge will ask of Ubersmith, as far as asking changes nothing."""
    return list(_checks(api, settings))


def _checks(api: Api, settings: UbersmithSettings) -> Iterator[Check]:
    yield tried("Ubersmith version", lambda: _version(api))
    yield tried("Ubersmith brand", lambda: _brand(api, settings))
    yield tried("Ubersmith clients", lambda: _clients(api, settings))
    yield tried("Ubersmith currency", lambda: _currency(settings))
    yield tried("Ubersmith tax rates", lambda: _rates(api, settings))
    yield tried("Ubersmith tax exemptions", lambda: _exemptions(api))
    yield tried("Ubersmith reference field", lambda: _field(api, settings, "pack", settings.reference_field))
    yield tried("Ubersmith services", lambda: _services(api, settings))
    yield tried("Ubersmith invoices", lambda: _invoices(api, settings))
    yield from _writing(api, settings)
    yield tried("Ubersmith mail", lambda: _mail(api, settings))
    if settings.custom_field is not None:
        field = settings.custom_field
        yield tried("Ubersmith custom field", lambda: _field(api, settings, "client", field))


def _version(api: Api) -> str:
    for method in ("client.service_add", "client.service_deactivate", "client.invoice_generate"):
        if not api.has(method):
            raise Refused(f"Ubersmith has no {method}: this version is not known here")
    api.named("client.invoice_get", "invoice_id", "inv_id")
    if api.takes("client.invoice_list", "services"):
        return "invoices are found by their services, as from 5.0 on"
    return "older than 5.0: invoices are read one by one to find one, and nobody can log in by password"


def _brand(api: Api, settings: UbersmithSettings) -> str:
    rows = records(api.read("uber.brand_list"))
    known = [text(row, "class_id") or text(row, "brand_id") or text(row, "id") for row in rows]
    if settings.brand_id is None and len(known) > 1:
        raise Refused(f"there are brands {', '.join(known)}: say in brand_id which one bills in {settings.currency}")
    if settings.brand_id is not None and str(settings.brand_id) not in known:
        raise Refused(f"brand_id {settings.brand_id} is not one of {', '.join(known) or 'none'}")
    return str(settings.brand_id or "the only one")


def _clients(api: Api, settings: UbersmithSettings) -> str:
    rows = api.every("client.list", brand_id=settings.brand_id, inactive=2, short=0)
    told = counted(len(rows), "client")
    in_money = [
        f"client {text(row, 'clientid')} ({clients.discount_in_money(row):f})"
        for row in rows
        if "discount_type" in row and clients.discount_in_money(row)
    ]
    if in_money:
        more = f" and {len(in_money) - _SHOWN} more" if len(in_money) > _SHOWN else ""
        return f"{told}; a discount in money is not taken off usage: {', '.join(in_money[:_SHOWN])}{more}"
    return told


def _currency(settings: UbersmithSettings) -> str:
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - slow to import

    decimals = get_currency_precision(settings.currency)
    if decimals > 2:
        raise Refused(f"{settings.currency} has {decimals} decimals, and Ubersmith keeps two")
    if not decimals:
        return (
            f"warning: {settings.currency}, as bridge.toml says; Ubersmith keeps two decimals, so with tax an invoice"
            " may come to 344.30 where 344 is shown. Nobody is locked for less than 1 that is left to pay;"
            " Ubersmith itself calls the invoice unpaid until you settle the rest"
        )
    return f"{settings.currency}, as bridge.toml says"


def _rates(api: Api, settings: UbersmithSettings) -> str:
    found = taxes.rates(api.every("uber.tax_rate_list", brand_id=settings.brand_id, active=1))
    return ", ".join(map(str, found)) or "none, so [[pricing.taxes]] must be empty"


def _exemptions(api: Api) -> str:
    rows = api.every("client.tax_exemption_list", active=1)
    return f"{len({clients.exempted(row) for row in rows} - {None})} clients are exempt"


def _field(api: Api, settings: UbersmithSettings, kind: str, variable: str) -> str:
    """A custom field of clients, or of services, which are packs there."""
    known = variables(api, settings, kind)
    if variable not in known:
        what = "services" if kind == "pack" else "clients"
        raise Refused(
            f"there is no custom field of {what} with the variable {variable}: make one, a line of text"
            f" (there are: {', '.join(known) or 'none'})"
        )
    return f"{variable} is there"


def variables(api: Api, settings: UbersmithSettings, kind: str) -> list[str]:
    """The variables of all custom fields of clients ("client") or services ("pack")."""
    try:
        rows = records(api.read("uber.metadata_field_list", meta_type=kind, class_id=settings.brand_id))
    except Declined as error:
        if not error.is_none:
            raise
        rows = []
    return [text(row, "variable") for row in rows]


def _services(api: Api, settings: UbersmithSettings) -> str:
    """Whether services can be asked for by the reference field, and the field is shown."""
    field = settings.reference_field
    wanted = {"pack_type_select": 3, "metadata": {field: 1}, "brand_id": settings.brand_id}
    try:
        rows = records(api.read("client.service_list", **wanted, **{field: _OF_NOBODY}, limit=1))
    except Declined as error:
        if not error.is_none:
            raise
        rows = []
    if any(services.tag(row, field) != _OF_NOBODY for row in rows):
        return f"a list of them is not limited by {field}, so all of a client's are read to find those of an invoice"
    return f"they can be asked for by {field}"


def _invoices(api: Api, settings: UbersmithSettings) -> str:
    return f"{len(api.every('client.invoice_list', brand_id=settings.brand_id, paid=0))} open ones"


def _writing(api: Api, settings: UbersmithSettings) -> Iterator[Check]:
    """Whether what changes something may be called: each is, without the client that it must be given.

    So it is refused, and changes nothing. ``client.add`` must be given nothing, and is not tried.
    """
    nothing = {"include_packs": 0, "include_prebills": 0, "include_credits": 0}
    yield _allowed("client.service_add", lambda: api.write("client.service_add"))
    yield _allowed("client.service_deactivate", lambda: api.write("client.service_deactivate"))
    yield _allowed("client.invoice_generate", lambda: api.write("client.invoice_generate", **nothing))
    if settings.custom_field is None:
        yield _allowed("client.storage_set", lambda: api.write("client.storage_set"))
    else:
        yield _allowed("client.update", lambda: api.write("client.update"))
    for method in ("client.add", "uber.check_login"):
        words = "cannot be tried without doing it: look whether the user's role allows it"
        yield Check(f"Ubersmith method {method}", ok=None, detail=f"{words} (only the customers' pages need it)")


def _allowed(method: str, ask: Callable[[], object]) -> Check:
    name = f"Ubersmith method {method}"
    try:
        ask()
        words = "it was not refused without a client"
    except Declined as error:
        if error.is_denied:
            return Check(name, ok=False, detail=str(error))
        if _LACKS.search(error.said):
            return Check(name, ok=True, detail="allowed: it is refused for want of its client alone")
        words = str(error)
    except Refused as error:
        return Check(name, ok=False, detail=str(error))
    except Unavailable as error:
        words = str(error)
    return Check(name, ok=None, detail=f"could not be proved: look whether the user's role allows it ({words})")


def _mail(api: Api, settings: UbersmithSettings) -> str:
    if settings.send_invoices:
        return "Ubersmith mails each invoice"
    if not api.takes("client.invoice_generate", "skip_notification"):
        return "this version cannot be told not to mail an invoice: it does as its own settings say"
    return "no invoice is mailed"
