"""Usage that belonged to no client when its month was billed: told by every run until it is linked or written off."""

from collections.abc import Collection

import attrs

from tollbridge.errors import ServiceError
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.reports import InvoicingReport
from tollbridge.jobs.scratch import ClientUsage
from tollbridge.jobs.work import Work
from tollbridge.ledger.readings import UnbilledUser
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import UserItem


@attrs.frozen
class Found:
    """A client's usage of a month, that was nobody's when the month was billed; and whose of its users it was."""

    month: Month
    usage: ClientUsage

    @property
    def user_ids(self) -> set[int]:
        """Its users."""
        return {each.user_id for each in self.usage.items}


def find_owners(work: Work, to_draft: Collection[Month]) -> list[Found]:
    """The usage whose user has been linked since; of months that are drafted anyway it is found there."""
    ledger = work.parts.ledger
    waiting = [(month, user) for month, user in ledger.readings.all_unbilled() if month not in to_draft and user.items]
    users = {user.user_id for _, user in waiting}
    clients = ledger.accounts.clients_of_users(sorted(users))
    clients |= _clients_in_panel(work, users - clients.keys())
    found: dict[tuple[Month, int], tuple[UserItem, ...]] = {}
    for month, user in waiting:
        if user.user_id in clients:
            key = (month, clients[user.user_id])
            found[key] = found.get(key, ()) + tuple(UserItem(user.user_id, item) for item in user.items)
    return [Found(month, ClientUsage(client_id, items)) for (month, client_id), items in found.items()]


def _clients_in_panel(work: Work, users: Collection[int]) -> dict[int, int]:
    """Whose these users are by the panel, as a client's second one is; nobody's if it cannot be asked."""
    if not users:
        return {}
    try:
        return {
            user.id: user.billing_user_id
            for user in work.parts.solus.users()
            if user.id in users and user.billing_user_id is not None
        }
    except ServiceError:
        return {}


def tell_unbilled(work: Work, report: InvoicingReport, failures: Failures) -> None:
    """Name everything that nobody is asked to pay."""
    for month, user in work.parts.ledger.readings.all_unbilled():
        report.unbilled.append((month, user))
        failures.tell(f"user {user.user_id} in {month}", unbilled_words(month, user))


def unbilled_words(month: Month, user: UnbilledUser) -> str:
    """What there is, and what to do about it."""
    return (
        f"it used {user.tokens:,} tokens and belongs to no client: link it (`tollbridge sync` links by e-mail address),"
        " and the next run invoices it; or `tollbridge write-off --user"
        f" {user.user_id} --month {month} --reason TEXT` lets it be"
    )
