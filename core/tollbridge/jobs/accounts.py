"""Keeping SolusIO's users in step with the billing system's clients."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import count, islice

import attrs

from tollbridge.errors import Conflict, NotFound, Refused, TollbridgeError
from tollbridge.jobs.at_once import AtOnce
from tollbridge.jobs.enrolment import Unproved, end_signups, go_on_with_signups, is_proved
from tollbridge.jobs.lock_bound import Plan
from tollbridge.jobs.month_usage import read_interval
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.people import StagedPeople
from tollbridge.jobs.reports import AccountsReport
from tollbridge.jobs.scratch import StagedUsage
from tollbridge.jobs.statuses import apply_status, present_user, refuse_anothers
from tollbridge.jobs.work import Work
from tollbridge.ledger import Account
from tollbridge.model import Client, ClientStatus, UserStatus
from tollbridge.rules.accounts import Candidate, Clash, Create, Decision, Keep, Leave, Link, decide, gets_user
from tollbridge.rules.calendar import Month
from tollbridge.rules.overdue import HoldReason
from tollbridge.secret import redact
from tollbridge.solus import SolusUser

_LARGEST_ID = 2**63 - 1  # what databases and the panel keep; 0 is the panel's word for nobody
_PAGE = 100  # so many accounts are claimed at a time
_ACTIVE = UserStatus.ACTIVE


@attrs.frozen
class ClientAtHand:
    """A client with what there is of it on both sides; ``account`` is claimed by this run."""

    client: Client
    users: list[SolusUser]
    account: Account | None
    proved_address: str | None
    enrolled: bool
    page: int


@attrs.frozen
class Closing:
    """A user who is to be suspended or deleted since its client is closed, or ``gone`` from the billing system."""

    account: Account
    gone: bool


@attrs.define
class Page:
    """Clients that were claimed together; how many of them are ``left`` to serve."""

    client_ids: list[int]
    left: int


class Sync:
    """One run over all clients."""

    def __init__(self, work: Work, report: AccountsReport) -> None:
        self._work = work
        self._report = report
        self._failures = Failures(report.failures)
        self._solus = work.parts.solus
        self._accounts = work.parts.ledger.accounts
        self._rules = work.parts.settings.accounts
        self._people = StagedPeople()
        self._not_invoiced: StagedUsage | None = None
        self._one_at_a_time = threading.Lock()
        self._closings: dict[int, Closing] = {}
        self._held_back: set[int] = set()
        self._only_closed = False

    def sync(self, *, only_closed: bool = False) -> None:
        """Create, link and follow e-mail changes, each client on its own, and find whose user is to be closed.

        Who is locked or suspended by that is left to :meth:`close`, once it is known how many there are. With
        ``only_closed`` no other listed clients are looked at.

        Raises:
            Incomplete: SolusIO's list of users is not whole, so nobody was touched.
        """
        work, parts = self._work, self._work.parts
        self._only_closed = only_closed
        self._held_back = self._accounts.held_back(HoldReason.CLOSED)
        with self._people as people:
            self._solus.read_users(people.fill_users)
            self._stage_clients()
            go_on_with_signups(parts, work.when.now, people.client_of)
            self._serve_all()
            self._find_the_vanished()
        end_signups(parts, work.when.now)
        work.name_holders(self._failures)
        self._sort()
        self._report.complete = True

    def plan(self) -> Plan:
        """Whose users are to be suspended, or deleted; who was held back and was served since is in doubt no more."""
        candidates = [(each.account, UserStatus.SUSPENDED) for each in self._closings.values()]
        in_doubt = self._accounts.of_clients(list(self._held_back - self._closings.keys())).keys()
        return Plan(HoldReason.CLOSED, candidates, in_doubt, self._report.held_back)

    def close(self, held_back: Collection[int]) -> None:
        """Suspend or delete the users of clients that are closed or gone, but for those that are held back."""
        to_close = []
        for client_id, closing in self._closings.items():
            if client_id not in held_back:
                to_close.append(client_id)
            elif closing.gone:
                self._report.warnings.append(
                    f"client {client_id} is gone from the billing system: its user {closing.account.user_id}"
                    f" ({closing.account.email}) would be closed, and is held back"
                )
        try:
            for start in range(0, len(to_close), _PAGE):
                self._each_claimed(to_close[start : start + _PAGE], self._close)
        finally:
            if self._not_invoiced is not None:
                self._not_invoiced.connection.close()
                self._not_invoiced = None
        self._sort()

    def _sort(self) -> None:
        """Clients were served in no order."""
        report = self._report
        for clients in (report.created, report.linked, report.email_changed, report.deleted, report.vanished):
            clients.sort()
        self._report.changes.sort(key=lambda change: change.client_id)

    def _stage_clients(self) -> None:
        for client in self._work.parts.billing.clients():
            if isinstance(client, Refused):
                self._failures.add("a client", client)
            elif not 0 < client.id <= _LARGEST_ID:
                self._failures.add("a client", Conflict(f"{client.id} is no number of a client"))
            elif self._people.add_client(client):
                self._work.clients.add(client)
            else:
                self._failures.add(f"client {client.id}", Conflict("the billing system lists it twice"))

    def _serve_all(self) -> None:
        """Every client, many at once; accounts are claimed a page at a time, and let go when the page is done.

        Of clients with one address one may get the user that has it, so they are served last, one after the other.
        """
        pages: dict[int, Page] = {}
        together: list[ClientAtHand] = []
        try:
            for hand, error in self._work.at_solus.each(self._serve, self._hands(pages, together)):
                self._note(hand, error)
                page = pages[hand.page]
                page.left -= 1
                if page.left == 0:
                    self._accounts.let_go(self._work.live.id, pages.pop(hand.page).client_ids)
            for hand, error in AtOnce(1, self._work.at_solus.slot).each(self._serve, together):
                self._note(hand, error)
        finally:
            for page in pages.values():
                self._accounts.let_go(self._work.live.id, page.client_ids)
            self._accounts.let_go(self._work.live.id, [hand.client.id for hand in together])

    def _hands(self, pages: dict[int, Page], together: list[ClientAtHand]) -> Iterator[ClientAtHand]:
        """The clients, as there is room for them; those whose account another run has claimed are left to it."""
        pairs = self._people.pairs()
        for number in count():
            with self._people.one_at_a_time:
                listed = list(islice(pairs, _PAGE))
            if not listed:
                return
            if self._only_closed:
                listed = [each for each in listed if each[0].status is ClientStatus.CLOSED]
            at_hand = self._claimed(listed, number)
            shared = [hand for hand in at_hand if self._people.share_address(hand.client)]
            together += shared
            alone = [hand for hand in at_hand if hand not in shared]
            if alone:
                pages[number] = Page([hand.client.id for hand in alone], len(alone))
            yield from alone
            self._report.clients += len(listed)
            self._work.progress("clients", self._report.clients)

    def _claimed(self, listed: Sequence[tuple[Client, list[SolusUser]]], page: int) -> list[ClientAtHand]:
        client_ids = [client.id for client, _ in listed]
        known = self._accounts.of_clients(client_ids)
        claimed = self._accounts.claim(self._work.live.id, list(known), self._work.lease)
        enrolled = self._work.parts.ledger.signups.enrolled(client_ids)
        self._explain(listed, claimed)
        return [
            ClientAtHand(client, users, claimed.get(client.id), enrolled.get(client.id), client.id in enrolled, page)
            for client, users in listed
            if client.id in claimed or client.id not in known
        ]

    def _explain(self, listed: Sequence[tuple[Client, list[SolusUser]]], claimed: dict[int, Account]) -> None:
        """Who is seen active is not locked by a ledger that was lost."""
        active = {(client.id, user.id) for client, users in listed for user in users if user.status is _ACTIVE}
        doubtful = [account for account in claimed.values() if not account.explained]
        seen = [each.client_id for each in doubtful if (each.client_id, each.user_id) in active]
        if seen:
            self._accounts.explain(seen)

    def _note(self, hand: ClientAtHand, error: TollbridgeError | None) -> None:
        if error is None:
            self._failures.went_well()
            self._held_back.discard(hand.client.id)
        else:
            self._failures.add(f"client {hand.client.id}", error)

    # One client, in a thread of its own

    def _serve(self, hand: ClientAtHand) -> None:
        client, account = hand.client, hand.account
        known = self._people.user(account.user_id) if account else None
        everybody = self._rules.provision == "clients"
        provision = gets_user(client, enrolled=hand.enrolled, everybody=everybody)
        candidates = [_candidate(user) for user in hand.users]
        decision = decide(client, candidates, provision=provision, known=_candidate(known) if known else None)
        if isinstance(decision, Clash):
            raise Conflict(decision.message)
        if isinstance(decision, Link) and not everybody and not is_proved(client, hand.proved_address):
            raise Unproved(client, decision.user_id)
        if isinstance(decision, Link):
            self._refuse_anothers(client, decision.user_id)
        user = self._user(hand, decision)
        if user is None:
            if account is not None and known is None:
                self._accounts.forget(client.id, self._work.live.id)
            return
        account = self._remembered(client, user, account)
        if account is None:
            return  # another run is at it
        closed = client.status is ClientStatus.CLOSED and self._rules.on_closed != "keep"
        if not closed and account.held_for(HoldReason.CLOSED) is None:
            return
        if closed:
            self._close_or_put_off(account, user, gone=False)
        else:
            self._hold(account, user, closed=False, why="the client is active again")

    def _refuse_anothers(self, client: Client, user_id: int) -> None:
        """A user that the ledger knows as another client's is that client's, though somebody has unlinked it."""
        owner = self._accounts.clients_of_users([user_id]).get(user_id, client.id)
        if owner != client.id and self._people.has_client(owner):
            raise Conflict(
                f"the client's address {client.email} is that of SolusIO's user {user_id}, which is client {owner}'s:"
                " change one of the addresses, or write the right billing id to that user yourself"
            )

    def _user(self, hand: ClientAtHand, decision: Decision) -> SolusUser | None:
        """The client's user after the decision was carried out; None if it has none."""
        client, account = hand.client, hand.account
        match decision:
            case Create() | Link():
                user = self._solus.ensure_user(client.email, client.id)
                (self._report.created if isinstance(decision, Create) else self._report.linked).append(client.id)
                if isinstance(decision, Create) and account is not None and account.user_id != user.id:
                    self._report.remade.append(client.id)
                    self._report.warnings.append(
                        f"client {client.id}: its SolusIO user {account.user_id} was gone, with all its servers, and"
                        f" was made anew as user {user.id}"
                    )
                return user
            case Keep(user_id, email_changed, unlinked):
                kept = self._people.user(user_id)
                assert kept is not None  # noqa: S101 - it was decided from these
                user = kept
                if unlinked:
                    self._solus.link(user_id, client.id)
                    self._report.linked.append(client.id)
                    user = attrs.evolve(user, billing_user_id=client.id)
                if email_changed:
                    self._solus.change_email(user_id, client.email)
                    self._report.email_changed.append(client.id)
                    user = attrs.evolve(user, email=client.email)
                return user
            case Leave() | Clash():
                return None

    def _remembered(self, client: Client, user: SolusUser, account: Account | None) -> Account | None:
        """The account in the ledger, brought up to date with the client and its user; None if another run has it."""
        if account is not None and account.user_id == user.id:
            if account.email != user.email:
                account = attrs.evolve(account, email=user.email)
                self._accounts.change_email(account)
            return account
        owner = self._accounts.clients_of_users([user.id]).get(user.id)
        before = None if owner is None else self._accounts.of_clients([owner]).get(owner)
        made = self._accounts.add(
            Account(
                client.id, user.id, user.email, mark=before.mark if before else None,
                explained=user.status is _ACTIVE or (before is not None and before.explained),
            ),
            self._work.live.id, self._work.lease,
        )  # fmt: skip
        self._tell_billing(client, user)
        return made

    def _tell_billing(self, client: Client, user: SolusUser) -> None:
        """Whether the billing system remembers a user decides nothing, so its failure is only reported."""
        try:
            self._work.parts.billing.remember_user(client.id, user.id)
        except TollbridgeError as error:
            words = f"the billing system did not take its SolusIO user's id, {user.id}: {error}"
            self._failures.tell(f"client {client.id}", redact(words))

    def _hold(self, account: Account, user: SolusUser, *, closed: bool, why: str) -> None:
        """Hold the user because its client is closed, or lift that hold; others, as for unpaid invoices, stay."""
        self._accounts.renew(self._work.live.id, account, self._work.lease)
        if closed is (account.held_for(HoldReason.CLOSED) is None):
            status = UserStatus.SUSPENDED if closed else UserStatus.ACTIVE
            held = self._accounts.hold(self._work.live.id, account, HoldReason.CLOSED, status, why)
            if held is None:
                return  # another run is at it
            account = held
        change = apply_status(self._work, account, user, why)
        if change is not None:
            self._report.changes.append(change)

    def _close_or_put_off(self, account: Account, user: SolusUser, *, gone: bool) -> None:
        """Whose user is suspended anyway is closed at once; all others when it is known how many they are."""
        if user.status is not UserStatus.SUSPENDED:
            self._closings[account.client_id] = Closing(account, gone)
        elif gone:
            self._close_gone(account, user)
        else:
            self._close_user(account, user, "the client is closed")

    def _close(self, account: Account) -> None:
        """Close a user that was put off, unless its client was opened again meanwhile."""
        try:
            if self._work.client(account.client_id).status is not ClientStatus.CLOSED:
                return
        except NotFound:
            pass
        user = present_user(self._work, account)
        if self._closings[account.client_id].gone:
            self._close_gone(account, user)
        else:
            self._close_user(account, user, "the client is closed")

    def _close_gone(self, account: Account, user: SolusUser) -> None:
        if account.held_for(HoldReason.CLOSED) is None:
            self._report.vanished.append(account.client_id)
            self._report.warnings.append(
                f"client {account.client_id} is gone from the billing system: its user {user.id} ({user.email}) is"
                " closed"
            )
        self._close_user(account, user, "the client is gone from the billing system")

    def _close_user(self, account: Account, user: SolusUser, why: str) -> None:
        """Delete the user if that is wanted and can be; else, also while that is not known, suspend it."""
        refuse_anothers(account, user)
        try:
            deleted = self._delete_if_done(account.client_id, user)
        except TollbridgeError:
            self._hold(account, user, closed=True, why=why)
            raise
        if not deleted:
            self._hold(account, user, closed=True, why=why)

    def _delete_if_done(self, client_id: int, user: SolusUser) -> bool:
        """Delete a closed client's user, if that is wanted and no server, usage or unpaid invoice is left."""
        if self._rules.on_closed != "delete" or self._work.parts.ledger.invoices.open_of([client_id]):
            return False
        if (
            user.is_administrator is not False
            or self._solus.has_servers(user.id)
            or self._has_usage_to_invoice(user.id)
        ):
            return False
        self._solus.delete_user(user.id)
        self._accounts.forget(client_id, self._work.live.id)
        self._report.deleted.append(client_id)
        return True

    def _has_usage_to_invoice(self, user_id: int) -> bool:
        """Whether the user used anything that is not invoiced yet; SolusIO may forget it with the user."""
        with self._one_at_a_time:
            if self._not_invoiced is None:
                months, billing = self._work.parts.ledger.months, self._work.parts.settings.billing
                month, present = billing.start, Month.of(self._work.when.now, billing.timezone)
                while month < present and months.is_closed(month):
                    month = month.next
                start, _ = months.interval(month, billing.timezone)
                self._not_invoiced = self._read_usage(start)
            return self._not_invoiced.of_user(user_id) > 0

    def _read_usage(self, start: datetime) -> StagedUsage:
        """All usage from ``start`` on; what is staged of half an answer must not pass for all of it."""
        staged = StagedUsage()
        try:
            if start < self._work.when.now:
                read_interval(self._work, staged, start, self._work.when.now, ended=False)
        except BaseException:
            staged.connection.close()
            raise
        return staged

    # Clients that are gone

    def _find_the_vanished(self) -> None:
        """A client that is not listed, and that the billing system says there is none of, is to be closed."""
        if self._rules.on_closed == "keep":
            self._held_back.clear()
            return
        for page in self._accounts.all():
            unlisted = [account for account in page if not self._people.has_client(account.client_id)]
            gone = [
                account.client_id
                for account, there in self._work.at_billing.each(self._is_there, unlisted)
                if isinstance(there, NotFound) or self._noted(account, there)
            ]
            for start in range(0, len(gone), _PAGE):
                self._each_claimed(gone[start : start + _PAGE], self._serve_vanished)

    def _is_there(self, account: Account) -> None:
        self._work.client(account.client_id)

    def _noted(self, account: Account, there: TollbridgeError | None) -> bool:
        if there is not None:
            self._failures.add(f"client {account.client_id}", there)
        return False

    def _each_claimed(self, client_ids: Sequence[int], serve: Callable[[Account], None]) -> None:
        claimed = self._accounts.claim(self._work.live.id, client_ids, self._work.lease)
        try:
            for account, error in self._work.at_solus.each(serve, claimed.values()):
                if isinstance(error, TollbridgeError):
                    self._failures.add(f"client {account.client_id}", error)
                else:
                    self._held_back.discard(account.client_id)
        finally:
            self._accounts.let_go(self._work.live.id, client_ids)

    def _serve_vanished(self, account: Account) -> None:
        user = self._people.user(account.user_id)
        if user is None:
            self._accounts.forget(account.client_id, self._work.live.id)
            return
        if user.billing_user_id is None and user.is_administrator is False:
            self._solus.link(user.id, account.client_id)  # or it would run on for nobody, and nobody could stop it
            user = attrs.evolve(user, billing_user_id=account.client_id)
        self._close_or_put_off(account, user, gone=True)


def _candidate(user: SolusUser) -> Candidate:
    return Candidate(user.id, user.email, user.billing_user_id, user.is_administrator)
