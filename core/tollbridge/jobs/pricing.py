"""A client's token price in a month, from the billing system's facts and the month's price list."""

from tollbridge.adapters.billing import BillingSystem
from tollbridge.errors import Refused
from tollbridge.kept import Kept
from tollbridge.model import NOBODY, Client, Currency
from tollbridge.rules.pricing import MonthPrices, PriceList, TokenPrice, token_price


class Pricer:
    """Prices tokens, for any number of threads; the currencies are asked for once a minute."""

    def __init__(self, billing: BillingSystem) -> None:
        self._billing = billing
        self._currencies = Kept(billing.currencies)

    def price(self, client: Client, of: MonthPrices) -> TokenPrice:
        """The client's price of one token in a month.

        Raises:
            Refused: the list has no price in the client's currency, or the billing system does not list it.
        """
        return token_price(of.prices, client, self._billing.terms(client, of.month), self._currency(client))

    def price_in(self, country: str, code: str, of: MonthPrices) -> TokenPrice:
        """The price of one token for anybody in a country who pays in this currency, and is in no group.

        Errors as of :meth:`price`, and what the adapter says who cannot tell a country's taxes.
        """
        nobody = Client(NOBODY, email="", currency=code, country=country)
        return self.price(nobody, of)

    def offered(self, prices: PriceList) -> tuple[str, ...]:
        """The currencies that have a token price and, as far as the billing system tells, can be paid in."""
        known = self._currencies.get()
        return tuple(code for code in prices.tokens if not known or code in known)

    def writing(self, code: str) -> Currency:
        """How amounts of a currency are written: as the billing system has it, else as ISO 4217 has it."""
        return self._currencies.get().get(code) or _as_iso_has_it(code)

    def _currency(self, client: Client) -> Currency:
        code, known = client.currency, self._currencies.get()
        if known and code not in known:
            raise Refused(
                f"client {client.id} pays in {code or 'no currency'}, which is not among the billing system's active"
                f" currencies ({', '.join(sorted(known))})"
            )
        return self.writing(code)


def _as_iso_has_it(code: str) -> Currency:
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - slow to import, and seldom needed

    return Currency(code, suffix=f" {code}", decimals=get_currency_precision(code))
