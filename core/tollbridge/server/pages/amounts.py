"""Amounts, sizes and moments as the pages write them."""

from datetime import datetime
from decimal import Decimal

from babel.dates import format_time
from babel.numbers import format_decimal

from tollbridge.model import Currency
from tollbridge.rules.pricing import exact_money, rounded
from tollbridge.texts.invoice_words import day_in_words


def exact_price(amount: Decimal, currency: Currency) -> str:
    """An hour's price with all its digits, and at least the currency's."""
    exact = amount.normalize()
    exponent = exact.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    return exact_money(rounded(exact, max(digits, currency.decimals)), currency)


def gigabytes(number: Decimal, language: str) -> str:
    """``1.5 GB``."""
    return f"{format_decimal(number, format='#,##0.##', locale=language)} GB"


def percent(label: str, rate: Decimal, language: str) -> str:
    """A tax with its rate: ``VAT 20%``, ``USt 19 %``."""
    number = format_decimal(rate, format="#,##0.####", locale=language)
    return f"{label} {number} %" if language == "de" else f"{label} {number}%"


def moment_in_words(moment: datetime, language: str) -> str:
    """``July 1, 2026, 8:44 PM UTC``; in figures, days and months change places from country to country."""
    zone = moment.strftime("%Z")
    return f"{day_in_words(moment.date(), language)}, {format_time(moment, 'short', locale=language)} {zone}"
