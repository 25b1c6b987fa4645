"""companies, client_groups, currencies and taxes: what others are made from."""

from typing import Any

from tollbridge_blesta.sandbox.api.calls import Call


def get_companies(call: Call) -> Any:
    """companies/getAll."""
    return [call.wire.company()]


def get_company_settings(call: Call) -> Any:
    """companies/getSettings."""
    if not _is_ours(call):
        return False
    values = {key: (value, "company") for key, value in call.install.settings.items()}
    return call.wire.settings(values, call.install.quirks.settings_lists)


def get_groups(call: Call) -> Any:
    """client_groups/getAll."""
    return [call.wire.group(row) for row in call.install.groups] if _is_ours(call) else []


def get_currencies(call: Call) -> Any:
    """currencies/getAll."""
    return [call.wire.currency(row) for row in call.install.currencies] if _is_ours(call) else []


def get_taxes(call: Call) -> Any:
    """taxes/getAll: the inactive ones, too, and whether tax is enabled or not."""
    return [call.wire.tax(row) for row in call.install.taxes] if _is_ours(call) else []


def _is_ours(call: Call) -> bool:
    return call.id("company_id") == call.install.company_id
