"""The operator's webhook: a signed POST for each notice, again until it is taken, so at least once."""

import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from tollbridge.config import NotifySettings
from tollbridge.errors import TollbridgeError, Unavailable
from tollbridge.http import Http, Retry, try_connection
from tollbridge.ledger.outbox import OutgoingMail
from tollbridge.mail.sender import NoServer

SIGNATURE, DELIVERY = "Tollbridge-Signature", "Tollbridge-Delivery"
_SERVICE = "the webhook"
_SECONDS = 20.0


class Webhook:
    """The address that ``[notify]`` names, which must have one.

    The body is the notice as JSON. ``Tollbridge-Signature`` is ``sha256=`` and the hexadecimal HMAC-SHA256 of the body,
    byte for byte, with ``notify.webhook_secret``; ``Tollbridge-Delivery`` is the same at every attempt, so that who
    gets a notice twice can know it. Any answer of 2xx takes it; after any other it is tried again.
    """

    to_webhook = True

    def __init__(self, settings: NotifySettings) -> None:
        assert settings.webhook is not None  # noqa: S101 - whoever makes one has looked
        assert settings.webhook_secret is not None  # noqa: S101 - they go together
        address = urlsplit(settings.webhook)
        self._address, self._path = f"{address.scheme}://{address.netloc}", address.path.lstrip("/")
        self._secret = settings.webhook_secret
        self._http: Http | None = None

    def carry(self, mail: OutgoingMail, still_ours: Callable[[], bool]) -> None:
        """Send it once.

        Raises:
            NoServer: it was not taken; the next one would not be either.
        """
        if not still_ours():
            raise Unavailable("somebody else may have begun with this notice")
        body = mail.mail.text.encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: f"sha256={signature(self._secret.reveal(), body)}",
            DELIVERY: mail.message_id,
        }
        if self._http is None:
            self._http = Http(self._address, service=_SERVICE, timeout=_SECONDS, retry=Retry(attempts=1))
        try:
            answer = self._http.post(self._path, body, headers)
        except TollbridgeError as error:
            raise NoServer(str(error)) from None
        if not answer.ok:
            raise NoServer(f"the webhook answered {answer.status}")

    def try_out(self) -> None:
        """Connect, with TLS, and send nothing; NoServer if that cannot be done."""
        try:
            try_connection(self._address, service=_SERVICE)
        except Unavailable as error:
            raise NoServer(str(error)) from None

    def close(self) -> None:
        """Let go of the connection; the next notice opens a new one."""
        http, self._http = self._http, None
        if http is not None:
            http.close()


def signature(secret: str, body: bytes) -> str:
    """What proves that a body comes from who knows the secret: HMAC-SHA256, in hexadecimal."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
