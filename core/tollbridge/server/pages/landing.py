"""The landing page: what is offered, and what it costs in the visitor's choice of currency."""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal

import structlog
from cattrs.preconf.orjson import make_converter
from starlette.responses import Response

from tollbridge.errors import LedgerError, TollbridgeError
from tollbridge.kept import Freshness, Kept, aside
from tollbridge.rules.pricing import exact_money, money, rounded
from tollbridge.secret import redact
from tollbridge.server.pages.views import LandingView, PlanView
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import Web
from tollbridge.solus.wire import Plan

_FRESHNESS = Freshness(60, stale_seconds=3600, patience_seconds=2, most_seconds=5)
_PLANS = "plans"

_documents = make_converter()
_log = structlog.get_logger("tollbridge.pages")


class Landing:
    """``GET /cloud``."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._plans = Kept(self._read, _FRESHNESS, aside)

    async def show(self, visit: Visit) -> Response:
        """The plans, before discounts and tax; with nobody logged in nothing more is known."""
        wanted = visit.request.query_params.get("currency", "")
        return self._web.page(visit, "landing", await self._web.for_anybody(self._view, wanted))

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
            plans=tuple(shown(plan) for plan in self._shown()),
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
