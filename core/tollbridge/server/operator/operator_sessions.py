"""Who is logged in to the operator's pages: kept in the ledger, so that a log-out is one in every process.

A session is a random number in a cookie. The ledger has what becomes of it and of the token together, so a session
that somebody reads there is of no use, and another token in bridge.toml ends them all.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from tollbridge.ledger.visits import Visits
from tollbridge.secret import Secret

SESSION_SECONDS = 8 * 3600
_LENGTH = timedelta(seconds=SESSION_SECONDS)


class OperatorSessions:
    """The sessions that one token opens."""

    def __init__(self, visits: Visits, token: Secret) -> None:
        self._visits = visits
        self._token = token.reveal().encode()

    def is_token(self, given: str) -> bool:
        """Whether this is the token, compared in constant time."""
        return hmac.compare_digest(_digest(given.encode()), _digest(self._token))

    def begin(self, now: datetime) -> str:
        """A new session, for the cookie."""
        session = secrets.token_urlsafe(32)
        self._visits.use(self._kept(session), now + _LENGTH, now)
        return session

    def is_open(self, session: str, now: datetime) -> bool:
        """Whether a session was begun, and neither ended nor is over."""
        return bool(session) and self._visits.was_used(self._kept(session), now)

    def end(self, session: str) -> None:
        """From now on the session is worth nothing, not even to who copied it."""
        self._visits.end(self._kept(session))

    def _kept(self, session: str) -> str:
        return hmac.new(self._token, b"operator:" + session.encode(), hashlib.sha256).hexdigest()


def _digest(words: bytes) -> bytes:
    return hashlib.sha256(words).digest()
