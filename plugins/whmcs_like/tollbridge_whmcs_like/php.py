"""The one form in which WHMCS takes custom fields: a PHP-serialized map, in base64."""

import base64
from collections.abc import Mapping


def custom_fields(values: Mapping[int, str]) -> str:
    """``customfields`` for ``AddClient`` and ``UpdateClient``: the values by the fields' ids."""
    entries = "".join(f'i:{number};s:{len(value.encode())}:"{value}";' for number, value in values.items())
    return base64.b64encode(f"a:{len(values)}:{{{entries}}}".encode()).decode()
