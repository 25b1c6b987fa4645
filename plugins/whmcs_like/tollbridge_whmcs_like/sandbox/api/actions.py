"""Every action there is, and the fields that the API reference lists for it."""

from collections.abc import Callable

import attrs

from tollbridge_whmcs_like.sandbox.api import clients, invoices, logins, setup
from tollbridge_whmcs_like.sandbox.api.calls import Call
from tollbridge_whmcs_like.sandbox.wire import Document

PAGED = ("limitstart", "limitnum")


@attrs.frozen
class Action:
    """One action.

    Attributes:
        fields: what may be sent; ``#`` stands for a number.
        since: the version that brought it.
        writes: whether it changes something.
        creates: whether its answer is an id.
    """

    name: str
    run: Callable[[Call], Document]
    fields: tuple[str, ...] = ()
    since: tuple[int, int] = (1, 0)
    writes: bool = False
    creates: bool = False


_ALL = (
    Action("AddClient", clients.add_client, clients.ADD_FIELDS, writes=True, creates=True),
    Action("CreateInvoice", invoices.create_invoice, invoices.CREATE_FIELDS, writes=True, creates=True),
    Action(
        "CreateSsoToken",
        logins.create_sso_token,
        ("client_id", "user_id", "destination", "service_id", "domain_id", "sso_redirect_path"),
    ),
    Action("GetClientGroups", setup.get_client_groups),
    Action("GetClients", clients.get_clients, (*PAGED, "sorting", "status", "search", "orderby")),
    Action("GetClientsDetails", clients.get_clients_details, ("clientid", "email")),
    Action("GetConfigurationValue", setup.get_configuration_value, ("setting",), (7, 0)),
    Action("GetCurrencies", setup.get_currencies),
    Action("GetInvoice", invoices.get_invoice, ("invoiceid",)),
    Action("GetInvoices", invoices.get_invoices, (*PAGED, "userid", "status", "orderby", "order")),
    Action("GetPaymentMethods", setup.get_payment_methods),
    Action("GetUsers", logins.get_users, (*PAGED, "sorting", "search"), (8, 1)),
    Action("UpdateClient", clients.update_client, clients.UPDATE_FIELDS, writes=True),
    Action("ValidateLogin", logins.validate_login, ("email", "password2")),
)
BY_NAME = {action.name.casefold(): action for action in _ALL}
