"""The landing page: what is offered, and what it costs in the visitor's choice of currency."""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial, reduce

import structlog
from babel.numbers import format_decimal, get_territory_currencies
from cattrs.preconf.orjson import make_converter
from starlette.responses import Response

from tollbridge.errors import LedgerError, NotFound, Refused, TollbridgeError
from tollbridge.kept import Freshness, Kept, aside
from tollbridge.model import EXACT, Currency
from tollbridge.rules.pricing import MonthPrices, TokenPrice, line_amount, money, tax_amounts
from tollbridge.secret import redact
from tollbridge.server.pages.amounts import exact_price, gigabytes, percent
from tollbridge.server.pages.countries import countries
from tollbridge.server.pages.views import LandingView, PlanView
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import Web
from tollbridge.solus.wire import Plan

_FRESHNESS = Freshness(60, stale_seconds=3600, patience_seconds=2, most_seconds=5)
_TAX_FRESHNESS = Freshness(600, stale_seconds=24 * 3600, patience_seconds=1, most_seconds=5)
_GIB = 1024**3
_PLANS = "plans"

_documents = make_converter()
_log = structlog.get_logger("tollbridge.pages")


class Landing:
    """``GET /cloud``."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._plans = Kept(self._read, _FRESHNESS, aside)
        self._there: dict[tuple[str, str, str], Kept[TokenPrice | None]] = {}

    async def show(self, visit: Visit) -> Response:
        """The plans, before discounts and tax, or as anybody in ``pages.prices_with_tax`` pays for them."""
        wanted = visit.request.query_params.get("currency", "")
        return self._web.page(visit, "landing", await self._web.for_anybody(self._view, wanted, visit.language))

    def _read(self) -> list[Plan]:
        plans = list(self._web.parts.solus.plans())
        with suppress(LedgerError):
            self._web.parts.ledger.copies.keep(_PLANS, _documents.dumps(plans).decode())
        return plans

    def _shown(self) -> Sequence[Plan]:
        """SolusIO's plans or, while it is down, as they were when any process saw them last."""
        try:
            return self._plans.get()
        except TollbridgeError as error:
            kept = self._web.parts.ledger.copies.find(_PLANS)
            if kept is None:
                raise
            _log.warning("plans are shown as they were", reason=redact(str(error)))
            try:
                return _documents.loads(kept, list[Plan])
            except Exception:  # noqa: BLE001 - another version's copy is none
                raise error from None

    def _view(self, wanted: str, language: str) -> LandingView:
        of, pricer = self._web.prices.list(), self._web.prices.pricer
        offered = pricer.offered(of.prices) or tuple(of.prices.tokens)
        country = self._web.settings.prices_with_tax
        code = wanted if wanted in offered else _first(offered, country)
        currency = pricer.writing(code)
        price = self._price_in(country, code, of) if country else None
        if price is not None:
            tax = ("included" if of.prices.prices_include_tax else "within") if price.taxes else "none"
        else:
            tax = "included" if of.prices.prices_include_tax else "added"
        return LandingView(
            plans=tuple(_plan(each, of.prices.tokens[code], price, currency, language) for each in self._shown()),
            currencies=offered,
            currency=code,
            can_sign_up=self._web.can_sign_up,
            can_log_in=self._web.can_log_in,
            tax=tax,
            taxes=", ".join(percent(each.label, each.rate, language) for each in price.taxes) if price else "",
            country=countries(language).get(country, country) if country else "",
        )

    def _price_in(self, country: str, code: str, of: MonthPrices) -> TokenPrice | None:
        """A token's price there; None, so that prices are shown before tax, if it is not known."""
        key = code, str(of.month), of.prices.digest
        if key not in self._there:
            self._there[key] = Kept(partial(self._read_price_in, country, code, of), _TAX_FRESHNESS, aside)
        try:
            return self._there[key].get()
        except TollbridgeError as error:
            _log.warning("taxes not known", country=country, reason=redact(str(error)))
            return None

    def _read_price_in(self, country: str, code: str, of: MonthPrices) -> TokenPrice | None:
        try:
            return self._web.prices.pricer.price_in(country, code, of)
        except (NotFound, Refused) as error:
            _log.warning("taxes cannot be told", country=country, reason=redact(str(error)))
            return None


def _first(offered: tuple[str, ...], country: str | None) -> str:
    """The currency for whoever chose none: that of the country whose prices are shown, if it is offered."""
    usual = get_territory_currencies(country) if country else []
    return next((code for code in usual if code in offered), offered[0])


def _plan(plan: Plan, base: Decimal, price: TokenPrice | None, currency: Currency, language: str) -> PlanView:
    size, only_monthly = plan.size, plan.tokens_per_month and not plan.tokens_per_hour
    hour = plan.tokens_per_hour * (base if price is None else price.user)
    month = plan.tokens_per_month * base if price is None else _invoiced(plan.tokens_per_month, price)
    return PlanView(
        plan.name,
        "" if only_monthly else exact_price(hour, currency),
        money(month, currency) if plan.tokens_per_month else "",
        processors=format_decimal(size.processors, locale=language) if size else "",
        memory=gigabytes(Decimal(size.memory) / _GIB, language) if size else "",
        disk=gigabytes(Decimal(size.disk), language) if size else "",
    )


def _invoiced(tokens: int, price: TokenPrice) -> Decimal:
    """What an invoice of so many tokens comes to, with its tax."""
    line = line_amount(tokens, price)
    if price.prices_include_tax:
        return line
    return reduce(EXACT.add, (amount for _, amount in tax_amounts(price, line)), line)
