"""Keeping SolusIO's users in step with the billing system's clients."""

import attrs

from tollbridge.errors import Conflict, Refused, TollbridgeError
from tollbridge.jobs.enrolling import Unproved, end_signups, go_on_with_signups, is_proved
from tollbridge.jobs.parts import Failure, Failures, Parts, Progress, When
from tollbridge.jobs.people import StagedPeople
from tollbridge.jobs.staging import StagedUsage
from tollbridge.jobs.statuses import StatusChange, apply_status
from tollbridge.ledger import Account
from tollbridge.model import Client, ClientStatus, UserStatus
from tollbridge.rules.accounts import Candidate, Clash, Create, Decision, Keep, Leave, Link, decide, gets_user
from tollbridge.rules.calendar import Month
from tollbridge.rules.overdue import Hold
from tollbridge.secret import redact
from tollbridge.solus import SolusUser
from tollbridge.solus.panel import again_if_incomplete

_BATCH = 500


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


class Accounts:
    """One run over all clients."""

    def __init__(self, parts: Parts, when: When, *, dry_run: bool, progress: Progress) -> None:
        self._parts = parts
        self._when = when
        self._dry_run = dry_run
        self._progress = progress
        self._failures = Failures()
        self._uninvoiced: StagedUsage | None = None
        self._signups = parts.ledger.signups
        self._enrolled: dict[int, str | None] = {}
        self.report = AccountsReport(failures=self._failures.all)

    def sync(self) -> None:
        """Create, link, follow e-mail changes, and handle closed clients, each client on its own.

        Raises:
            Incomplete: SolusIO's list of users is not whole, so nobody was touched.
        """
        with StagedPeople() as people:
            again_if_incomplete(lambda: people.fill_users(self._parts.solus.users()))
            self._stage_clients(people)
            if not self._dry_run:
                go_on_with_signups(self._parts, self._when.now, people.client_of)
            batch: list[tuple[Client, list[SolusUser]]] = []
            for pair in people.pairs():
                batch.append(pair)
                if len(batch) == _BATCH:
                    self._serve_all(batch, people)
                    batch = []
            self._serve_all(batch, people)
        if self._uninvoiced is not None:
            self._uninvoiced.connection.close()
        if not self._dry_run:
            end_signups(self._parts, self._when.now)
        self.report.complete = True

    def _stage_clients(self, people: StagedPeople) -> None:
        for client in self._parts.billing.clients():
            if isinstance(client, Refused):
                self._failures.add("a client", client)
            elif not people.add_client(client):
                self._failures.add(f"client {client.id}", Conflict("the billing system lists it twice"))

    def _serve_all(self, batch: list[tuple[Client, list[SolusUser]]], people: StagedPeople) -> None:
        accounts = self._parts.ledger.accounts.of_clients([client.id for client, _ in batch])
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
        if isinstance(decision, Link) and not everybody and not is_proved(client, self._enrolled[client.id]):
            raise Unproved(client, decision.user_id)
        user = self._user(client, decision, {user.id: user for user in users})
        if user is None:
            if account is not None and not self._dry_run and not people.has_user(account.user_id):
                self._parts.ledger.accounts.forget(client.id)
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
            self._parts.ledger.accounts.save(found)
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
        earlier = ledger.accounts.of_clients(list(ledger.accounts.clients_of_users([user.id]).values()))
        return next((account.hold for account in earlier.values()), None)

    def _delete_if_done(self, client: Client, user: SolusUser) -> bool:
        """Delete a closed client's user, if that is wanted and no server, usage or unpaid invoice is left."""
        if client.status is not ClientStatus.CLOSED or self._parts.settings.accounts.on_closed != "delete":
            return False
        if self._parts.ledger.invoices.open([client.id], set()):
            return False
        if self._parts.solus.has_servers(user.id) or self._has_unbilled_usage(user.id):
            return False
        if not self._dry_run:
            self._parts.solus.delete_user(user.id)
            self._parts.ledger.accounts.forget(client.id)
        self.report.deleted.append(client.id)
        return True

    def _has_unbilled_usage(self, user_id: int) -> bool:
        """Whether the user used anything that is not invoiced yet; SolusIO may forget it with the user."""
        if self._uninvoiced is None:
            staged = StagedUsage()
            billing = self._parts.settings.billing
            month = billing.start
            present = Month.of(self._when.now, billing.timezone)
            while month < present and self._parts.ledger.months.is_closed(month):
                month = month.next
            start, end = month.start(billing.timezone), self._when.now
            try:
                if start < end:
                    again_if_incomplete(lambda: staged.fill(self._parts.usage.read(start, end)))
            except TollbridgeError:
                staged.connection.close()
                raise
            self._uninvoiced = staged
        return self._uninvoiced.of_user(user_id) > 0
