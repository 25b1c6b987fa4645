"""The bound on locks: a run that would lock or suspend too many users at once asks a human first.

All that a run would lock or suspend, for whatever reason, is counted before the first one is. If that is too many,
all of them stay as they are and are noted as held back, so that no later run, whose view may be narrower (a part of
the job, or with half of the invoices unreadable), takes them for few.
"""

from collections.abc import Collection, Iterator, Sequence

import attrs

from tollbridge.jobs.parts import Failures
from tollbridge.jobs.reports import StatusChange
from tollbridge.jobs.work import Work
from tollbridge.ledger import Account
from tollbridge.model import UserStatus
from tollbridge.rules.overdue import Hold, HoldReason, change_status, held_status, locks_too_many
from tollbridge.solus import SolusUser
from tollbridge.words import counted

_NAMED = 20
_REASONS = {
    HoldReason.OVERDUE: "over unpaid invoices",
    HoldReason.CLOSED: "of clients that are closed or gone from the billing system",
    HoldReason.LIMIT: "over their limits",
}


@attrs.frozen
class Plan:
    """Whom one part of a run is to hold, and what it says of those who are not held after all.

    Attributes:
        candidates: accounts, each with the status that the reason calls for.
        in_doubt: clients that were held back by an earlier run, and of whom this one knows nothing newer.
        held_back: where those are put that stay as they are.
    """

    reason: HoldReason
    candidates: Sequence[tuple[Account, UserStatus]]
    in_doubt: Collection[int]
    held_back: list[StatusChange]


def decide(work: Work, plans: Sequence[Plan], failures: Failures) -> frozenset[int]:
    """The clients whose users stay as they are, all that would be locked or suspended or nobody; it is told.

    Raises:
        Incomplete: SolusIO's list of users is not whole, so nothing can be counted.
    """
    accounts, most = work.parts.ledger.accounts, work.parts.settings.billing.most_locks
    waiting = {reason: accounts.held_back(reason) for reason in HoldReason}
    waiting.update((plan.reason, set(plan.in_doubt)) for plan in plans)
    candidates = {account.user_id for plan in plans for account, _ in plan.candidates}
    if work.confirmed_by is None and not locks_too_many(len(candidates) + sum(map(len, waiting.values())), 0, most):
        return _nobody(work, plans)
    users, active = _users(work, candidates)
    rising = {plan.reason: list(_rising(plan, users)) for plan in plans}
    locks = {change.client_id for changes in rising.values() for change in changes}.union(*waiting.values())
    figures = f"{counted(len(locks), 'user')} of {active:,} that are active"
    if work.confirmed_by is not None:
        work.parts.ledger.events.approve("locks", f"{figures}: confirmed by {work.confirmed_by}", work.live.id)
        return _nobody(work, plans)
    if not locks_too_many(len(locks), active, most):
        return _nobody(work, plans)
    for plan in plans:
        plan.held_back.extend(rising[plan.reason])
        waiting[plan.reason].update(change.client_id for change in rising[plan.reason])
        accounts.hold_back(plan.reason, waiting[plan.reason], work.live.id)
    who = "; ".join(f"{_REASONS[reason]}: {_named(clients)}" for reason, clients in waiting.items() if clients)
    failures.tell(
        "locks",
        f"{figures} would be locked or suspended, which is more than billing.most_locks ({most}) lets a run do by"
        f" itself, so nobody was ({who}). If that is right: `tollbridge overdue --confirm`",
        waits=True,
    )
    return frozenset(change.client_id for changes in rising.values() for change in changes)


def _nobody(work: Work, plans: Sequence[Plan]) -> frozenset[int]:
    """Nobody is held back any more of those that these parts know about."""
    accounts = work.parts.ledger.accounts
    for plan in plans:
        if accounts.held_back(plan.reason):
            accounts.hold_back(plan.reason, (), work.live.id)
    return frozenset()


def _users(work: Work, wanted: Collection[int]) -> tuple[dict[int, SolusUser], int]:
    """The users with these numbers as SolusIO has them now, and how many clients' users are active in all."""
    users, active = {}, 0
    for user in work.parts.solus.users():
        if user.id in wanted:
            users[user.id] = user
        if user.status is UserStatus.ACTIVE and user.billing_user_id is not None and not user.is_administrator:
            active += 1
    return users, active


def _rising(plan: Plan, users: dict[int, SolusUser]) -> Iterator[StatusChange]:
    """Who would be locked or suspended more than now; not whom nobody may touch."""
    for account, status in plan.candidates:
        user = users.get(account.user_id)
        if user is None or user.is_administrator is not False or user.billing_user_id != account.client_id:
            continue
        others = [hold for hold in account.holds if hold.reason is not plan.reason]
        wanted = held_status([*others, Hold(plan.reason, status)])
        after, _ = change_status(user.status, account.mark, wanted)
        if after.severity > user.status.severity:
            yield StatusChange(account.client_id, user.id, user.status, after)


def _named(clients: Collection[int]) -> str:
    """Clients by number, as many as fit."""
    ids = ", ".join(map(str, sorted(clients)[:_NAMED]))
    more = f" and {len(clients) - _NAMED:,} more" if len(clients) > _NAMED else ""
    return f"client{'' if len(clients) == 1 else 's'} {ids}{more}"
