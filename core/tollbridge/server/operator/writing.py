"""Values of the operator's pages as words of one language, and as cells of CSV."""

import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from tollbridge.reference import month_and_client
from tollbridge.rules.calendar import Month
from tollbridge.server.operator.sheets import Amount, Badge, Commands, Link, Told, Value, Words
from tollbridge.texts.catalogue import Catalogue
from tollbridge.texts.invoice_words import month_in_words
from tollbridge.words import csv_cell

_COMMAND = re.compile(r"`([^`]+)`")
_CLIENT = re.compile(r"client (\d+)", re.ASCII)


def commands_in(message: str) -> tuple[str, ...]:
    """The commands that a message of the bridge names."""
    return tuple(dict.fromkeys(words for words in _COMMAND.findall(message) if words.startswith("tollbridge ")))


def about(who: str) -> Link | str:
    """What a message is about, as a link where there is a page of it."""
    if month_and_client(who):
        return Link(who, f"invoices/{who}")
    if found := _CLIENT.match(who):
        return Link(who, f"clients/{found[1]}")
    return who


def commands_for(who: str, message: str) -> Commands:
    """What to type: what the message names or, if it names nothing, what tells more of whom it is about."""
    if named := commands_in(message):
        return Commands(named)
    if month_and_client(who):
        return Commands((f"tollbridge explain {who}",))
    if found := _CLIENT.match(who):
        return Commands((f"tollbridge client {found[1]}",))
    return Commands(("tollbridge run",))


@attrs.frozen
class Writer:
    """Writes in one language, with moments in the zone that is billed by."""

    language: str
    zone: ZoneInfo
    catalogue: Catalogue

    def html(self, value: Value) -> Markup:
        """A value within a page."""
        match value:
            case Words(key, values):
                return self.catalogue.html(key, **{name: self.html(each) for name, each in values.items()})
            case Link(text, to):
                address = to if to.startswith("#") else f"/operator/{to}"
                return Markup('<a href="{}">{}</a>').format(address, self.plain(text))
            case Told(text):
                return self._told(text)
            case Commands(lines):
                return Markup("").join(map(_code, lines))
            case Badge(words, kind):
                return Markup('<span class="badge {}">{}</span>').format(kind or "state", self.html(words))
            case _:
                return escape(self.plain(value))

    def _told(self, text: str) -> Markup:
        """What stands between backticks is a command."""
        parts = _COMMAND.split(text)
        made = (_code(part) if number % 2 else escape(part)
                for number, part in enumerate(parts))  # fmt: skip
        inside = Markup("").join(made)
        return inside if self.language == "en" else Markup('<span lang="en">{}</span>').format(inside)

    def plain(self, value: Value) -> str:  # noqa: PLR0911 - one for each kind of value
        """A value as text."""
        match value:
            case None:
                return ""
            case str():
                return value
            case int():
                return str(format_decimal(value, locale=self.language))
            case Decimal():
                return self.number(value)
            case Amount(amount, currency):
                return f"{self.number(amount)} {currency}"
            case datetime():
                return format_datetime(value.astimezone(self.zone), "short", locale=self.language)
            case date():
                return format_date(value, "medium", locale=self.language)
            case Month():
                return month_in_words(value.first_day, self.language)
            case _:
                return self.html(value).striptags()

    def label(self, value: Month | Words) -> str:
        """In as few letters as a chart has room for: the text that is called ``short_…`` or, of a month, its name."""
        if not isinstance(value, Month):
            return self.plain(Words(f"short_{value.key}"))
        pattern = "LLL yy" if value.number == 1 else "LLL"
        return format_date(value.first_day, pattern, locale=self.language).replace(".", "")

    def number(self, amount: Decimal) -> str:
        """With the decimals that it has."""
        decimals = max(0, -int(amount.as_tuple().exponent))
        pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "")
        return str(format_decimal(amount, pattern, locale=self.language))


def _code(command: str) -> Markup:
    """A command, whose words are never broken at their dashes."""
    words = Markup(" ").join(Markup("<span>{}</span>").format(word) for word in command.split(" "))
    return Markup("<code>{}</code>").format(words)


def cell(value: Value, english: Writer) -> str:  # noqa: PLR0911 - one for each kind of value
    """A value in CSV: numbers with all their digits, days and moments by ISO 8601, states by one word."""
    match value:
        case Badge(words):
            return words.key.rpartition(".")[2]
        case Amount(amount):
            return csv_cell(amount)
        case Link(text):
            return cell(text, english)
        case Told(text):
            return csv_cell(text)
        case Commands(lines):
            return csv_cell("; ".join(lines))
        case datetime():
            return value.isoformat(timespec="seconds").replace("+00:00", "Z")
        case date() | Month():
            return str(value)
        case Words():
            return csv_cell(english.plain(value))
        case _:
            return csv_cell(value)
