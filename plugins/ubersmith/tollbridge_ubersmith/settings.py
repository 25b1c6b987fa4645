"""``[adapter.ubersmith]``."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from tollbridge import Secret
from tollbridge.fields import FieldError, bearer, web_address

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def _code(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    if re.fullmatch(r"[A-Z]{3}", value) is None:
        raise FieldError(attribute.name, f'must be a currency code such as "USD", not "{value}"')


def _variable(_instance: object, attribute: "attrs.Attribute[Any]", value: str | None) -> None:
    if value is not None and _VARIABLE.fullmatch(value) is None:
        raise FieldError(attribute.name, f'must be the variable of a custom field, such as "solusid", not "{value}"')


def _user(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    if not value or ":" in value or not value.isprintable():
        raise FieldError(attribute.name, "must be a log-in name, and has no colon")


def _zone(_instance: object, attribute: "attrs.Attribute[Any]", value: str | None) -> None:
    try:
        ZoneInfo(value or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise FieldError(
            attribute.name, f'must be an IANA time zone such as "America/New_York", not "{value}"'
        ) from None


@attrs.frozen
class UbersmithSettings:
    """Where Ubersmith is, who asks, and what it does not say of itself."""

    url: str = attrs.field(
        validator=web_address,
        metadata={"doc": "the root; the API is at api/2.0/", "example": "https://billing.example.com/"},
    )
    user: str = attrs.field(
        validator=_user, metadata={"doc": "the log-in name of an admin user", "example": "${UBERSMITH_USER}"}
    )
    token: Secret = attrs.field(
        validator=bearer, metadata={"doc": "that user's API token", "example": "${UBERSMITH_TOKEN}"}
    )
    currency: str = attrs.field(
        validator=_code,
        metadata={"doc": "what the brand bills in; Ubersmith does not say which", "example": "USD"},
    )
    brand_id: int | None = attrs.field(
        default=None, metadata={"doc": "the brand whose clients are billed; default: the only one", "example": 1}
    )
    timezone: str | None = attrs.field(
        default=None,
        validator=_zone,
        metadata={"doc": "the installation's, for due dates; default: UTC", "example": "America/New_York"},
    )
    reference_field: str = attrs.field(
        default="tollbridge_reference",
        validator=_variable,
        metadata={"doc": "the variable of a custom field of services, where the reference is kept"},
    )
    custom_field: str | None = attrs.field(
        default=None,
        validator=_variable,
        metadata={
            "doc": "the variable of a client field for the SolusIO user id; default: client.storage keeps it",
            "example": "solusid",
        },
    )
    send_invoices: bool = attrs.field(default=False, metadata={"doc": "Ubersmith mails each invoice to its client"})
    ca_file: Path | None = attrs.field(
        default=None,
        metadata={"doc": "an authority of your own, for https", "example": "/etc/ssl/own-ca.pem"},
    )

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which due dates are days."""
        return ZoneInfo(self.timezone or "UTC")

    @property
    def today(self) -> date:
        """The day that it is there."""
        return datetime.now(self.zone).date()
