"""Making a user of a client who signed up: now if possible, else by the next daily job, and never twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from tollbridge.errors import Conflict, TollbridgeError
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Account
from tollbridge.ledger.signups import Joining
from tollbridge.model import Client, UserStatus
from tollbridge.secret import redact

_MAILS_KEPT = timedelta(days=30)

_log = structlog.get_logger("tollbridge.jobs")


class Unproved(Conflict):
    """SolusIO has a user with the client's e-mail address, and nobody has proved that the address is the client's."""

    def __init__(self, client: Client, user_id: int) -> None:
        super().__init__(
            f"the client's address {client.email} is that of SolusIO's user {user_id}, who is not linked, and was not"
            " proved: the client may sign up with it, or write the billing id to that user yourself"
        )


def is_proved(client: Client, proved_address: str | None) -> bool:
    """Whether the address that was proved is the one that the client has now."""
    return proved_address is not None and proved_address.casefold() == client.email.casefold()


def lease_of(joining: Joining) -> str:
    """What is held, among the links that were used, while a sign-up is being confirmed."""
    return f"confirming:{joining.nonce}"


def is_being_confirmed(parts: Parts, joining: Joining) -> bool:
    """Whether somebody is at it just now, so that nobody else may decide whose client it is."""
    return parts.ledger.visits.was_used(lease_of(joining), datetime.now(UTC))


def enrol(parts: Parts, client: Client, *, proved_address: str | None) -> None:
    """Note the client as enrolled, and give it its SolusIO user.

    The note comes first: whatever fails afterwards, the daily job makes the user. A user that is there already and
    linked to nobody is only given to who has proved, by a link that was mailed there, that its address is theirs:
    anybody may write any address into a billing system.

    Raises:
        Unproved: there is such a user, and the address was not proved.
        Conflict: the e-mail address is that of somebody else's user; only a human can decide.
        Unavailable, OutcomeUnknown: SolusIO cannot be used just now; the daily job goes on with it.
    """
    _note(parts, client.id, datetime.now(UTC), proved_address)
    if client.id in parts.ledger.accounts.of_clients([client.id]):
        return
    if not is_proved(client, proved_address):
        found = parts.solus.find_user(client.email)
        if found is not None and found.billing_user_id is None:
            raise Unproved(client, found.id)
    user = parts.solus.ensure_user(client.email, client.id)
    account = Account(client.id, user.id, user.email, explained=user.status is UserStatus.ACTIVE)
    parts.ledger.accounts.add(account, None)
    try:
        parts.billing.remember_user(client.id, user.id)
    except TollbridgeError as error:  # it decides nothing
        _log.warning("the billing system did not take the user's id", client_id=client.id, reason=redact(str(error)))


def finish(parts: Parts, joining: Joining, client: Client) -> None:
    """The last steps of a sign-up whose client is known; as :func:`enrol`."""
    signups = parts.ledger.signups
    signups.created(joining.nonce, client.id)
    enrol(parts, client, proved_address=joining.email)
    signups.done(joining.nonce, datetime.now(UTC))


def go_on_with_signups(parts: Parts, now: datetime, client_of: Callable[[Joining], int | None]) -> None:
    """Enrol the clients of sign-ups that were cut short after their terms were accepted.

    ``client_of`` tells the client that a sign-up made without living to note it, if there is one.
    """
    pages, signups = parts.settings.pages, parts.ledger.signups
    for joining in signups.unfinished() if pages else ():
        client_id = joining.client_id or client_of(joining)
        if client_id is not None and not is_being_confirmed(parts, joining):
            signups.created(joining.nonce, client_id)
            _note(parts, client_id, now, joining.email)


def end_signups(parts: Parts, now: datetime) -> None:
    """Sign-ups whose client has its user by now have come to their end; what is over is forgotten."""
    parts.ledger.outbox.purge(now - _MAILS_KEPT)  # notices are in it, too
    if parts.settings.pages is None:
        return
    signups = parts.ledger.signups
    for joining in signups.unfinished():
        if joining.client_id is not None and parts.ledger.accounts.of_clients([joining.client_id]):
            signups.done(joining.nonce, now)
    signups.purge(now)
    parts.ledger.visits.purge(now)


def _note(parts: Parts, client_id: int, now: datetime, proved_address: str | None) -> None:
    pages = parts.settings.pages
    if pages is None:
        raise ValueError("nobody signs up without [pages]")
    parts.ledger.signups.enrol(
        client_id,
        at=now,
        terms_url=pages.terms_url,
        postpay_terms_url=pages.postpay_terms_url,
        proved_address=proved_address,
    )
