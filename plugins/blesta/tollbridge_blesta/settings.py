"""``[adapter.blesta]``."""

from pathlib import Path

import attrs

from tollbridge import Secret
from tollbridge.fields import bearer, web_address


@attrs.frozen
class BlestaSettings:
    """Where Blesta is, and who asks."""

    url: str = attrs.field(
        validator=web_address,
        metadata={
            "doc": "the root; the API is at api/ (without URL rewriting end it with index.php/)",
            "example": "https://billing.example.com/",
        },
    )
    user: str = attrs.field(metadata={"doc": "of an API key", "example": "${BLESTA_API_USER}"})
    key: Secret = attrs.field(validator=bearer, metadata={"doc": "that API key", "example": "${BLESTA_API_KEY}"})
    company_id: int = attrs.field(default=1, metadata={"doc": "the company whose clients are billed"})
    client_group: int | None = attrs.field(
        default=None,
        metadata={"doc": "id of the group of clients who sign up; default: the company's first", "example": 1},
    )
    custom_field: int | None = attrs.field(
        default=None,
        metadata={"doc": "id of the client field that keeps the SolusIO user id", "example": 1},
    )
    send_invoices: bool = attrs.field(default=True, metadata={"doc": "Blesta mails each invoice to its client"})
    shared_login_key: Secret | None = attrs.field(
        default=None,
        metadata={
            "doc": "of the Shared Login plugin, for links into the client area",
            "example": "${BLESTA_LOGIN_KEY}",
        },
    )
    ca_file: Path | None = attrs.field(
        default=None,
        metadata={"doc": "an authority of your own, for https", "example": "/etc/ssl/own-ca.pem"},
    )
