"""``[adapter.acme]`` of bridge.toml; ``doc`` and ``example`` are what ``tollbridge init`` writes beside the keys."""

from pathlib import Path

import attrs
from tollbridge import Secret
from tollbridge.fields import bearer, web_address


@attrs.frozen
class AcmeSettings:
    """Where Acme is, and who asks."""

    url: str = attrs.field(
        validator=web_address,
        metadata={"doc": "the root; https, unless on this machine", "example": "https://billing.example.com/"},
    )
    key: Secret = attrs.field(
        validator=bearer, metadata={"doc": "an API key that may create invoices", "example": "${ACME_KEY}"}
    )
    ca_file: Path | None = attrs.field(default=None, metadata={"doc": "an authority of your own, for https"})
