"""``[adapter.hostbill]``."""

from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

import attrs

from tollbridge import Secret
from tollbridge.fields import web_address


@attrs.frozen
class HostBillSettings:
    """Where HostBill is, and who asks."""

    url: str = attrs.field(
        validator=web_address,
        metadata={
            "doc": "the admin area; the API is at api.php in it",
            "example": "https://billing.example.com/admin/",
        },
    )
    api_id: Secret = attrs.field(metadata={"doc": "of an API key", "example": "${HOSTBILL_API_ID}"})
    api_key: Secret = attrs.field(metadata={"doc": "that API key", "example": "${HOSTBILL_API_KEY}"})
    client_area_url: str | None = attrs.field(
        default=None,
        validator=web_address,
        metadata={
            "doc": "where clients log in; default: one folder above url",
            "example": "https://billing.example.com/",
        },
    )
    autologin_secret: Secret | None = attrs.field(
        default=None,
        metadata={
            "doc": "of the Client Auto Login plugin, for links into the client area",
            "example": "${HOSTBILL_AUTOLOGIN}",
        },
    )
    autologin_hash: Literal["hmac", "md5"] | None = attrs.field(
        default=None,
        metadata={"doc": '"hmac" or "md5", as that plugin is set; default: whichever is accepted', "example": "hmac"},
    )
    custom_field: str | None = attrs.field(
        default=None,
        metadata={"doc": "code of the registration field that keeps the SolusIO user id", "example": "solusid"},
    )
    read_taxes: bool = attrs.field(
        default=True, metadata={"doc": "false: taxes are those of [[pricing.taxes]], and HostBill is not asked"}
    )
    compound_tax: bool = attrs.field(
        default=False, metadata={"doc": "HostBill charges its second tax on top of the first (compound)"}
    )
    ca_file: Path | None = attrs.field(
        default=None,
        metadata={"doc": "an authority of your own, for https", "example": "/etc/ssl/own-ca.pem"},
    )

    @property
    def client_area(self) -> str:
        """Where clients log in, with a slash at its end."""
        return f"{(self.client_area_url or urljoin(self.url.rstrip('/'), '.')).rstrip('/')}/"
