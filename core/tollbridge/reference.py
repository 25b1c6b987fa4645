"""The reference of an invoice, such as ``TB-2026-07-1042``: how it is made, read, found in texts and kept out of them.

It names a month and a client. It is what an invoice is found again by, here and in the billing system, so nobody else
spells it.
"""

import re
from datetime import date, timedelta

PREFIX = "TB-"

_PARTS = re.compile(r"TB-(?P<month>\d{4}-(?:0[1-9]|1[0-2]))-(?P<client>-?\d+)", re.ASCII)
_MONTH = r"\d{4}-(?:0[1-9]|1[0-2])"
_TELLS = re.compile(
    rf"^[^\S\n]*(?P<reference>TB-{_MONTH}--?\d+):[^\d\n]+(?P<months>{_MONTH}(?:, {_MONTH})*)(?![\w-])",
    re.MULTILINE | re.ASCII,
)
_AT_LINE_START = re.compile(r"^\s*(?P<reference>TB-\d{4}-\d{2}-\d+)(?![\w-])", re.MULTILINE | re.ASCII)


def reference(month: object, client_id: int) -> str:
    """``TB-2026-07-1042`` for the month ``2026-07``, as text or as what has that text, and client 1042."""
    return f"{PREFIX}{month}-{client_id}"


def month_and_client(words: str) -> tuple[str, int] | None:
    """The month, as text, and the client that a reference names; None if ``words`` is not a reference and no more."""
    found = _PARTS.fullmatch(words)
    return (found["month"], int(found["client"])) if found else None


def earliest(reference: str) -> date | None:
    """The day before which no invoice of this reference can have been made, with two days to spare for clocks."""
    found = month_and_client(reference)
    if found is None:
        return None
    in_next_month = date.fromisoformat(f"{found[0]}-28") + timedelta(days=4)
    return in_next_month.replace(day=1) - timedelta(days=2)


def reference_in(words: str) -> str:
    """The first of Tollbridge's references, such as TB-2026-07-1042, that a line of the text begins with; or nothing.

    One in the middle of a line is somebody's remark, or a customer's name for a server.
    """
    found = _AT_LINE_START.search(words)
    return found["reference"] if found else ""


def carries(words: str, reference: str) -> bool:
    """Whether a line of the text begins with exactly this reference, and not with a longer one."""
    return re.search(rf"^\s*{re.escape(reference)}(?![\w-])", words, re.MULTILINE) is not None


def months_in(notes: str, reference: str) -> tuple[str, ...] | None:
    """The months that an invoice's notes name, in their order; None if they do not say, or not clearly.

    They stand in the line of the bridge's own making, in whatever language, and the reference's own month is one of
    them: ``TB-2026-07-1042: usage in 2026-06, 2026-07``. What people wrote around it, on other lines or behind it, does
    not count.
    """
    own = month_and_client(reference)
    named = {tuple(found["months"].split(", ")) for found in _TELLS.finditer(notes) if found["reference"] == reference}
    told = {months for months in named if own and own[0] in months}
    return told.pop() if len(told) == 1 else None


def mentions(words: str, reference: str) -> bool:
    """Whether the text has this reference anywhere."""
    return re.search(rf"(?<![\w-]){re.escape(reference)}(?![\w-])", words) is not None


def without_references(words: str) -> str:
    """The text with whatever looks like one of Tollbridge's references spoilt, so that it is not taken for one."""
    return re.sub(r"TB-(?=\d{4}-\d{2}-\d)", "TB ", words)
