"""The client's own page: SolusIO, the running month, invoices, and what happens if one stays unpaid."""

from datetime import UTC, date, datetime

import attrs
import structlog
from anyio import to_thread
from babel.dates import format_date
from starlette.responses import Response

from tollbridge.errors import NotFound, TollbridgeError, Unavailable
from tollbridge.jobs.enrolling import enrol
from tollbridge.jobs.pricing import Pricer
from tollbridge.jobs.statement import RunningMonth
from tollbridge.ledger import Account as LedgerAccount
from tollbridge.ledger import Entry
from tollbridge.model import Client, InvoiceStatus, UserStatus
from tollbridge.rules.pricing import TokenPrice, money
from tollbridge.secret import redact
from tollbridge.server.pages.views import AccountView, InvoiceView, LineView, NoticeView, UsageView
from tollbridge.server.pages.web import ROOT, Visit, Web

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
            view = await to_thread.run_sync(self._view, client_id, visit.language)
        except NotFound:
            return self._web.leave(visit)
        return self._web.page(visit, "account", view)

    async def to_solus(self, visit: Visit) -> Response:
        """A one-time log-in, made now and kept nowhere."""
        await self._web.form(visit)
        account = await to_thread.run_sync(self._account, self._web.client_of(visit))
        if account is None:
            return self._web.go(visit, f"{ROOT}/account")
        return self._web.go(visit, await to_thread.run_sync(self._web.parts.solus.login_url, account.user_id))

    async def to_payment(self, visit: Visit) -> Response:
        """The billing system's client area, where invoices are paid."""
        await self._web.form(visit)
        url = await to_thread.run_sync(self._web.parts.billing.portal_login_url, self._web.client_of(visit))
        return self._web.go(visit, url or f"{ROOT}/account")

    async def enrol(self, visit: Visit) -> Response:
        """A client who is logged in accepts the terms, and gets a SolusIO user."""
        form = await self._web.form(visit)
        client_id = self._web.client_of(visit)
        if problems := self._web.terms_problems(form):
            view = await to_thread.run_sync(self._view, client_id, visit.language)
            return self._web.page(visit, "account", attrs.evolve(view, problems=problems), status=422)
        await to_thread.run_sync(self._enrol, client_id)
        return self._web.go(visit, f"{ROOT}/account")

    def _enrol(self, client_id: int) -> None:
        try:
            enrol(self._web.parts, self._web.parts.billing.client(client_id))
        except Unavailable as error:
            _log.warning("user not made yet", client_id=client_id, reason=redact(str(error)))

    def _account(self, client_id: int) -> LedgerAccount | None:
        return self._web.parts.ledger.accounts([client_id]).get(client_id)

    def _view(self, client_id: int, language: str) -> AccountView:
        parts = self._web.parts
        client = parts.billing.client(client_id)
        price = Pricer(parts.billing, parts.settings.pricing.price_list()).price(client)
        account = self._account(client_id)
        entries = parts.ledger.invoices_of(client_id, _MOST_INVOICES)
        today = datetime.now(parts.settings.billing.timezone).date()
        status = _user_status(account)
        running = self._running_month(client)
        month, usage, so_far, projected = _shown_month(running, price, language)
        return AccountView(
            who=" ".join(part for part in (client.first_name, client.last_name) if part) or client.company,
            email=client.email,
            enrolled=account is not None,
            user_status=str(status),
            invoices=tuple(_invoice(entry, today, language) for entry in entries),
            notices=tuple(
                self._notice(entry, today, language, status) for entry in entries if _is_overdue(entry, today)
            ),
            can_pay=parts.billing.can("portal_login_url"),
            month=month,
            usage=usage,
            usage_known=running is not None,
            so_far=so_far,
            projected=projected,
        )

    def _running_month(self, client: Client) -> RunningMonth | None:
        """This month's usage; None if SolusIO does not answer, which is no reason to show nothing."""
        try:
            return self._web.usage.of_client(client.id, datetime.now(UTC))
        except TollbridgeError as error:
            _log.warning("usage not known", reason=redact(str(error)))
            return None

    def _notice(self, entry: Entry, today: date, language: str, status: UserStatus) -> NoticeView:
        ladder = self._web.parts.settings.billing.ladder
        steps = {UserStatus.LOCKED: "", UserStatus.SUSPENDED: ""}
        step = ladder.next_step(entry.due_date, today)
        while step is not None:
            steps[step[1]] = _day(step[0], language)
            step = ladder.next_step(entry.due_date, step[0])
        return NoticeView(
            entry.reference,
            _day(entry.due_date, language),
            money(entry.total, entry.document.price.currency),
            lock_on=steps[UserStatus.LOCKED],
            suspend_on=steps[UserStatus.SUSPENDED],
            is_locked=status is UserStatus.LOCKED,
            is_suspended=status is UserStatus.SUSPENDED,
        )


def _shown_month(
    running: RunningMonth | None, price: TokenPrice, language: str
) -> tuple[str, tuple[UsageView, ...], str, str]:
    """The month, its usage, what it costs so far and what it comes to, with tax."""
    if running is None:
        return _month(datetime.now(UTC).date(), language), (), "", ""
    usage = tuple(
        UsageView(
            item.name or item.type,
            item.server.plan if item.server else item.type,
            f"{item.tokens:,}",
            money(item.tokens * price.user, price.currency),
        )
        for item in running.items
    )
    month = _month(date(running.month.year, running.month.number, 1), language)
    so_far, projected = (money(tokens * price.user, price.currency) for tokens in (running.tokens, running.projected))
    return month, usage, so_far, projected


def _user_status(account: LedgerAccount | None) -> UserStatus:
    """What the bridge made of the user; SolusIO itself shows what others did."""
    return account.hold.status if account is not None and account.hold is not None else UserStatus.ACTIVE


def _is_overdue(entry: Entry, today: date) -> bool:
    return entry.billing_status is InvoiceStatus.UNPAID and entry.due_date < today


def _invoice(entry: Entry, today: date, language: str) -> InvoiceView:
    currency = entry.document.price.currency
    return InvoiceView(
        reference=entry.reference,
        month=_month(date(entry.month.year, entry.month.number, 1), language),
        issued=_day(entry.issue_date, language),
        due=_day(entry.due_date, language),
        status=str(entry.billing_status or InvoiceStatus.UNPAID),
        total=money(entry.total, currency),
        lines=tuple(LineView(line.description, money(line.amount, currency)) for line in entry.document.lines),
        is_overdue=_is_overdue(entry, today),
    )


def _day(day: date, language: str) -> str:
    return format_date(day, "long", locale=language)


def _month(day: date, language: str) -> str:
    return format_date(day, "LLLL yyyy", locale=language)
