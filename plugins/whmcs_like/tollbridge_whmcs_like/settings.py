"""``[adapter.whmcs_like]``."""

from pathlib import Path

import attrs

from tollbridge import Secret
from tollbridge.fields import web_address


@attrs.frozen
class WhmcsSettings:
    """Where WHMCS is, and who asks."""

    url: str = attrs.field(
        validator=web_address,
        metadata={"doc": "the root; the API is at includes/api.php", "example": "https://billing.example.com/"},
    )
    identifier: Secret = attrs.field(
        metadata={"doc": "of an API credential pair", "example": "${WHMCS_IDENTIFIER}"},
    )
    secret: Secret = attrs.field(metadata={"doc": "its other half", "example": "${WHMCS_SECRET}"})
    access_key: Secret | None = attrs.field(
        default=None,
        metadata={"doc": "passes the address allow-list", "example": "${WHMCS_ACCESS_KEY}"},
    )
    payment_method: str | None = attrs.field(
        default=None,
        metadata={"doc": "system name of a gateway; default: the client's own", "example": "mailin"},
    )
    custom_field: int | None = attrs.field(
        default=None,
        metadata={"doc": "id of the client field that keeps the SolusIO user id", "example": 7},
    )
    send_invoices: bool = attrs.field(default=True, metadata={"doc": "WHMCS mails each invoice to its client"})
    ca_file: Path | None = attrs.field(
        default=None,
        metadata={"doc": "an authority of your own, for https", "example": "/etc/ssl/own-ca.pem"},
    )
