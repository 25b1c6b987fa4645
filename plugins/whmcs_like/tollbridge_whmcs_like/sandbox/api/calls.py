"""One call of the API, and what all lists have in common."""

from collections.abc import Sequence
from typing import TypeVar

import attrs

from tollbridge_whmcs_like.sandbox.form import Fields
from tollbridge_whmcs_like.sandbox.install import Install
from tollbridge_whmcs_like.sandbox.wire import Document

RowT = TypeVar("RowT")
PAGE = 25


@attrs.frozen
class Call:
    """A call that was let in; ``root`` is the address it came to, without a slash at its end."""

    install: Install
    fields: Fields
    root: str

    def page(self, rows: Sequence[RowT]) -> tuple[Sequence[RowT], Document]:
        """The rows from ``limitstart`` on, ``limitnum`` or 25 of them, and the counts that come with them."""
        start = self.fields.number("limitstart")
        size = self.fields.number("limitnum") or PAGE
        if self.install.page_limit is not None:
            size = min(size, self.install.page_limit)
        shown = rows[start : start + size]
        return shown, {"totalresults": len(rows), "startnumber": start, "numreturned": len(shown)}

    def matches(self, *texts: str) -> bool:
        """Whether one of the texts begins with ``search``; all do if it was not sent."""
        wanted = self.fields.text("search").casefold()
        return not wanted or any(text.casefold().startswith(wanted) for text in texts)
