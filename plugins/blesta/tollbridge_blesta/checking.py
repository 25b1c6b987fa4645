"""What ``tollbridge check`` finds out about a Blesta, by reading only."""

from collections.abc import Iterator, Mapping

from tollbridge import Check, Refused
from tollbridge.asking import tried
from tollbridge.reading import flag, records, text
from tollbridge.words import counted
from tollbridge_blesta import clients, invoices, taxes
from tollbridge_blesta.api import Api
from tollbridge_blesta.settings import BlestaSettings

_WRITES = (
    "cannot be tried without writing: a key of Blesta's may call every method, but a filter of your web server may not"
    " let invoices/add and clients/setCustomField through, nor what the pages need"
)


def check_install(api: Api, settings: BlestaSettings, company: Mapping[str, str]) -> list[Check]:
    """One check for each thing the bridge will ask of Blesta, as far as asking changes nothing."""
    return list(_checks(api, settings, company))


def _checks(api: Api, settings: BlestaSettings, company: Mapping[str, str]) -> Iterator[Check]:
    yield tried("Blesta company", lambda: _company(api, settings, company))
    yield tried("Blesta clients", lambda: _clients(api, settings))
    yield tried("Blesta currencies", lambda: _currencies(api, settings))
    yield tried("Blesta invoices", lambda: _invoices(api))
    yield tried("Blesta invoice", lambda: _invoice(api))
    yield Check("Blesta methods that write", ok=None, detail=_WRITES)
    yield tried("Blesta tax", lambda: _taxes(api, settings, company))
    if settings.custom_field is not None:
        yield tried("Blesta custom field", lambda: _field(api, settings))


def _company(api: Api, settings: BlestaSettings, company: Mapping[str, str]) -> str:
    known = [text(row, "id") for row in records(api.read("companies/getAll"))]
    if str(settings.company_id) not in known:
        raise Refused(f"company_id {settings.company_id} is not one of {', '.join(known) or 'none'}")
    return f"{settings.company_id}, in the time zone {company.get('timezone') or 'UTC (not told)'}"


def _clients(api: Api, settings: BlestaSettings) -> str:
    own = {"company_id": settings.company_id}
    return counted(sum(api.count("clients", status=each, filters=own) for each in clients.STATUSES), "client")


def _invoices(api: Api) -> str:
    ours = {"invoice_line": invoices.ANY_REFERENCE}
    return f"{api.count('invoices', client_id=None, status='open', filters=ours)} open ones from Tollbridge"


def _invoice(api: Api) -> str:
    """Whether single invoices may be asked for; no invoice has the number that is asked for here."""
    found = api.read("invoices/get", invoice_id=0)
    if found is not None:
        raise Refused("Blesta gave an invoice of number 0, which there cannot be")
    return "can be asked for by number"


def _currencies(api: Api, settings: BlestaSettings) -> str:
    found = clients.currencies(api.read("currencies/getAll", company_id=settings.company_id))
    if not found:
        raise Refused("Blesta lists none")
    return ", ".join(sorted(currency.code for currency in found))


def _taxes(api: Api, settings: BlestaSettings, company: Mapping[str, str]) -> str:
    if "enable_tax" in company and not flag(company, "enable_tax", "Blesta's company"):
        return "switched off"
    found = taxes.rules(api.read("taxes/getAll", company_id=settings.company_id))
    included = sum(rule.included for rule in found)
    if included == len(found) and found:
        return f"{len(found)} rules, all part of the price: pricing.prices_include_tax = true fits best"
    mixed = f", {included} of them part of the price" if included else ""
    return f"{len(found)} rules{mixed}: pricing.prices_include_tax = false fits best"


def _field(api: Api, settings: BlestaSettings) -> str:
    rows = records(api.read("clients/getCustomFields", company_id=settings.company_id, client_group_id=None))
    known = [text(row, "id") for row in rows]
    if str(settings.custom_field) not in known:
        raise Refused(f"custom_field {settings.custom_field} is not one of {', '.join(known) or 'none'}")
    return f"field {settings.custom_field} is there"
