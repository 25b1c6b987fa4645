"""Calls about the installation."""

from tollbridge_hostbill.sandbox.api.calls import Call
from tollbridge_hostbill.sandbox.install import METHODS
from tollbridge_hostbill.sandbox.records import Currency, InstallError
from tollbridge_hostbill.sandbox.wire import Document, Real


def get_currencies(call: Call) -> Document:
    """The main one, and the others."""
    main, *others = call.install.currencies.values()
    rows = [
        {**_currency(each), "id": each.id, "rate": "1.3340", "last_changes": "", "update": True, "enable": each.enabled}
        for each in others
    ]
    return {"main": {**_currency(main), "id": Real(0), "rate": Real(1)}, "currencies": rows}


def _currency(currency: Currency) -> Document:
    return {
        "code": currency.code,
        "iso": currency.iso,
        "sign": currency.sign,
        "decimal": currency.decimal,
        "format": currency.format,
    }


def get_api_methods(call: Call) -> Document:
    """The calls there are; whether those that are forbidden are among them is not documented."""
    quirks = call.install.quirks
    if quirks.methods == "none":
        raise InstallError("Requested method does not exist")
    names = [name for name in METHODS if quirks.methods == "all" or name not in quirks.forbidden]
    return {"methods": {name: {"params": ""} for name in names} if quirks.methods == "keys" else names}
