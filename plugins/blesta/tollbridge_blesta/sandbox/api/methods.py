"""Every method there is, with the arguments Blesta's source documentation gives it."""

from typing import Any

from tollbridge_blesta.sandbox.api import catalogue, clients, invoices, users
from tollbridge_blesta.sandbox.api.calls import Method

_COMPANY = ("company_id",)
_CLIENT = ("client_id",)
_INVOICE = ("invoice_id",)
_CLIENTS_LISTED: dict[str, Any] = {"status": None, "filters": {}}
_INVOICES_LISTED: dict[str, Any] = {"client_id": None, "status": "open", "filters": {}}
_BY_DUE_DATE = {"date_due": "ASC"}
_BY_CODE = {"id_code": "ASC"}

METHODS: dict[str, Method] = {
    "companies/getAll": Method(catalogue.get_companies, false_if_empty=True),
    "companies/getSettings": Method(catalogue.get_company_settings, _COMPANY, {"ignore_inheritence": False}),
    "client_groups/getAll": Method(catalogue.get_groups, _COMPANY),
    "currencies/getAll": Method(catalogue.get_currencies, _COMPANY, false_if_empty=True),
    "taxes/getAll": Method(catalogue.get_taxes, _COMPANY, false_if_empty=True),
    "clients/get": Method(clients.get_client, _CLIENT, {"get_settings": True}),
    "clients/getByUserId": Method(clients.get_by_user, ("user_id",), {"get_settings": False}),
    "clients/getSettings": Method(clients.get_settings, _CLIENT),
    "clients/getList": Method(
        clients.get_list, (), {**_CLIENTS_LISTED, "page": 1, "order_by": _BY_CODE}, false_if_empty=True
    ),
    "clients/getListCount": Method(clients.get_list_count, (), _CLIENTS_LISTED),
    "clients/create": Method(clients.create, ("vars",)),
    "clients/setCustomField": Method(clients.set_custom_field, ("field_id", "client_id", "value")),
    "clients/getCustomFields": Method(clients.get_custom_fields, _COMPANY, {"client_group_id": None, "options": {}}),
    "users/auth": Method(users.auth, ("username", "vars"), {"type": "any"}),
    "users/get": Method(users.get_user, ("user_id",)),
    "users/getByUsername": Method(users.get_by_username, ("username",)),
    "users/getByEmail": Method(users.get_by_email, ("email",)),
    "invoices/add": Method(invoices.add, ("vars",)),
    "invoices/get": Method(invoices.get_invoice, _INVOICE, {"use_cache": False}),
    "invoices/getList": Method(
        invoices.get_list, (), {**_INVOICES_LISTED, "page": 1, "order_by": _BY_DUE_DATE}, false_if_empty=True
    ),
    "invoices/getListCount": Method(invoices.get_list_count, (), _INVOICES_LISTED),
    "invoices/getTaxRules": Method(invoices.get_tax_rules, _CLIENT),
    "invoices/getTaxRulesByLocation": Method(invoices.get_tax_rules_by_location, ("company_id", "country", "state")),
}

# Public methods that need a session, which the API has none of.
UNCALLABLE = {"users/login", "users/logout"}
MODELS = {name.partition("/")[0] for name in METHODS}
