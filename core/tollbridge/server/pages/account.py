"""The client's own page: SolusIO, the running month, invoices, and what happens if one stays unpaid."""

from datetime import date, datetime

import attrs
import structlog
from babel.dates import format_datetime
from babel.numbers import format_decimal
from starlette.responses import Response

from tollbridge.errors import Conflict, NotFound, Refused, TollbridgeError, Unavailable
from tollbridge.jobs.enrolment import Unproved, enrol
from tollbridge.jobs.statement import RunningMonth
from tollbridge.ledger import Account
from tollbridge.model import Client, ClientStatus, InvoiceStatus, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry
from tollbridge.rules.pricing import TokenPrice, money
from tollbridge.secret import redact
from tollbridge.server.pages.views import AccountView, InvoiceView, LineView, NoticeView, UsageView
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import ROOT, Web
from tollbridge.texts.invoice_words import day_in_words, month_in_words

_MOST_INVOICES = 24
_KINDS = {"backup", "additional_ip"}

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

    def _view(self, client_id: int, language: str) -> AccountView:
        parts = self._web.parts
        client = parts.billing.client(client_id)
        prices = self._web.prices.list()
        price = self._web.prices.pricer.price(client, prices)
        account = self._web.account(client_id)
        entries = parts.ledger.invoices.issued_to(client_id, _MOST_INVOICES)
        today = datetime.now(parts.settings.billing.timezone).date()
        status = _user_status(account)
        running = self._running_month(client, prices.month)
        usage, so_far, projected = _shown_usage(running, price, language) if running else ((), "", "")
        return AccountView(
            who=" ".join(part for part in (client.first_name, client.last_name) if part) or client.company,
            email=client.email,
            enrolled=account is not None,
            user_status=str(status),
            invoices=tuple(_invoice(entry, today, language, self._pay_url(entry)) for entry in entries),
            notices=tuple(
                self._notice(entry, today, language, status) for entry in entries if _is_overdue(entry, today)
            ),
            with_tax=bool(price.taxes),
            can_enrol=client.status is not ClientStatus.CLOSED,
            can_pay=parts.billing.can("portal_login_url"),
            month=month_in_words(prices.month.first_day, language),
            usage=usage,
            usage_known=running is not None,
            so_far=so_far,
            projected=projected,
            as_of=_moment(running.as_of.astimezone(parts.settings.billing.timezone), language) if running else "",
        )

    def _running_month(self, client: Client, month: Month) -> RunningMonth | None:
        """This month's usage; None if SolusIO does not answer, which is no reason to show nothing."""
        try:
            return self._web.usage.of_client(client.id, month)
        except TollbridgeError as error:
            _log.warning("usage not known", reason=redact(str(error)))
            return None

    def _notice(self, entry: Entry, today: date, language: str, status: UserStatus) -> NoticeView:
        ladder = self._web.parts.settings.billing.ladder
        steps = {UserStatus.LOCKED: "", UserStatus.SUSPENDED: ""}
        step = ladder.next_step(entry.due_date, today)
        while step is not None:
            steps[step[1]] = day_in_words(step[0], language)
            step = ladder.next_step(entry.due_date, step[0])
        return NoticeView(
            entry.reference,
            day_in_words(entry.due_date, language),
            money(entry.total, entry.document.price.currency),
            lock_on=steps[UserStatus.LOCKED],
            suspend_on=steps[UserStatus.SUSPENDED],
            is_locked=status is UserStatus.LOCKED,
            is_suspended=status is UserStatus.SUSPENDED,
            pay_url=self._pay_url(entry),
        )

    def _pay_url(self, entry: Entry) -> str:
        """Where an unpaid invoice is paid; empty if there is no such place."""
        if entry.billing_id is None or entry.billing_status not in {None, InvoiceStatus.UNPAID}:
            return ""
        try:
            return self._web.parts.billing.invoice_url(entry.client_id, entry.billing_id) or ""
        except TollbridgeError as error:
            _log.warning("no address to pay at", reference=entry.reference, reason=redact(str(error)))
            return ""


def _shown_usage(running: RunningMonth, price: TokenPrice, language: str) -> tuple[tuple[UsageView, ...], str, str]:
    """The usage, what it costs so far and what it comes to, with tax."""
    usage = tuple(
        UsageView(
            item.name or item.type,
            "" if item.server or item.type not in _KINDS else f"item.{item.type}",
            item.server.plan if item.server else item.type,
            format_decimal(item.tokens, locale=language),
            money(item.tokens * price.user, price.currency),
        )
        for item in running.items
    )
    so_far, projected = (money(tokens * price.user, price.currency) for tokens in (running.tokens, running.projected))
    return usage, so_far, projected


def _user_status(account: Account | None) -> UserStatus:
    """What the bridge made of the user; SolusIO itself shows what others did."""
    return account.mark.status if account is not None and account.mark is not None else UserStatus.ACTIVE


def _is_overdue(entry: Entry, today: date) -> bool:
    return entry.billing_status is InvoiceStatus.UNPAID and entry.due_date < today


def _invoice(entry: Entry, today: date, language: str, pay_url: str) -> InvoiceView:
    currency = entry.document.price.currency
    return InvoiceView(
        reference=entry.reference,
        month=month_in_words(entry.month.first_day, language),
        issued=day_in_words(entry.issue_date, language),
        due=day_in_words(entry.due_date, language),
        status=str(entry.billing_status or InvoiceStatus.UNPAID),
        total=money(entry.total, currency),
        lines=tuple(LineView(line.description, money(line.amount, currency)) for line in entry.document.lines),
        is_overdue=_is_overdue(entry, today),
        subtotal=money(entry.subtotal, currency) if entry.total != entry.subtotal else "",
        tax=money(entry.total - entry.subtotal, currency) if entry.total != entry.subtotal else "",
        pay_url=pay_url,
    )


def _moment(moment: datetime, language: str) -> str:
    return format_datetime(moment, "short", locale=language)
