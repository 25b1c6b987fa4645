"""companies, client_groups, currencies and taxes: what others are made from."""

from typing import Any

from tollbridge_blesta.sandbox.api.calls import Call


def get_companies(call: Call) -> Any:
    """companies/getAll."""
    return [call.wire.company()]


def get_company(call: Call) -> Any:
    """companies/get."""
    return call.wire.company() if _is_ours(call) else False


def get_company_settings(call: Call) -> Any:
    """companies/getSettings."""
    if not _is_ours(call):
        return False
    values = {key: (value, "company") for key, value in call.install.settings.items()}
    return call.wire.settings(values, call.install.quirks.settings_lists)


def get_company_setting(call: Call) -> Any:
    """companies/getSetting."""
    value = call.install.settings.get(call.text("key") or "")
    if value is None or not _is_ours(call):
        return False
    return call.wire.settings({call.text("key") or "": (value, "company")}, "list")[0]


def get_groups(call: Call) -> Any:
    """client_groups/getAll."""
    return [call.wire.group(row) for row in call.install.groups] if _is_ours(call) else []


def get_group(call: Call) -> Any:
    """client_groups/get."""
    rows = [row for row in call.install.groups if row.id == call.id("client_group_id")]
    return call.wire.group(rows[0]) if rows else False


def get_currencies(call: Call) -> Any:
    """currencies/getAll."""
    return [call.wire.currency(row) for row in call.install.currencies] if _is_ours(call) else []


def get_currency(call: Call) -> Any:
    """currencies/get."""
    row = call.install.currency(call.text("currency_code") or "")
    return call.wire.currency(row) if row and _is_ours(call) else False


def get_taxes(call: Call) -> Any:
    """taxes/getAll: the inactive ones, too, and whether tax is enabled or not."""
    return [call.wire.tax(row) for row in call.install.taxes] if _is_ours(call) else []


def _is_ours(call: Call) -> bool:
    return call.id("company_id") == call.install.company_id
