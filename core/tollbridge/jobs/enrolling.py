"""Making a user of a client who signed up: now if possible, else by the next daily job, and never twice."""

from datetime import UTC, datetime

import structlog

from tollbridge.errors import TollbridgeError
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Account
from tollbridge.ledger.signups import Joining, Signups
from tollbridge.model import Client
from tollbridge.secret import redact

_log = structlog.get_logger("tollbridge.jobs")


def enrol(parts: Parts, client: Client) -> None:
    """Note the client as enrolled, and give it its SolusIO user.

    The note comes first: whatever fails afterwards, the daily job makes the user.

    Raises:
        Conflict: the e-mail address is that of somebody else's user; only a human can decide.
        Unavailable, OutcomeUnknown: SolusIO cannot be used just now; the daily job goes on with it.
    """
    pages = parts.settings.pages
    if pages is None:
        raise ValueError("nobody signs up without [pages]")
    Signups(parts.ledger.engine).enrol(
        client.id,
        at=datetime.now(UTC),
        terms_url=pages.terms_url,
        postpay_terms_url=pages.postpay_terms_url,
    )
    if client.id in parts.ledger.accounts([client.id]):
        return
    user = parts.solus.ensure_user(client.email, client.id)
    parts.ledger.save_account(Account(client.id, user.id, user.email))
    try:
        parts.billing.remember_user(client.id, user.id)
    except TollbridgeError as error:  # it decides nothing
        _log.warning("the billing system did not take the user's id", client_id=client.id, reason=redact(str(error)))


def finish(parts: Parts, joining: Joining, client: Client) -> None:
    """The last steps of a sign-up whose client is known; as :func:`enrol`."""
    signups = Signups(parts.ledger.engine)
    signups.created(joining.nonce, client.id)
    enrol(parts, client)
    signups.done(joining.nonce, datetime.now(UTC))
