"""The answer to GetTokenPricing, keys exactly as step 6 of the custom billing guide has them ("multipler" included)."""

from decimal import Decimal
from typing import Any

import orjson

from tollbridge.rules.pricing import TokenPrice, plain


def pricing_answer(price: TokenPrice) -> dict[str, Any]:
    """The answer with Decimals in it; :func:`encode` writes them as exact JSON numbers."""
    currency = price.currency
    return {
        "base_token_unit_cost": price.base,
        "user_token_unit_cost": price.user,
        "currency": {
            "code": currency.code,
            "display_prefix": currency.prefix,
            "display_suffix": currency.suffix,
            "thousands_separator": currency.thousands_separator,
            "decimals_separator": currency.decimal_separator,
            "decimals": currency.decimals,
        },
        "discounts": [
            {"name": each.name, "description": each.description, "multipler": each.multiplier}
            for each in price.discounts
        ],
        "taxes": {
            "compound": price.compound,
            "rates": [{"label": each.label, "rate": each.rate} for each in price.taxes],
        },
    }


def encode(document: Any) -> bytes:
    """JSON with every Decimal as a number of exactly its digits, and never an exponent."""
    return orjson.dumps(document, default=_number)


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(plain(value))
    raise TypeError(f"{type(value).__name__} does not go into JSON")
