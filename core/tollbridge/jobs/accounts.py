"""Keeping SolusIO's users in step with the billing system's clients."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

import attrs

from tollbridge.errors import Conflict, Refused, TollbridgeError
from tollbridge.jobs.enrolling import Unproved
from tollbridge.jobs.parts import Failure, Failures, Parts, Progress, When
from tollbridge.jobs.staging import Scratch, StagedUsage
from tollbridge.jobs.statuses import StatusChange, apply_status
from tollbridge.ledger import Account
from tollbridge.ledger.outbox import Outbox
from tollbridge.ledger.signups import Joining, Signups
from tollbridge.ledger.visits import Visits
from tollbridge.model import Client, ClientStatus, UserStatus
from tollbridge.rules.accounts import Candidate, Clash, Create, Decision, Keep, Leave, Link, decide, gets_user
from tollbridge.rules.calendar import Month
from tollbridge.rules.overdue import Hold
from tollbridge.secret import redact
from tollbridge.solus import SolusUser, read_usage
from tollbridge.solus.panel import again_if_incomplete

_BATCH = 500
_MAILS_KEPT = timedelta(days=30)


@attrs.define
class AccountsReport:
    """What became of the users in one run; ``complete`` once all clients were looked at."""

    complete: bool = False
    clients: int = 0
    created: list[int] = attrs.Factory(list)
    linked: list[int] = attrs.Factory(list)
    email_changed: list[int] = attrs.Factory(list)
    deleted: list[int] = attrs.Factory(list)
    changes: list[StatusChange] = attrs.Factory(list)
    failures: list[Failure] = attrs.Factory(list)


class StagedPeople(Scratch):
    """All of SolusIO's users and all of the billing system's clients, side by side."""

    tables = """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY, email TEXT, email_key TEXT, status TEXT, billing_user_id INTEGER,
            is_administrator INTEGER
        );
        CREATE INDEX users_by_billing_id ON users (billing_user_id);
        CREATE INDEX users_by_email ON users (email_key);
        CREATE TABLE clients (
            id INTEGER PRIMARY KEY, email TEXT, email_key TEXT, status TEXT, currency TEXT, name TEXT
        );
        CREATE INDEX clients_by_email ON clients (email_key);
    """

    def fill_users(self, users: Iterable[SolusUser]) -> None:
        """Replace the users by ``users``."""
        self.connection.execute("DELETE FROM users")
        self.connection.executemany(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?)",
            (
                (user.id, user.email, user.email.casefold(), user.status, user.billing_user_id, user.is_administrator)
                for user in users
            ),
        )

    def add_client(self, client: Client) -> bool:
        """Add a client; False if one with this id is there already."""
        row = (client.id, client.email, client.email.casefold(), client.status, client.currency, _name(client))
        return self.connection.execute("INSERT OR IGNORE INTO clients VALUES (?, ?, ?, ?, ?, ?)", row).rowcount == 1

    def client_of(self, joining: Joining) -> int | None:
        """The one client with a sign-up's address, if the sign-up made it; None if there is none, or another one."""
        query = "SELECT id, name FROM clients WHERE email_key = ?"
        rows = self.connection.execute(query, (joining.email.casefold(),)).fetchall()
        return rows[0][0] if len(rows) == 1 and rows[0][1] == _name(joining) else None

    def has_user(self, user_id: int) -> bool:
        """Whether SolusIO has the user."""
        return self.connection.execute("SELECT 1 FROM users WHERE id = ?", (user_id,)).fetchone() is not None

    def pairs(self) -> Iterator[tuple[Client, list[SolusUser]]]:
        """Each client, by id, with the users that carry its billing id or its address."""
        query = """
            SELECT c.id, c.email, c.status, c.currency, u.id, u.email, u.status, u.billing_user_id,
                   u.is_administrator
            FROM clients c LEFT JOIN users u ON u.id IN (
                SELECT id FROM users WHERE billing_user_id = c.id
                UNION SELECT id FROM users WHERE email_key = c.email_key
            ) ORDER BY c.id, u.id
        """
        for _, rows in groupby(self.connection.execute(query), key=itemgetter(0)):
            group = list(rows)
            client = Client(group[0][0], group[0][1], group[0][3], status=group[0][2])
            users = [
                SolusUser(row[4], row[5], UserStatus(row[6]), row[7], bool(row[8]))
                for row in group
                if row[4] is not None
            ]
            yield client, users


def _name(person: Client | Joining) -> str:
    words = f"{person.first_name} {person.last_name} {person.company}".casefold().split()
    return " ".join(words)


class Accounts:
    """One run over all clients."""

    def __init__(self, parts: Parts, when: When, *, dry_run: bool, progress: Progress) -> None:
        self._parts = parts
        self._when = when
        self._dry_run = dry_run
        self._progress = progress
        self._failures = Failures()
        self._uninvoiced: StagedUsage | None = None
        self._signups = Signups(parts.ledger.engine)
        self._enrolled: dict[int, bool] = {}
        self.report = AccountsReport(failures=self._failures.all)

    def sync(self) -> None:
        """Create, link, follow e-mail changes, and handle closed clients, each client on its own.

        Raises:
            Incomplete: SolusIO's list of users is not whole, so nobody was touched.
        """
        with StagedPeople() as people:
            again_if_incomplete(lambda: people.fill_users(self._parts.solus.users()))
            self._stage_clients(people)
            self._go_on_with_signups(people)
            batch: list[tuple[Client, list[SolusUser]]] = []
            for pair in people.pairs():
                batch.append(pair)
                if len(batch) == _BATCH:
                    self._serve_all(batch, people)
                    batch = []
            self._serve_all(batch, people)
        if self._uninvoiced is not None:
            self._uninvoiced.connection.close()
        self._end_signups()
        self.report.complete = True

    def _go_on_with_signups(self, people: StagedPeople) -> None:
        """A sign-up that was cut short after its terms were accepted: its client, if one was made, is enrolled."""
        pages = self._parts.settings.pages
        if pages is None or self._dry_run:
            return
        for joining in self._signups.unfinished():
            client_id = joining.client_id or people.client_of(joining)
            if client_id is not None:
                self._signups.created(joining.nonce, client_id)
                self._signups.enrol(
                    client_id,
                    at=self._when.now,
                    terms_url=pages.terms_url,
                    postpay_terms_url=pages.postpay_terms_url,
                    address_proved=True,
                )

    def _end_signups(self) -> None:
        """Sign-ups whose client has its user by now have come to their end; what is over is forgotten."""
        if self._dry_run or self._parts.settings.pages is None:
            return
        for joining in self._signups.unfinished():
            if joining.client_id is not None and self._parts.ledger.accounts([joining.client_id]):
                self._signups.done(joining.nonce, self._when.now)
        self._signups.purge(self._when.now)
        Visits(self._parts.ledger.engine).purge(self._when.now)
        Outbox(self._parts.ledger.engine).purge(self._when.now - _MAILS_KEPT)

    def _stage_clients(self, people: StagedPeople) -> None:
        for client in self._parts.billing.clients():
            if isinstance(client, Refused):
                self._failures.add("a client", client)
            elif not people.add_client(client):
                self._failures.add(f"client {client.id}", Conflict("the billing system lists it twice"))

    def _serve_all(self, batch: list[tuple[Client, list[SolusUser]]], people: StagedPeople) -> None:
        accounts = self._parts.ledger.accounts([client.id for client, _ in batch])
        self._enrolled = self._signups.enrolled([client.id for client, _ in batch])
        for client, users in batch:
            try:
                self._serve(client, users, accounts.get(client.id), people)
            except TollbridgeError as error:
                self._failures.add(f"client {client.id}", error)
            else:
                self._failures.went_well()
        self.report.clients += len(batch)
        self._progress("clients", self.report.clients)

    def _serve(self, client: Client, users: list[SolusUser], account: Account | None, people: StagedPeople) -> None:
        candidates = [Candidate(user.id, user.email, user.billing_user_id, user.is_administrator) for user in users]
        everybody = self._parts.settings.accounts.provision == "clients"
        provision = gets_user(client, enrolled=client.id in self._enrolled, everybody=everybody)
        decision = decide(client, candidates, provision=provision)
        if isinstance(decision, Clash):
            raise Conflict(decision.message)
        if isinstance(decision, Link) and not everybody and not self._enrolled[client.id]:
            raise Unproved(client, decision.user_id)
        user = self._user(client, decision, {user.id: user for user in users})
        if user is None:
            if account is not None and not self._dry_run and not people.has_user(account.user_id):
                self._parts.ledger.forget_account(client.id)
            return
        was_closed = account is not None and account.closed
        account = self._remembered(client, user, account)
        if self._delete_if_done(client, user) or not (account.closed or was_closed):
            return
        # A user who is held for unpaid invoices is left to the overdue job, which knows what was paid since.
        wanted = UserStatus.SUSPENDED if account.closed else UserStatus.ACTIVE
        change = apply_status(self._parts, account, user, wanted, dry_run=self._dry_run)
        if change is not None:
            self.report.changes.append(change)

    def _user(self, client: Client, decision: Decision, users: dict[int, SolusUser]) -> SolusUser | None:
        """The client's user after the decision was carried out; None if it has none (or would, in a dry run)."""
        solus = self._parts.solus
        match decision:
            case Create() | Link():
                user = None if self._dry_run else solus.ensure_user(client.email, client.id)
                done = self.report.created if isinstance(decision, Create) else self.report.linked
                done.append(client.id)
                return user
            case Keep(user_id, email_changed):
                if not email_changed:
                    return users[user_id]
                if not self._dry_run:
                    solus.change_email(user_id, client.email)
                self.report.email_changed.append(client.id)
                return attrs.evolve(users[user_id], email=client.email)
            case Leave() | Clash():
                return None

    def _remembered(self, client: Client, user: SolusUser, account: Account | None) -> Account:
        """The account in the ledger, brought up to date with the client and its user."""
        closed = client.status is ClientStatus.CLOSED and self._parts.settings.accounts.on_closed != "keep"
        if account is not None and account.user_id == user.id:
            found = attrs.evolve(account, email=user.email, closed=closed)
        else:
            found = Account(client.id, user.id, user.email, closed, self._hold_of(user))
        if found != account and not self._dry_run:
            self._parts.ledger.save_account(found)
            if account is None or account.user_id != user.id:
                self._tell_billing(client, user)
        return found

    def _tell_billing(self, client: Client, user: SolusUser) -> None:
        """Whether the billing system remembers a user decides nothing, so its failure is only reported."""
        try:
            self._parts.billing.remember_user(client.id, user.id)
        except TollbridgeError as error:
            words = f"the billing system did not take its SolusIO user's id, {user.id}: {error}"
            self._failures.all.append(Failure(f"client {client.id}", redact(words)))

    def _hold_of(self, user: SolusUser) -> Hold | None:
        """What the bridge did to the user while it was another client's: that is still the bridge's to undo."""
        ledger = self._parts.ledger
        earlier = ledger.accounts(list(ledger.clients_of_users([user.id]).values()))
        return next((account.hold for account in earlier.values()), None)

    def _delete_if_done(self, client: Client, user: SolusUser) -> bool:
        """Delete a closed client's user, if that is wanted and no server, usage or unpaid invoice is left."""
        if client.status is not ClientStatus.CLOSED or self._parts.settings.accounts.on_closed != "delete":
            return False
        if self._parts.ledger.open_invoices([client.id], set()):
            return False
        if self._parts.solus.has_servers(user.id) or self._has_unbilled_usage(user.id):
            return False
        if not self._dry_run:
            self._parts.solus.delete_user(user.id)
            self._parts.ledger.forget_account(client.id)
        self.report.deleted.append(client.id)
        return True

    def _has_unbilled_usage(self, user_id: int) -> bool:
        """Whether the user used anything that is not invoiced yet; SolusIO may forget it with the user."""
        if self._uninvoiced is None:
            staged = StagedUsage()
            billing = self._parts.settings.billing
            month = billing.start
            present = Month.of(self._when.now, billing.timezone)
            while month < present and self._parts.ledger.is_closed(month):
                month = month.next
            start, end = month.start(billing.timezone), self._when.now
            feed = self._parts.settings.solus.usage
            try:
                if start < end:
                    again_if_incomplete(lambda: staged.fill(read_usage(self._parts.solus.panel, feed, start, end)))
            except TollbridgeError:
                staged.connection.close()
                raise
            self._uninvoiced = staged
        return self._uninvoiced.of_user(user_id) > 0
