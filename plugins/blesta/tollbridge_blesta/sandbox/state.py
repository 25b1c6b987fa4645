"""What every part of an install shares: one clock, and the company's settings."""

from collections.abc import Callable
from datetime import UTC, datetime

from tollbridge.sandbox import Simulator
from tollbridge_blesta.sandbox.quirks import Quirks


class State(Simulator):
    """The memory of an install.

    Attributes:
        clock: what tells the time, aware; the real one until a test puts another in its place.
        settings: the company's, all text: ``default_currency``, ``timezone``, ``enable_tax``, ``cascade_tax``, …
        shared_login_key: what Shared Login addresses are signed with; empty: the plugin is not installed.
    """

    def __init__(self, timezone: str) -> None:
        super().__init__()
        self.clock: Callable[[], datetime] = _real_time
        self.quirks = Quirks()
        self.shared_login_key = "sandbox-shared-login-key"
        self.settings: dict[str, str] = {
            "country": "US",
            "default_currency": "USD",
            "language": "en_us",
            "timezone": timezone,
            "enable_tax": "true",
            "cascade_tax": "false",
            "setup_fee_tax": "false",
            "cancelation_fee_tax": "false",
            "tax_id": "",
        }

    @property
    def now(self) -> datetime:
        """The install's time in UTC, without fractions, as its database keeps it."""
        return self.clock().astimezone(UTC).replace(microsecond=0)


def _real_time() -> datetime:
    return datetime.now(UTC)
