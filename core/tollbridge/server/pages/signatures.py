"""What the pages sign: links, sessions and forms. Everything signed expires, and a link works once.

Each kind has a salt of its own, so that none can be used in another's place.
"""

import hashlib
import hmac
import secrets

import attrs
from itsdangerous import BadSignature, URLSafeTimedSerializer

from tollbridge.secret import Secret

SESSION_SECONDS = 2 * 3600
SIGNUP_SECONDS = 24 * 3600
ENTRY_SECONDS = 60


@attrs.frozen
class Session:
    """A client who is logged in; by the ``nonce`` one log-in is told from another."""

    client_id: int
    nonce: str


@attrs.frozen
class Entry:
    """A client on the way in; ``nonce`` makes the link work once, and ``destination`` is where it leads."""

    client_id: int
    nonce: str
    destination: str


class Signatures:
    """Signs and reads with one secret."""

    def __init__(self, secret: Secret) -> None:
        key = secret.reveal()
        self._sessions = URLSafeTimedSerializer(key, salt="tollbridge.session", signer_kwargs=_SIGNER)
        self._signups = URLSafeTimedSerializer(key, salt="tollbridge.signup", signer_kwargs=_SIGNER)
        self._entries = URLSafeTimedSerializer(key, salt="tollbridge.entry", signer_kwargs=_SIGNER)
        self._forms = hmac.new(key.encode(), b"tollbridge.form", hashlib.sha256).digest()

    def session(self, client_id: int) -> str:
        """The value of a session's cookie."""
        return self._dumped(self._sessions, [client_id, secrets.token_hex(16)])

    def session_of(self, value: str) -> Session | None:
        """Whose session it is; None if it is altered or too old."""
        match _read(self._sessions, value, SESSION_SECONDS):
            case [int(client_id), str(nonce)]:
                return Session(client_id, nonce)
        return None

    def signup(self, nonce: str) -> str:
        """The last part of a sign-up's link."""
        return self._dumped(self._signups, nonce)

    def signup_nonce(self, value: str) -> str | None:
        """The sign-up a link is about; None if it is altered or too old."""
        nonce = _read(self._signups, value, SIGNUP_SECONDS)
        return nonce if isinstance(nonce, str) else None

    def entry(self, client_id: int, destination: str) -> str:
        """The last part of a link that a billing system sends its logged-in client to."""
        return self._dumped(self._entries, [client_id, secrets.token_hex(16), destination])

    def entry_of(self, value: str) -> Entry | None:
        """Who comes in with a link; None if it is altered or too old."""
        match _read(self._entries, value, ENTRY_SECONDS):
            case [int(client_id), str(nonce), str(destination)]:
                return Entry(client_id, nonce, destination)
        return None

    def form(self, visit: str, session: Session | None) -> str:
        """What a form must send back, for the visitor with this cookie and, if logged in, this session."""
        whose = f"{visit} {session.nonce if session else ''}"
        return hmac.new(self._forms, whose.encode(), hashlib.sha256).hexdigest()

    def is_form(self, visit: str, session: Session | None, given: str) -> bool:
        """Whether the form was made for this visitor."""
        return hmac.compare_digest(self.form(visit, session).encode(), given.encode())

    @staticmethod
    def _dumped(serializer: URLSafeTimedSerializer, value: object) -> str:
        signed = serializer.dumps(value)
        return signed if isinstance(signed, str) else signed.decode()


_SIGNER = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


def _read(serializer: URLSafeTimedSerializer, value: str, seconds: int) -> object:
    try:
        found: object = serializer.loads(value, max_age=seconds)
    except BadSignature:
        return None
    return found
