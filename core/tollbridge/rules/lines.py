"""Which sentence an invoice line is; how it is worded in each language stands in the catalogue, ``texts``."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from tollbridge.rules.calendar import Month
from tollbridge.rules.metering import Metered
from tollbridge.texts.invoice_words import InvoiceWords


def server_line(
    words: InvoiceWords, name: str, plan: str, hours: int, per_hour: int, *, tokens: int, metered: Metered
) -> str:
    """A server's line: name, plan, hours, tokens, and how the tokens came about.

    Where SolusIO's figure is not what the rules make of the hours, or comes from several plans, the line claims neither
    price.
    """
    price = metered.price if metered.tokens == tokens and metered.price != "mixed" else "unpriced"
    return words.text(f"line.{price}", name=name, plan=plan, hours=hours, tokens_per_hour=per_hour, tokens=tokens)


def item_line(words: InvoiceWords, kind: str, name: str, tokens: int) -> str:
    """The line of anything but a server, under its kind's name: ``web-1, backup: 490 tokens``."""
    return words.text("line.item", name=name, kind=words.kind(kind), tokens=tokens)


def carried_line(words: InvoiceWords, month: Month, line: str) -> str:
    """The line of an earlier month, on a later one's invoice: ``June 2026: web-1, backup: 490 tokens``."""
    return words.text("line.carried", month=words.month(month.first_day), line=line)


def correction_line(words: InvoiceWords, month: Month, name: str, tokens: int) -> str:
    """The line of an item that was reported otherwise after its month was billed.

    ``July 2026, web-1: 44 tokens reported later``, or ``... taken back``.
    """
    key = "line.later" if tokens > 0 else "line.taken_back"
    return words.text(key, month=words.month(month.first_day), name=name, tokens=abs(tokens))


def notes(words: InvoiceWords, reference: str, months: Sequence[str]) -> str:
    """An invoice's notes: the reference, every month that it has lines of, and the period that they make."""
    first, last = Month.parse(min(months)), Month.parse(max(months))
    return words.text(
        "invoice.notes",
        reference=reference,
        months=", ".join(months),
        first_day=words.day(first.first_day),
        last_day=words.day(last.last_day),
    )


@attrs.frozen
class LineFacts:
    """What a line was made from, as far as its words hang on it; ``hours`` None: it is no server's."""

    month: Month
    name: str
    kind: str
    tokens: int
    plan: str = ""
    hours: int | None = None
    tokens_per_hour: int | None = None


def reworded(description: str, facts: LineFacts, before: InvoiceWords, after: InvoiceWords) -> str:
    """A line in the words of another language; as it is, if it is not one that the bridge makes of these facts."""
    if before.language == after.language:
        return description
    for key, values in _sentences(facts):
        own, other = (_said(words, key, facts, values) for words in (before, after))
        if description == own:
            return other
        if description == carried_line(before, facts.month, own):
            return carried_line(after, facts.month, other)
    return description


def _said(words: InvoiceWords, key: str, facts: LineFacts, values: Mapping[str, str | int]) -> str:
    return words.text(key, **values, kind=words.kind(facts.kind), month=words.month(facts.month.first_day))


def _sentences(facts: LineFacts) -> Iterator[tuple[str, dict[str, str | int]]]:
    """Every sentence that a line of these facts can be, with its values but the kind and the month."""
    values: dict[str, str | int] = {"name": facts.name, "plan": facts.plan, "tokens": facts.tokens}
    if facts.hours is not None:
        server = {**values, "hours": facts.hours}
        yield "line.hourly", {**server, "tokens_per_hour": facts.tokens_per_hour or 0}
        yield from ((key, server) for key in ("line.monthly", "line.free", "line.unpriced"))
    yield "line.item", values
    yield ("line.later" if facts.tokens > 0 else "line.taken_back"), {**values, "tokens": abs(facts.tokens)}
