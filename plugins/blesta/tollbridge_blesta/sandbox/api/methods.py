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
    "companies/get": Method(catalogue.get_company, _COMPANY),
    "companies/getSettings": Method(catalogue.get_company_settings, _COMPANY, {"ignore_inheritence": False}),
    "companies/getSetting": Method(catalogue.get_company_setting, ("company_id", "key")),
    "client_groups/getAll": Method(catalogue.get_groups, _COMPANY),
    "client_groups/get": Method(catalogue.get_group, ("client_group_id",)),
    "currencies/getAll": Method(catalogue.get_currencies, _COMPANY, false_if_empty=True),
    "currencies/get": Method(catalogue.get_currency, ("currency_code", "company_id")),
    "taxes/getAll": Method(catalogue.get_taxes, _COMPANY, false_if_empty=True),
    "clients/get": Method(clients.get_client, _CLIENT, {"get_settings": True}),
    "clients/getByUserId": Method(clients.get_by_user, ("user_id",), {"get_settings": False}),
    "clients/getSettings": Method(clients.get_settings, _CLIENT),
    "clients/getSetting": Method(clients.get_setting, ("client_id", "key")),
    "clients/getList": Method(
        clients.get_list, (), {**_CLIENTS_LISTED, "page": 1, "order_by": _BY_CODE}, false_if_empty=True
    ),
    "clients/getListCount": Method(clients.get_list_count, (), _CLIENTS_LISTED),
    "clients/getAll": Method(
        clients.get_all, (), {"status": None, "client_group_id": None, "get_settings": False}, false_if_empty=True
    ),
    "clients/search": Method(clients.search, ("query",), {"page": 1}),
    "clients/getSearchCount": Method(clients.get_search_count, ("query",)),
    "clients/create": Method(clients.create, ("vars",)),
    "clients/setSetting": Method(clients.set_setting, ("client_id", "key", "value"), {"encrypted": None}),
    "clients/setCustomField": Method(clients.set_custom_field, ("field_id", "client_id", "value")),
    "clients/getCustomFieldValues": Method(clients.get_custom_field_values, _CLIENT, false_if_empty=True),
    "clients/getCustomFields": Method(clients.get_custom_fields, _COMPANY, {"client_group_id": None, "options": {}}),
    "users/auth": Method(users.auth, ("username", "vars"), {"type": "any"}),
    "users/get": Method(users.get_user, ("user_id",)),
    "users/getByUsername": Method(users.get_by_username, ("username",)),
    "users/getByEmail": Method(users.get_by_email, ("email",)),
    "invoices/add": Method(invoices.add, ("vars",)),
    "invoices/edit": Method(invoices.edit, ("invoice_id", "vars")),
    "invoices/deleteDraft": Method(invoices.delete_draft, _INVOICE),
    "invoices/get": Method(invoices.get_invoice, _INVOICE, {"use_cache": False}),
    "invoices/getList": Method(
        invoices.get_list, (), {**_INVOICES_LISTED, "page": 1, "order_by": _BY_DUE_DATE}, false_if_empty=True
    ),
    "invoices/getListCount": Method(invoices.get_list_count, (), _INVOICES_LISTED),
    "invoices/getAll": Method(
        invoices.get_all, (), {"client_id": None, "status": "open", "order_by": _BY_DUE_DATE, "currency": None}
    ),
    "invoices/getLineItems": Method(invoices.get_lines, _INVOICE, {"use_cache": False}),
    "invoices/getPaid": Method(invoices.get_paid, _INVOICE),
    "invoices/getTotal": Method(invoices.get_total, _INVOICE),
    "invoices/getSubtotal": Method(invoices.get_subtotal, _INVOICE),
    "invoices/getTaxRules": Method(invoices.get_tax_rules, _CLIENT),
    "invoices/getTaxRulesByLocation": Method(invoices.get_tax_rules_by_location, ("company_id", "country", "state")),
}

# Public methods that need a session, which the API has none of.
UNCALLABLE = {"users/login", "users/logout"}
MODELS = {name.partition("/")[0] for name in METHODS}
