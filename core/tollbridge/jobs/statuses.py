"""Changing a SolusIO user's status as its holds call for, and remembering what the bridge itself did."""

from tollbridge.errors import Conflict, NotFound
from tollbridge.jobs.reports import StatusChange
from tollbridge.jobs.work import Work
from tollbridge.ledger import Account
from tollbridge.rules.overdue import Mark, change_status, held_status
from tollbridge.solus import SolusUser


def present_user(work: Work, account: Account) -> SolusUser:
    """The account's user as SolusIO has it now.

    Raises:
        NotFound: there is none any more.
    """
    solus = work.parts.solus
    # Who was given another address in the panel, and whom no sync can give its own again, is found by its number.
    of_number = (each for each in solus.users() if each.id == account.user_id)
    user = solus.find_user(account.email)
    if user is None or user.id != account.user_id:
        user = next(of_number, user)
    if user is None:
        raise NotFound(f"SolusIO has no user {account.email} any more: `tollbridge sync` looks again")
    return user


def refuse_anothers(account: Account, user: SolusUser) -> None:
    """Raise Conflict unless the user is the account's, and no administrator of the panel."""
    if user.is_administrator:
        raise Conflict(f"SolusIO's user {user.id} with {user.email} is an administrator: its status is not changed")
    if (user.id, user.billing_user_id) != (account.user_id, account.client_id):
        raise Conflict(
            f"SolusIO's user {user.id} with {user.email} belongs to client {user.billing_user_id}, and the"
            f" ledger has user {account.user_id} for client {account.client_id}: nothing was changed; `tollbridge sync`"
            " looks again"
        )


def apply_status(
    work: Work, account: Account, user: SolusUser, why: str, *, may_raise: bool = True
) -> StatusChange | None:
    """Give a claimed account's user the status that its holds call for, as far as it is the bridge's to change.

    The attempt is in the ledger before SolusIO hears of it, so that a status set just before a crash is known as
    the bridge's own afterwards. Without ``may_raise`` nobody is locked or suspended by this.

    Raises:
        Conflict: the user is not the one the account is about, or is an administrator of the panel, or is not known
            to be none and would be locked or suspended.
        LedgerError: the account is not this run's to change any more.
    """
    wanted = held_status(account.holds)
    refuse_anothers(account, user)
    if user.is_administrator is None and wanted.severity > user.status.severity:
        raise Conflict(
            f"SolusIO does not say whether its user {user.id} with {user.email} is an administrator: it is not {wanted}"
        )
    after, found = change_status(user.status, account.mark, wanted)
    mark = None if after is found else Mark(after, found)
    changes = after is not user.status
    if after.severity > user.status.severity and not may_raise:
        return None
    if not changes and mark == account.mark:
        return None
    accounts, run_id = work.parts.ledger.accounts, work.live.id
    if changes:
        accounts.attempt(run_id, account, Mark(user.status, found, attempted=after))
        work.parts.solus.set_status(user.id, after)
    accounts.set_status(run_id, account, mark, user.status, after, why)
    if not changes:
        return None
    change = StatusChange(account.client_id, user.id, user.status, after)
    work.parts.billing.tell(
        "user_status_changed", client_id=change.client_id, user_id=user.id, before=change.before, after=after
    )
    return change
