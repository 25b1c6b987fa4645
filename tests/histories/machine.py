"""A company, its customers and its operator, who do whatever can be done, in any order; and runs, disturbed or not."""

import logging
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any

import attrs
import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.audit.books import audited
from tests.histories.effects import Died, happening
from tests.histories.model import List, Model, Moment, Rules, Terms
from tests.histories.seen import ledger_file, look
from tests.small_world import a_small_world
from tollbridge.errors import OutcomeUnknown, Refused, Unavailable
from tollbridge.memory import Trouble
from tollbridge.memory.books import Booked
from tollbridge.model import Client
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import CorrectionState
from tollbridge.sandbox import Fault
from tollbridge.solus.sandbox.problems import PanelError

CURRENCIES = ("USD", "EUR", "JPY", "KWD")
GROUPS = {"": Decimal(1), "partners": Decimal("0.95"), "friends": Decimal("0.5")}
LAST_DAY = date(2027, 6, 1)
MINIMUM = {"USD": Decimal("1.00"), "JPY": Decimal(100)}
PRICES = (
    {"USD": "0.001", "EUR": "0.00091", "JPY": "0.15", "KWD": "0.0003"},
    {"USD": "0.002", "EUR": "0.00091", "JPY": "0.1", "KWD": "0.00055"},
    {"USD": "0.0012345", "EUR": "0.01", "JPY": "1", "KWD": "0.0001"},
)
TROUBLES = (
    "create_invoice",
    "find_invoice",
    "invoice",
    "unpaid_invoices",
    "invoices_since",
    "clients",
    "client",
    "terms",
    "currencies",
)
FAULTS = ("500", "503", "cut", "lost", "half_page", "html", "empty", "no_meta", "wrong_total", "shuffled_pages")


def explains(*checks: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Of a rule: done behind the bridge's back, and from then on these checks of the audit may find it."""

    def decorated(act: Callable[..., None]) -> Callable[..., None]:
        @wraps(act)
        def noted(self: "History", **drawn: Any) -> None:
            self.explained.update(checks)
            act(self, **drawn)

        return noted

    return decorated


there_is_an_invoice = precondition(lambda history: history.world.books.invoices)
there_is_nobodys = precondition(
    lambda history: any(not user.is_admin and user.billing_user_id is None for user in history.world.panel.users)
)
a_month_is_over = precondition(lambda history: history.day.month > 6 or history.day.year > 2026)
some = st.integers(0, 99)
"""Which of those that there are: that many from the first on, around."""


@attrs.define
class File:
    """What stands in bridge.toml of prices."""

    tokens: int = 0
    changes: dict[str, int] = attrs.Factory(dict)
    tax: str = "20"


class History(RuleBasedStateMachine):
    """One history."""

    def __init__(self) -> None:
        super().__init__()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.world = self.stack.enter_context(a_small_world(folder))
        self.day = date(2026, 6, 1)
        self.file = File()
        self.undisturbed = True
        self.explained: set[str] = set()
        self.servers = 0
        self.gone: dict[int, Client] = {}
        self.backup: bytes | None = None

    def teardown(self) -> None:
        """However a history goes, the next month ends set everything right."""
        try:
            for _ in range(3 if hasattr(self, "model") else 0):
                self.now_is(Month(self.day.year, self.day.month).next.first_day)
                self.a_run_that_nothing_disturbs()
        finally:
            self.stack.close()

    @initialize(
        minimum=st.booleans(), carry=st.integers(0, 3), recheck=st.integers(0, 2), hold=st.booleans(),
        steps=st.booleans(), most=st.sampled_from(["0.5", "0", "100"]),
        clients=st.lists(st.sampled_from(CURRENCIES), min_size=1, max_size=3), billed=st.booleans(),
    )  # fmt: skip
    def a_company(
        self,
        *,
        minimum: bool,
        carry: int,
        recheck: int,
        hold: bool,
        steps: bool,
        most: str,
        clients: list[str],
        billed: bool,
    ) -> None:
        """What stands in bridge.toml for good, and the first clients, each with a server."""
        rules = [f"carry_months = {carry}", f"recheck_months = {recheck}", f'most_correction = "{most}"', "at_once = 1"]
        if minimum:
            rules.append('minimum = { USD = "1.00", JPY = "100" }')
        if hold:
            rules.append('hold_above = "3"')
        self.world.billing = "\n".join(rules)
        self.world.books.several_steps = steps
        self.model = Model(Rules(MINIMUM if minimum else {}, carry, recheck))
        self.write_file()
        for currency in clients:
            self.a_client_comes(currency, "DE", "")
        for user in range(len(clients)):
            self.a_server_is_made(user, 0, backups=False, addresses=0)
        if billed:
            self.the_next_month_ends()

    # bridge.toml

    def write_file(self) -> None:
        """bridge.toml, with the prices of the file."""
        changes = "".join(
            f'\n[[pricing.changes]]\nfrom = "{month}"\ntokens = {{ {_inline(PRICES[number])} }}\n'
            for month, number in sorted(self.file.changes.items())
        )
        discounts = "".join(
            f'\n[[pricing.discounts]]\nname = "{group}"\ndescription = "{group}"\nmultiplier = "{multiplier}"\n'
            f'client_group = "{group}"\n'
            for group, multiplier in GROUPS.items()
            if group
        )
        taxes = f'\n[[pricing.taxes]]\nlabel = "VAT"\nrate = "{self.file.tax}"\ncountry = "DE"\n'
        self.world.prices = _inline(PRICES[self.file.tokens]).replace(", ", "\n")
        self.world.more = f"{changes}{discounts}{taxes}"

    def lists(self) -> dict[str, List]:
        """What the file says, by month."""
        found, month = {}, Month.parse(self.world.start)
        for _ in range(18):
            tokens = dict(PRICES[self.file.tokens])
            for start, number in sorted(self.file.changes.items()):
                if start <= str(month):
                    tokens |= PRICES[number]
            prices = {code: Decimal(text) for code, text in tokens.items()}
            found[str(month)] = List(prices, dict(GROUPS), {"DE": Decimal(self.file.tax)})
            month = month.next
        return found

    @rule(number=st.integers(0, 2))
    def a_price_is_edited(self, number: int) -> None:
        self.file.tokens = number
        self.write_file()

    @rule(ahead=st.integers(0, 2), number=st.integers(0, 2))
    def a_price_changes_from_a_month_on(self, ahead: int, number: int) -> None:
        month = Month(self.day.year, self.day.month)
        for _ in range(ahead):
            month = month.next
        self.file.changes[str(month)] = number
        self.write_file()

    @rule(rate=st.sampled_from(["20", "7", "0"]))
    def a_tax_changes(self, rate: str) -> None:
        self.file.tax = rate
        self.write_file()

    # Clients and users

    def client(self, number: int) -> int | None:
        """One of the clients there are."""
        clients = sorted(self.world.books.clients)
        return clients[number % len(clients)] if clients else None

    def user(self, number: int) -> int | None:
        """One of the users there are, administrators left out."""
        users = [user.id for user in self.world.panel.users if not user.is_admin]
        return users[number % len(users)] if users else None

    @rule(
        currency=st.sampled_from(CURRENCIES), country=st.sampled_from(["DE", "US"]), group=st.sampled_from(list(GROUPS))
    )
    def a_client_comes(self, currency: str, country: str, group: str) -> None:
        client = max([*self.world.books.clients, *self.gone], default=0) + 1
        if client > 5:
            return
        self.world.add_client(client, currency, country=country, client_group=group)
        self.world.add_user(client)

    @rule(number=some, currency=st.sampled_from(CURRENCIES))
    def a_client_takes_another_currency(self, number: int, currency: str) -> None:
        if client := self.client(number):
            self.world.books.change_client(client, currency=currency)

    @rule(number=some, group=st.sampled_from(list(GROUPS)))
    def a_client_comes_to_another_group(self, number: int, group: str) -> None:
        if client := self.client(number):
            self.world.books.change_client(client, group=group)

    @rule(number=some, status=st.sampled_from(["closed", "active", "active"]))
    def a_client_is_closed_or_opened(self, number: int, status: str) -> None:
        if client := self.client(number):
            self.world.books.change_client(client, status=status)

    @rule(number=some, address=st.integers(0, 2))
    @explains("users")
    def a_client_takes_another_address(self, number: int, address: int) -> None:
        if client := self.client(number):
            self.world.books.change_client(client, email=f"client{client}-{address}@example.com")

    @rule(number=some)
    def a_client_is_deleted(self, number: int) -> None:
        if client := self.client(number):
            self.gone[client] = self.world.books.clients[client]
            self.world.books.remove_client(client)

    @rule(number=some, into=some)
    @explains("invoices")
    def two_clients_are_merged(self, number: int, into: int) -> None:
        """All invoices of one are the other's, and the first is gone; its user stays as it is."""
        client, survivor = self.client(number), self.client(into)
        if client and survivor and client != survivor:
            for booked in self.world.books.invoices:
                if booked.client_id == client:
                    self.world.books.change_invoice(booked.number, client_id=survivor)
                    self.model.moved[booked.number] = survivor
            self.a_client_is_deleted(number=number)

    @precondition(lambda self: self.gone)
    @rule(number=some)
    def a_client_comes_back(self, number: int) -> None:
        """It was deleted by mistake."""
        client = self.gone.pop(sorted(self.gone)[number % len(self.gone)])
        self.world.books.clients[client.id] = client

    @rule()
    def somebody_without_a_client_comes(self) -> None:
        if len(self.world.panel.users) < 8:
            self.servers += 1
            user = self.world.panel.add_user(f"nobody{self.servers}@example.com")
            self.a_server_of(user.id, 0)

    @there_is_nobodys
    @rule(number=some, client=some)
    @explains("users", "tokens")  # whose client was gone: months that are not read again stay as they were billed
    def somebody_is_linked(self, number: int, client: int) -> None:
        """A user that is nobody's, to a client that has none yet or several by then."""
        nobodys = [user.id for user in self.world.panel.users if not user.is_admin and user.billing_user_id is None]
        to = self.client(client)
        if nobodys and to:
            self.world.panel.update_user(nobodys[number % len(nobodys)], billing_user_id=to)

    @rule(number=some)
    @explains("users")
    def a_user_is_unlinked(self, number: int) -> None:
        if user := self.user(number):
            self.world.panel.update_user(user, billing_user_id=None)

    @rule(number=some)
    def a_user_is_deleted(self, number: int) -> None:
        """Only one without servers can be."""
        if user := self.user(number):
            with suppress(PanelError):
                self.world.panel.delete_user(user)

    @precondition(lambda self: self.undisturbed)
    @rule(number=some, status=st.sampled_from(["active", "locked", "suspended"]))
    def somebody_changes_a_status_by_hand(self, number: int, status: str) -> None:
        user = self.user(number)
        if user and status != self.world.panel.user(user).status:
            self.world.panel.update_user(user, status=status)
            self.model.by_hand[user] = status

    # Servers

    def a_server_of(self, user: int, plan: int, *, backups: bool = False, addresses: int = 0) -> None:
        """A server with a name that no other has."""
        self.servers += 1
        plans = self.world.panel.tables.plans.rows()
        self.world.panel.create_server(
            user, plans[plan % len(plans)].id, f"web-{self.servers}", backups=backups, additional_ips=addresses
        )

    @rule(number=some, plan=some, backups=st.booleans(), addresses=st.integers(0, 1))
    def a_server_is_made(self, number: int, plan: int, *, backups: bool, addresses: int) -> None:
        user = self.user(number)
        if user and len(self.world.panel.servers) < 8:
            self.a_server_of(user, plan, backups=backups, addresses=addresses)

    @rule(number=some, plan=some)
    def a_server_is_resized(self, number: int, plan: int) -> None:
        if servers := self.world.panel.servers:
            plans = self.world.panel.tables.plans.rows()
            self.world.panel.resize_server(servers[number % len(servers)].id, plans[plan % len(plans)].id)

    @rule(number=some)
    def a_server_is_deleted(self, number: int) -> None:
        if servers := self.world.panel.servers:
            self.world.panel.delete_server(servers[number % len(servers)].id)

    @rule(number=some)
    def a_server_is_started_or_stopped(self, number: int) -> None:
        if servers := self.world.panel.servers:
            server = servers[number % len(servers)]
            with suppress(PanelError):
                (self.world.panel.stop_server if server.is_running else self.world.panel.start_server)(server.id)

    @rule(number=some, user=some)
    def a_server_is_moved_to_another_user(self, number: int, user: int) -> None:
        servers, to = self.world.panel.servers, self.user(user)
        if servers and to:
            self.world.panel.move_server(servers[number % len(servers)].id, to)

    @rule(number=some)
    def a_server_is_not_reported_any_more(self, number: int) -> None:
        servers = list(self.world.panel.tables.servers.with_deleted())
        if servers:
            server = servers[number % len(servers)]
            with self.world.panel.lock:
                self.world.panel.tables.servers.put(attrs.evolve(server, uptime=()))
                self.world.panel.patch_settings({})

    @a_month_is_over
    @rule(number=some, back=st.integers(1, 3), tokens=st.sampled_from([1, 44, 1044, 6000, -1, -44, -900, -5000]))
    @explains("tokens")
    def usage_is_reported_later_or_taken_back(self, number: int, back: int, tokens: int) -> None:
        month = Month(self.day.year, self.day.month)
        for _ in range(back):
            month = month.previous
        servers = self.world.panel.tables.servers.with_deleted()
        if servers := list(servers):
            with suppress(PanelError):
                self.world.panel.correct_usage(month, tokens, server_id=servers[number % len(servers)].id)

    @a_month_is_over
    @rule(number=some, tokens=st.sampled_from([1, 500]))
    @explains("tokens")
    def a_user_gets_an_item_later(self, number: int, tokens: int) -> None:
        if user := self.user(number):
            with suppress(PanelError):
                self.world.panel.correct_usage(Month(self.day.year, self.day.month).previous, tokens, user_id=user)

    # Payments

    def invoice(self, number: int) -> Booked | None:
        """One of the invoices there are."""
        booked = self.world.books.invoices
        return booked[number % len(booked)] if booked else None

    @there_is_an_invoice
    @rule(number=some, whole=st.booleans())
    def an_invoice_is_paid(self, number: int, *, whole: bool) -> None:
        booked = self.invoice(number)
        if booked and booked.status in {"unpaid", "pending"}:
            part = (booked.total / 2).quantize(Decimal(1).scaleb(-booked.decimals))
            self.world.books.pay(booked.reference, None if whole else part)

    @there_is_an_invoice
    @rule(number=some)
    def a_payment_bounces(self, number: int) -> None:
        booked = self.invoice(number)
        if booked and booked.status == "paid":
            self.world.books.bounce(booked.reference)

    @there_is_an_invoice
    @rule(number=some, status=st.sampled_from(["cancelled", "refunded", "pending", "unpaid"]))
    def an_invoice_gets_another_status(self, number: int, status: str) -> None:
        if booked := self.invoice(number):
            self.world.books.set_status(booked.reference, status)

    @there_is_an_invoice
    @rule(number=some)
    @explains("invoices")
    def an_invoice_is_deleted(self, number: int) -> None:
        if booked := self.invoice(number):
            self.world.books.remove_invoice(booked.number)
            self.model.removed.add(booked.reference)

    @there_is_an_invoice
    @rule(number=some, days=st.integers(-10, 10))
    def a_due_date_is_moved(self, number: int, days: int) -> None:
        if booked := self.invoice(number):
            self.world.books.change_invoice(booked.number, due_date=booked.due_date + timedelta(days=days))

    # The operator

    @a_month_is_over
    @rule(yes=st.booleans())
    def the_operator_decides_what_waits(self, *, yes: bool) -> None:
        """Held invoices and corrections, all of them."""
        seen = look(self.world)
        with self.world.parts() as parts:
            for entry in seen.entries.values():
                if entry.held:
                    decide = parts.ledger.invoices.approve if yes else parts.ledger.invoices.write_off
                    decide(Month.parse(entry.month), entry.client, "looked at")
            for each in parts.ledger.corrections.unsettled():
                state = CorrectionState.OPEN if yes else CorrectionState.REFUSED
                parts.ledger.corrections.decide(each.stands_on, each.client_id, state, "looked at")

    @there_is_nobodys
    @rule(onwards=st.booleans())
    def nobodys_usage_is_written_off(self, *, onwards: bool) -> None:
        with self.world.parts() as parts:
            for month, user in parts.ledger.readings.all_unbilled():
                parts.ledger.readings.write_off(user.user_id, month, "ours", onwards=onwards)

    @rule()
    def a_backup_is_made(self) -> None:
        """Of the ledger."""
        self.backup = ledger_file(self.world).read_bytes()

    @precondition(lambda self: self.backup is not None)
    @rule()
    @explains("tokens", "strangers", "entries", "sums", "holds", "invoices", "users")
    def the_ledger_is_restored(self) -> None:
        """From that backup, and the operator says so; of months up to now less is certain from then on."""
        assert self.backup is not None
        ledger_file(self.world).write_bytes(self.backup)
        with self.world.run(str(self.day)) as run:
            run.doubt_all()
        self.model.restored(str(Month(self.day.year, self.day.month)), look(self.world))

    # Time and runs

    def now_is(self, day: date) -> None:
        """Four o'clock on that day; histories end in the next June."""
        if day <= LAST_DAY:
            self.day = day
            self.world.at(str(day))

    @rule(days=st.sampled_from([1, 8, 15, 22]))
    def days_pass(self, days: int) -> None:
        self.now_is(self.day + timedelta(days=days))

    @precondition(lambda self: self.day < LAST_DAY)
    @rule()
    def a_month_ends(self) -> None:
        self.now_is(Month(self.day.year, self.day.month).next.first_day)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Whatever happens to a run, the model sees what was there before and after it."""
        before = look(self.world)
        yield
        self.world.books.troubles.clear()
        self.world.books.land()
        self.world.panel.faults.clear()
        self.moment = Moment(self.day, self.lists(), self.terms(), before, look(self.world))
        self.model.ran(self.moment)

    def terms(self) -> dict[int, Terms]:
        """What the billing system says of everybody."""
        clients = self.world.books.clients.values()
        return {each.id: Terms(each.currency, each.group, each.country, str(each.status)) for each in clients}

    @rule()
    def a_run_that_nothing_disturbs(self) -> None:
        with self.watched():
            report = self.world.daily(str(self.day))
        assert report.stopped_by is None, report.stopped_by
        self.undisturbed = True
        self.model.check(self.moment, [str(each) for each in report.failures])
        self.the_audit_finds_only_what_somebody_did()

    def the_audit_finds_only_what_somebody_did(self) -> None:
        """What the audit finds after such a run was done behind the bridge's back, or came too late for any run."""
        found = audited(self.world)
        assert not found.not_made, found.not_made
        for each in found.findings:
            named = [re.search(r"(?:client |-)(\d+)$", words) for words in (each.who, each.expected)]
            is_gone = any(found_in and int(found_in[1]) in self.gone for found_in in named)
            assert is_gone or each.check in self.explained, f"{each}; explained: {sorted(self.explained)}"

    @rule()
    def the_next_month_ends(self) -> None:
        self.a_month_ends()
        self.a_run_that_nothing_disturbs()

    @rule(days=st.sampled_from([1, 8, 15]))
    def days_pass_with_a_run(self, days: int) -> None:
        self.days_pass(days)
        self.a_run_that_nothing_disturbs()

    @rule(at=st.integers(1, 60), after=st.booleans(), ends=st.booleans())
    def a_run_that_dies(self, at: int, *, after: bool, ends: bool) -> None:
        """At any effect; perhaps after a month has ended."""

        def die() -> None:
            raise Died

        self.disturbed(at, die, after=after, ends=ends)

    @rule(at=st.integers(1, 60), after=st.booleans(), ends=st.booleans(), dies=st.booleans())
    def a_run_within_a_run(self, at: int, *, after: bool, ends: bool, dies: bool) -> None:
        """Another one comes, with a ledger of its own, while the first is at any effect; which may die then."""

        def come() -> None:
            self.world.daily(str(self.day))
            if dies:
                raise Died

        self.disturbed(at, come, after=after, ends=ends)

    def disturbed(self, at: int, what: Callable[[], None], *, after: bool, ends: bool) -> None:
        """A run to whose n-th effect something happens."""
        if ends:
            self.a_month_ends()
        self.undisturbed = False
        with (
            self.watched(),
            self.world.run(str(self.day)) as run,
            happening(run, self.world.books, at, what, after=after),
            suppress(Died),
        ):
            run.daily()

    @rule(
        kind=st.sampled_from(["before", "after", "late", "short"]), call=st.sampled_from(TROUBLES),
        skip=st.integers(0, 3), times=st.sampled_from([1, 2, None]),
        error=st.sampled_from(["refused", "unavailable", "usual"]), ends=st.booleans(),
    )  # fmt: skip
    def a_run_with_trouble_in_billing(
        self, kind: Any, call: str, skip: int, times: int | None, error: str, *, ends: bool
    ) -> None:
        if ends:
            self.a_month_ends()
        raised: dict[str, Exception | None] = {
            "refused": Refused("no"),
            "unavailable": Unavailable("down"),
            "usual": None,
        }
        if kind in {"after", "late"}:
            raised = dict.fromkeys(raised, OutcomeUnknown("no answer came"))
        if kind == "late" and call != "create_invoice":
            kind = "before"
        self.undisturbed = False
        self.world.books.troubles.add(Trouble(kind, call, times=times, skip=skip, error=raised[error]))
        with self.watched():
            self.world.daily(str(self.day))

    @rule(
        kind=st.sampled_from(FAULTS), path=st.sampled_from(["*", "users", "usage"]),
        method=st.sampled_from(["*", "PUT", "GET"]), skip=st.integers(0, 5),
        times=st.sampled_from([1, 4, None]), ends=st.booleans(),
    )  # fmt: skip
    def a_run_with_trouble_in_the_panel(
        self, kind: Any, path: str, method: str, skip: int, times: int | None, *, ends: bool
    ) -> None:
        if ends:
            self.a_month_ends()
        self.undisturbed = False
        self.world.panel.faults.add(Fault(kind, method, path, times=times, skip=skip))
        with self.watched():
            self.world.daily(str(self.day))

    @rule(part=st.sampled_from(["invoices", "overdue", "accounts"]))
    def a_part_of_a_run(self, part: str) -> None:
        """``invoice``, ``overdue`` or ``sync`` alone."""
        self.undisturbed = False
        with self.watched(), self.world.run(str(self.day)) as run:
            run.invoices(None) if part == "invoices" else getattr(run, part)()


def _inline(prices: dict[str, str]) -> str:
    return ", ".join(f'{code} = "{text}"' for code, text in prices.items())
