"""``GetClientGroups``, ``GetCurrencies``, ``GetConfigurationValue`` and ``GetPaymentMethods``."""

from tollbridge_whmcs_like.sandbox.api.calls import Call
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.wire import Document, Flag, Money, Rows


def get_client_groups(call: Call) -> Document:
    """Every client group with its discount."""
    rows = [
        {
            "id": group.id,
            "groupname": group.name,
            "groupcolour": "#FFFFFF",
            "discountpercent": Money(group.discount),
            "susptermexempt": Flag(False, "on"),
            "separateinvoices": Flag(False, "on"),
        }
        for group in call.install.groups
    ]
    return {"totalresults": len(rows), "groups": Rows("group", rows)}


def get_currencies(call: Call) -> Document:
    """Every currency; the base is the one with the rate 1.00000."""
    rows = [
        {
            "id": currency.id,
            "code": currency.code,
            "prefix": currency.prefix,
            "suffix": currency.suffix,
            "format": currency.format,
            "rate": currency.rate,
        }
        for currency in call.install.currencies
    ]
    return {"totalresults": len(rows), "currencies": Rows("currency", rows)}


def get_configuration_value(call: Call) -> Document:
    """One setting, by its exact name."""
    setting = call.fields.text("setting")
    if not setting:
        raise InstallError("Parameter setting is required")
    if setting not in call.install.configuration:
        raise InstallError("Invalid name for parameter setting")
    return {"setting": setting, "value": call.install.configuration[setting]}


def get_payment_methods(call: Call) -> Document:
    """Every active payment method."""
    rows = [{"module": module, "displayname": name} for module, name in call.install.payment_methods.items()]
    return {"totalresults": len(rows), "paymentmethods": Rows("paymentmethod", rows)}
