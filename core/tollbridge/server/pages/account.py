"""The client's own page: SolusIO, the running month, invoices, and what happens if one stays unpaid."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import attrs
import structlog
from starlette.responses import Response

from tollbridge.errors import Conflict, NotFound, Refused, TollbridgeError, Unavailable
from tollbridge.jobs.enrolment import Unproved, enrol
from tollbridge.jobs.month_days import tokens_by_day
from tollbridge.jobs.statement import RunningMonth
from tollbridge.ledger import Account
from tollbridge.model import Client, ClientStatus, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.overdue import HoldReason
from tollbridge.rules.pricing import MonthPrices, TokenPrice, money
from tollbridge.secret import redact
from tollbridge.server.pages.amounts import moment_in_words
from tollbridge.server.pages.invoice_views import invoice_view, is_overdue, is_unpaid, notice_view, owed_view, sums
from tollbridge.server.pages.standing import Standing, as_of_now
from tollbridge.server.pages.usage_views import chart_of_days, chart_of_servers, usage_views
from tollbridge.server.pages.views import AccountView, NoticeView, OwedView
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import ROOT, Web
from tollbridge.texts.invoice_words import day_in_words, month_in_words
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
            year = visit.request.query_params.get("year", "")
            chosen = int(year) if re.fullmatch(r"[0-9]{4}", year, re.ASCII) else None
            view = await self._web.work(self._view, client_id, visit.language, chosen)
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

    def _view(self, client_id: int, language: Language, year: int | None = None) -> AccountView:
        parts, ledger, account = self._web.parts, self._web.parts.ledger, self._web.account(client_id)
        prices, zone = self._web.prices.list(), parts.settings.billing.timezone
        priced = self._priced(client_id, prices, account)
        client, price = priced or (None, None)
        standing = as_of_now(parts.billing, ledger.invoices.open_of([client_id]))
        entries = ledger.invoices.issued_to(client_id, _MOST_INVOICES, year)
        years = ledger.invoices.years_of(client_id)
        today = datetime.now(zone).date()
        owed, notices = self._owed(standing, price, today, language, account)
        known = {each.entry.reference: each for each in standing}
        invoices = [known.get(entry.reference) or Standing.in_ledger(entry) for entry in entries]
        status = _user_status(account)
        view = AccountView(
            who=(" ".join(part for part in (client.first_name, client.last_name) if part) or client.company)
            if client
            else "",
            email=client.email if client else account.email if account else "",
            enrolled=account is not None,
            user_status=str(status),
            owed=owed if account or years else None,
            invoices=tuple(invoice_view(each, today, language, self._pay_url(each.entry)) for each in invoices),
            notices=notices,
            with_tax=bool(price and price.taxes),
            can_enrol=client is not None and client.status is not ClientStatus.CLOSED,
            can_pay=parts.billing.can("portal_login_url"),
            month=month_in_words(prices.month.first_day, language),
            usage=(),
            usage_known=False,
            so_far="",
            projected="",
            is_partial=priced is None,
            is_released_soon=status is not UserStatus.ACTIVE and self._is_released_soon(client_id, standing, today),
            years=years if len(years) > 1 else (),
            year=year,
        )
        running = self._running_month(client_id, prices.month) if account else None
        return self._with_usage(view, client_id, running, price, language) if running else view

    def _priced(self, client_id: int, prices: MonthPrices, account: Account | None) -> tuple[Client, TokenPrice] | None:
        """The client and its price; None if the billing system does not tell, which is no reason to show nothing.

        Of who has no account there is nothing else to show, so then its error is let through.
        """
        try:
            client = self._web.parts.billing.client(client_id)
            return client, self._web.prices.pricer.price(client, prices)
        except Unavailable as error:
            if account is None:
                raise
            _log.warning("client not known", client_id=client_id, reason=redact(str(error)))
            return None

    def _owed(
        self,
        standing: Sequence[Standing],
        price: TokenPrice | None,
        today: date,
        language: Language,
        account: Account | None,
    ) -> tuple[OwedView | None, tuple[NoticeView, ...]]:
        """What is to be paid, and what is overdue of it; None if nothing is, and not even in which currency."""
        unpaid = [each for each in standing if is_unpaid(each.entry)]
        fresh, ladder = all(each.is_fresh for each in standing), self._web.parts.settings.billing.ladder
        notices = tuple(
            notice_view(
                each, today, language, ladder=ladder, status=_user_status(account), pay_url=self._pay_url(each.entry)
            )
            for each in unpaid
            if is_overdue(each.entry, today)
        )
        currency = price.currency if price else unpaid[0].entry.document.price.currency if unpaid else None
        if currency is None:
            return None, notices
        return owed_view(unpaid, currency, today, language, self._pay_url, is_fresh=fresh), notices

    def _is_released_soon(self, client_id: int, standing: Sequence[Standing], today: date) -> bool:
        """Whether the next run will find nothing overdue any more, and that was the only reason for the hold."""
        late = [each for each in standing if each.left and each.entry.due_date < today]
        reasons = {held.reason for held in self._web.parts.ledger.lists.holds(client_id)}
        return not late and all(each.is_fresh for each in standing) and reasons == {HoldReason.OVERDUE}

    def _running_month(self, client_id: int, month: Month) -> RunningMonth | None:
        """This month's usage; None if SolusIO does not answer, which is no reason to show nothing."""
        try:
            return self._web.usage.of_client(client_id, month)
        except TollbridgeError as error:
            _log.warning("usage not known", reason=redact(str(error)))
            return None

    def _with_usage(
        self,
        view: AccountView,
        client_id: int,
        running: RunningMonth,
        price: TokenPrice | None,
        language: Language,
    ) -> AccountView:
        """The account with the running month in it, and with what it costs if the client's price is known."""
        billing, ledger, month = self._web.parts.settings.billing, self._web.parts.ledger.invoices, running.month
        last = ledger.find(month.previous, client_id)
        waiting = ledger.all_carried([client_id]).get(client_id, [])
        first_day = (month.next.start(billing.timezone) + billing.settle).astimezone(billing.timezone).date()
        view = attrs.evolve(
            view,
            usage=usage_views(running.items, price, language),
            usage_known=True,
            as_of=moment_in_words(running.as_of.astimezone(billing.timezone), language),
            last_month=money(last.total, last.document.price.currency) if last and last.state is State.ISSUED else "",
            carried=sums((each.document.price.currency, each.total) for each in waiting),
            next_invoice=day_in_words(first_day, language) if running.items and month >= billing.start else "",
            next_due=day_in_words(first_day + timedelta(days=billing.grace_days), language),
        )
        return self._with_amounts(view, running, price, language) if price else view

    def _with_amounts(
        self, view: AccountView, running: RunningMonth, price: TokenPrice, language: Language
    ) -> AccountView:
        """What the month comes to, and its chart: by day where the meter runs, else by server."""
        web, month = self._web, running.month
        days = tokens_by_day(web.parts, running.user_ids, web.usage.start_of(month), running.as_of)
        so_far, projected = (money(each * price.user, price.currency) for each in (running.tokens, running.projected))
        return attrs.evolve(
            view,
            so_far=so_far,
            projected=projected,
            chart=(chart_of_days(days, month, price, language) if days else None)
            or chart_of_servers(running.items, price, web.renderer.plain("account.chart_others", language)),
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
