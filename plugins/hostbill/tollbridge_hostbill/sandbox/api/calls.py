"""One call of the API, and what all lists have in common."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from tollbridge_hostbill.sandbox.install import Install
from tollbridge_hostbill.sandbox.records import InstallError
from tollbridge_hostbill.sandbox.wire import Document, Real

CREDENTIALS = {"api_id", "api_key", "outputformat", "call"}


@attrs.frozen
class Call:
    """A call that was let in."""

    install: Install
    fields: dict[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        """A field; one without a default must be there, and not be empty."""
        value = self.fields.get(name, default)
        if value is None or (default is None and not value):
            raise InstallError(f"Required parameter {name} is missing")
        return value

    def whole(self, name: str, default: str | None = None) -> int:
        """A whole number."""
        value = self.text(name, default)
        if not value.isdecimal():
            raise InstallError(f"Parameter {name} must be a number")
        return int(value)

    def flag(self, name: str) -> bool:
        """1 or 0."""
        if self.text(name) not in {"0", "1"}:
            raise InstallError(f"Parameter {name} must be 1 or 0")
        return self.text(name) == "1"

    @property
    def filters(self) -> dict[str, str]:
        """What stands in ``filter[…]``, by its key."""
        return {name[len("filter[") : -1]: value for name, value in self.fields.items() if name.startswith("filter[")}

    def page(self, rows: Sequence[Any], of: Callable[[Any], Document], key: str) -> Document:
        """A page of a list, and its ``sorter``, in which ``sorterpage`` is the next page."""
        install, size = self.install, self.install.page_size
        first = install.quirks.first_page
        asked = max(self.whole("page", "0"), first)
        pages = -(-len(rows) // size)
        start = (asked - first) * size
        sorter = {
            "perpage": size,
            "totalpages": pages,
            "sorterrecords": len(rows),
            "sorterpage": asked + install.quirks.next_page,
        }
        shown = [of(row) for row in rows[start : start + size]]
        return {key: shown, "sorter": {name: Real(int(value)) for name, value in sorter.items()}}
