"""Locks that nobody can explain: a user who is locked without a mark, and whom this ledger never saw active.

Either a human has locked it, or the bridge has, by a ledger that was lost since. Only a human can tell, so it is asked.
"""

from tollbridge.errors import Conflict, NotFound, UsageError
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.statuses import present_user, refuse_anothers
from tollbridge.jobs.work import Work
from tollbridge.ledger import Account
from tollbridge.model import ClientStatus, UserStatus
from tollbridge.rules.overdue import Hold, HoldReason, Mark, put_back
from tollbridge.solus import SolusUser


def tell_unexplained(work: Work, failures: Failures) -> None:
    """Tell by name whose lock may be that of a lost ledger; who is seen active is in doubt no more.

    Raises:
        Incomplete: SolusIO's list of users is not whole.
    """
    accounts = work.parts.ledger.accounts
    doubtful = {account.user_id: account for page in accounts.unexplained() for account in page}
    if not doubtful:
        return
    seen_active = []
    for user in work.parts.solus.users():
        account = doubtful.get(user.id)
        if account is None or user.billing_user_id != account.client_id:
            continue
        if user.status is UserStatus.ACTIVE:
            seen_active.append(account.client_id)
        elif put_back(user.status, account.mark) is not UserStatus.ACTIVE:
            failures.tell(f"client {account.client_id}", _question(account, user), waits=True)
    if seen_active:
        accounts.explain(seen_active)


def _question(account: Account, user: SolusUser) -> str:
    client = account.client_id
    return (
        f"its SolusIO user {user.id} ({user.email}) is {user.status}, and the ledger does not know who did that. If the"
        f" bridge did, with a ledger that was lost: `tollbridge hold {client} --ours`, and it is released once nothing"
        f" holds it. If somebody did by hand: `tollbridge hold {client} --by-hand`, and it stays"
    )


def say_whose(work: Work, client_id: int, who: str, *, ours: bool) -> str:
    """Note that a lock is the bridge's own, or that it is a human's and nobody's to lift; what was noted, in words.

    Raises:
        UsageError: the ledger knows no user of the client, or the user is not locked.
        NotFound: SolusIO has the user no more.
        Conflict: the user is another client's or an administrator, or another run is at it.
    """
    accounts, live = work.parts.ledger.accounts, work.live
    if client_id not in accounts.of_clients([client_id]):
        raise UsageError(f"client {client_id}: no SolusIO user is known for it: `tollbridge sync` finds or makes one")
    account = accounts.claim(live.id, [client_id], work.lease).get(client_id)
    if account is None:
        raise Conflict(f"client {client_id}: a run is at it just now: try again when that has ended")
    try:
        user = present_user(work, account)
        refuse_anothers(account, user)
        if user.status is UserStatus.ACTIVE:
            raise UsageError(f"client {client_id}: its SolusIO user {user.id} is active: there is no lock to speak of")
        if ours:
            hold = Hold(_reason(work, client_id), user.status)
            mark: Mark | None = Mark(user.status, UserStatus.ACTIVE)
            after = f"{hold.reason}: {hold.status}"
            accounts.say_whose(live.id, account, mark, hold, after, f"said to be the bridge's own by {who}")
        else:
            by_hand = put_back(user.status, account.mark)
            mark = account.mark if by_hand is not UserStatus.ACTIVE else None
            after = f"by hand: {user.status if mark is None else by_hand}"
            accounts.say_whose(live.id, account, mark, None, after, f"said to be made by hand by {who}")
        return after
    finally:
        accounts.let_go(live.id, [client_id])


def doubt_all(work: Work) -> list[int]:
    """After a ledger was restored: put every lock without a mark in question; the clients, by number.

    Raises:
        Incomplete: SolusIO's list of users is not whole, so nothing was noted.
    """
    accounts = work.parts.ledger.accounts
    locked = {user.id: user for user in work.parts.solus.users() if user.status is not UserStatus.ACTIVE}
    owners = accounts.clients_of_users(list(locked))
    known = accounts.of_clients(list(owners.values()))
    doubtful = sorted(
        client_id
        for user_id, client_id in owners.items()
        if put_back(locked[user_id].status, known[client_id].mark) is not UserStatus.ACTIVE
    )
    accounts.explain(doubtful, explained=False)
    return doubtful


def _reason(work: Work, client_id: int) -> HoldReason:
    """What the bridge would have locked the user for: being closed, or else unpaid invoices."""
    try:
        closed = work.client(client_id).status is ClientStatus.CLOSED
    except NotFound:
        closed = True
    return HoldReason.CLOSED if closed else HoldReason.OVERDUE
