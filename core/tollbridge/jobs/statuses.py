"""Changing a SolusIO user's status, and remembering what the bridge itself did."""

import attrs

from tollbridge.errors import Conflict
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Account
from tollbridge.model import UserStatus
from tollbridge.rules.overdue import Hold, change_status
from tollbridge.solus import SolusUser


@attrs.frozen
class StatusChange:
    """A user's status that the bridge changed, or would change."""

    client_id: int
    user_id: int
    before: UserStatus
    after: UserStatus


def apply_status(
    parts: Parts, account: Account, user: SolusUser, wanted: UserStatus, *, dry_run: bool
) -> StatusChange | None:
    """Give the user the status that is wanted, as far as it is the bridge's to change.

    The attempt is in the ledger before SolusIO hears of it, so that a status set just before a crash is known as
    the bridge's own afterwards.

    Raises:
        Conflict: the user is not the one the account is about, or is an administrator of the panel.
    """
    if user.is_administrator:
        raise Conflict(f"SolusIO's user {user.id} with {user.email} is an administrator: its status is not changed")
    if (user.id, user.billing_user_id) != (account.user_id, account.client_id):
        raise Conflict(
            f"SolusIO's user {user.id} with {user.email} belongs to client {user.billing_user_id}, and the"
            f" ledger has user {account.user_id} for client {account.client_id}: nothing was changed; `tollbridge sync`"
            " looks again"
        )
    after, found = change_status(user.status, account.hold, wanted)
    hold = None if after is found else Hold(after, found)
    change = StatusChange(account.client_id, user.id, user.status, after) if after is not user.status else None
    if dry_run or (change is None and hold == account.hold):
        return change
    if change is not None:
        parts.ledger.accounts.save(attrs.evolve(account, hold=Hold(user.status, found, attempted=after)))
        parts.solus.set_status(user.id, after)
    parts.ledger.accounts.save(attrs.evolve(account, hold=hold))
    if change is not None:
        parts.billing.tell(
            "user_status_changed", client_id=change.client_id, user_id=user.id, before=change.before, after=after
        )
    return change
