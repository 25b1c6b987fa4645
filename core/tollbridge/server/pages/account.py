"""The client's own page: SolusIO, the running month, invoices, and what happens if one stays unpaid."""

from datetime import datetime

import attrs
import structlog
from babel.dates import format_datetime
from starlette.responses import Response

from tollbridge.errors import Conflict, NotFound, Refused, TollbridgeError, Unavailable
from tollbridge.jobs.enrolment import Unproved, enrol
from tollbridge.jobs.month_days import tokens_by_day
from tollbridge.jobs.statement import RunningMonth
from tollbridge.ledger import Account
from tollbridge.model import Client, ClientStatus, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry
from tollbridge.rules.pricing import TokenPrice, money
from tollbridge.secret import redact
from tollbridge.server.pages.invoice_views import invoice_view, is_overdue, is_unpaid, notice_view, owed_view
from tollbridge.server.pages.usage_views import chart_of_days, chart_of_servers, usage_views
from tollbridge.server.pages.views import AccountView
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import ROOT, Web
from tollbridge.texts.invoice_words import month_in_words
from tollbridge.texts.languages import Language

_MOST_INVOICES = 24

_log = structlog.get_logger("tollbridge.pages")


class AccountPage:
    """``/cloud/account`` and what its buttons do."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def show(self, visit: Visit) -> Response:
        """Everything about the client who is logged in, and about nobody else."""
        client_id = self._web.client_of(visit)
        try:
            view = await self._web.work(self._view, client_id, visit.language)
        except NotFound:
            return await self._web.leave(visit)
        return self._web.page(visit, "account", view)

    async def to_solus(self, visit: Visit) -> Response:
        """A one-time log-in, made now and kept nowhere."""
        await self._web.form(visit)
        account = await self._web.in_ledger(self._web.account, self._web.client_of(visit))
        if account is None:
            return self._web.go(visit, f"{ROOT}/account")
        try:
            url = await self._web.work(self._web.login_url, account)
        except Conflict as error:
            _log.error("log-in to SolusIO needs a human", reason=redact(str(error)))
            return self._web.message(visit, "conflict", status=409, link=f"{ROOT}/account", link_text="common.account")
        except (Unavailable, NotFound) as error:
            return self._not_now(visit, "solusio_unavailable", error)
        return self._web.go(visit, url)

    async def to_payment(self, visit: Visit) -> Response:
        """The billing system's client area, where invoices are paid."""
        await self._web.form(visit)
        client_id = self._web.client_of(visit)
        try:
            url = await self._web.work(self._web.parts.billing.portal_login_url, client_id)
        except (Unavailable, Refused) as error:
            return self._not_now(visit, "pay_unavailable", error)
        return self._web.go(visit, url or f"{ROOT}/account")

    def _not_now(self, visit: Visit, kind: str, error: TollbridgeError) -> Response:
        _log.warning("not possible just now", what=kind, reason=redact(str(error)))
        return self._web.message(visit, kind, status=503, link=f"{ROOT}/account", link_text="common.account")

    async def enrol(self, visit: Visit) -> Response:
        """A client who is logged in accepts the terms, and gets a SolusIO user."""
        form = await self._web.form(visit)
        client_id = self._web.client_of(visit)
        if problems := self._web.terms_problems(form):
            view = await self._web.work(self._view, client_id, visit.language)
            return self._web.page(visit, "account", attrs.evolve(view, problems=problems), status=422)
        return await self._web.work(self._enrol, visit, client_id)

    def _enrol(self, visit: Visit, client_id: int) -> Response:
        client = self._web.parts.billing.client(client_id)
        if client.status is ClientStatus.CLOSED:
            return self._web.message(visit, "closed", status=403)
        try:
            enrol(self._web.parts, client, proved_address=None)
        except Unproved as error:
            _log.warning("enrolment needs a proof", client_id=client_id, reason=redact(str(error)))
            return self._prove(visit)
        except Conflict as error:
            _log.error("enrolment needs a human", client_id=client_id, reason=redact(str(error)))
            return self._web.message(visit, "conflict", status=409)
        except Unavailable as error:
            _log.warning("user not made yet", client_id=client_id, reason=redact(str(error)))
            return self._web.message(visit, "enrolment_unfinished", status=503, link=f"{ROOT}/account")
        return self._web.go(visit, f"{ROOT}/account")

    def _prove(self, visit: Visit) -> Response:
        if not self._web.can_sign_up:
            return self._web.message(visit, "conflict", status=409)
        return self._web.message(visit, "unproved", status=409, link=f"{ROOT}/signup", link_text="common.signup")

    def _view(self, client_id: int, language: Language) -> AccountView:
        parts, zone = self._web.parts, self._web.parts.settings.billing.timezone
        client, account = parts.billing.client(client_id), self._web.account(client_id)
        prices = self._web.prices.list()
        price = self._web.prices.pricer.price(client, prices)
        entries = parts.ledger.invoices.issued_to(client_id, _MOST_INVOICES)
        unpaid = [entry for entry in parts.ledger.invoices.open_of([client_id]) if is_unpaid(entry)]
        today = datetime.now(zone).date()
        status, ladder = _user_status(account), parts.settings.billing.ladder
        view = AccountView(
            who=" ".join(part for part in (client.first_name, client.last_name) if part) or client.company,
            email=client.email,
            enrolled=account is not None,
            user_status=str(status),
            owed=owed_view(unpaid, price.currency, today, language, self._pay_url) if account or entries else None,
            invoices=tuple(invoice_view(entry, today, language, self._pay_url(entry)) for entry in entries),
            notices=tuple(
                notice_view(entry, today, language, ladder=ladder, status=status, pay_url=self._pay_url(entry))
                for entry in unpaid
                if is_overdue(entry, today)
            ),
            with_tax=bool(price.taxes),
            can_enrol=client.status is not ClientStatus.CLOSED,
            can_pay=parts.billing.can("portal_login_url"),
            month=month_in_words(prices.month.first_day, language),
            usage=(),
            usage_known=False,
            so_far="",
            projected="",
        )
        running = self._running_month(client, prices.month) if account else None
        return self._with_usage(view, running, prices.month, price, language) if running else view

    def _running_month(self, client: Client, month: Month) -> RunningMonth | None:
        """This month's usage; None if SolusIO does not answer, which is no reason to show nothing."""
        try:
            return self._web.usage.of_client(client.id, month)
        except TollbridgeError as error:
            _log.warning("usage not known", reason=redact(str(error)))
            return None

    def _with_usage(
        self, view: AccountView, running: RunningMonth, month: Month, price: TokenPrice, language: str
    ) -> AccountView:
        """The account with the running month in it, by day where the meter runs, else by server."""
        zone = self._web.parts.settings.billing.timezone
        days = tokens_by_day(self._web.parts, running.user_ids, self._web.usage.start_of(month), running.as_of)
        others = self._web.renderer.plain("account.chart_others", language)
        so_far, projected = (money(each * price.user, price.currency) for each in (running.tokens, running.projected))
        return attrs.evolve(
            view,
            usage=usage_views(running.items, price, language),
            usage_known=True,
            so_far=so_far,
            projected=projected,
            as_of=_moment(running.as_of.astimezone(zone), language),
            chart=(chart_of_days(days, month, price, language) if days else None)
            or chart_of_servers(running.items, price, others),
        )

    def _pay_url(self, entry: Entry) -> str:
        """Where an unpaid invoice is paid; empty if there is no such place."""
        if entry.billing_id is None or not is_unpaid(entry):
            return ""
        try:
            return self._web.parts.billing.invoice_url(entry.client_id, entry.billing_id) or ""
        except TollbridgeError as error:
            _log.warning("no address to pay at", reference=entry.reference, reason=redact(str(error)))
            return ""


def _user_status(account: Account | None) -> UserStatus:
    """What the bridge made of the user; SolusIO itself shows what others did."""
    return account.mark.status if account is not None and account.mark is not None else UserStatus.ACTIVE


def _moment(moment: datetime, language: str) -> str:
    return format_datetime(moment, "short", locale=language)
