"""The landing page: what is offered, and what it costs in the visitor's choice of currency."""

from decimal import Decimal

from starlette.responses import Response

from tollbridge.kept import Freshness, Kept
from tollbridge.rules.pricing import exact_money, money, rounded
from tollbridge.server.pages.views import LandingView, PlanView
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import Web
from tollbridge.solus.wire import Plan

_FRESHNESS = Freshness(60, stale_seconds=3600)


class Landing:
    """``GET /cloud``."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._plans = Kept(web.parts.solus.plans, _FRESHNESS)

    async def show(self, visit: Visit) -> Response:
        """The plans, before discounts and tax; with nobody logged in nothing more is known."""
        wanted = visit.request.query_params.get("currency", "")
        return self._web.page(visit, "landing", await self._web.for_anybody(self._view, wanted))

    def _view(self, wanted: str) -> LandingView:
        of_month, pricer = self._web.prices.list().prices, self._web.prices.pricer
        offered = pricer.offered(of_month) or tuple(of_month.tokens)
        code = wanted if wanted in offered else offered[0]
        currency, token = pricer.writing(code), of_month.tokens[code]

        def shown(plan: Plan) -> PlanView:
            hourly = exact_money(_trimmed(plan.tokens_per_hour * token, currency.decimals), currency)
            monthly = money(plan.tokens_per_month * token, currency) if plan.tokens_per_month else ""
            return PlanView(plan.name, hourly, monthly)

        return LandingView(
            plans=tuple(shown(plan) for plan in self._plans.get()),
            currencies=offered,
            currency=code,
            can_sign_up=self._web.can_sign_up,
            can_log_in=self._web.can_log_in,
            tax="included" if of_month.prices_include_tax else "added",
        )


def _trimmed(amount: Decimal, decimals: int) -> Decimal:
    """An hour's price with all its digits, and at least the currency's."""
    exact = amount.normalize()
    exponent = exact.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    return rounded(exact, max(digits, decimals))
