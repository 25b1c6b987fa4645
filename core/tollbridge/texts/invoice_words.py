"""The words of invoices in one language: of their lines and their notes."""

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

import attrs

from tollbridge.texts.catalogue import read_texts
from tollbridge.texts.languages import Language


@attrs.frozen
class InvoiceWords:
    """One language's words of invoices, from ``invoices/<language>.toml``."""

    language: Language
    texts: Mapping[str, str]

    def text(self, key: str, /, **values: str | int) -> str:
        """A sentence with its values; numbers are written as they are on lines in this language.

        LookupError if there is no such sentence, or a value is missing.
        """
        for name, value in values.items():
            if isinstance(value, int):
                values[name] = self._number(value)
        return self.texts[key].format_map(values)

    def kind(self, kind: str) -> str:
        """What a kind of item is called; one that is not known keeps its own name."""
        return self.texts.get(f"kind.{kind}") or kind.replace("_", " ")

    def month(self, month: date) -> str:
        """The month of a day: ``July 2026``, ``Juli 2026``."""
        return month_in_words(month, self.language)

    def day(self, day: date) -> str:
        """``July 1, 2026``, ``1. Juli 2026``."""
        return day_in_words(day, self.language)

    def sum_line(self, items: int, tokens: int) -> str:
        """The line that stands for so many items, where a billing system takes no more lines."""
        from babel.numbers import format_decimal  # noqa: PLC0415

        return self.text("line.more_items", items=items, tokens=format_decimal(tokens, locale=self.language))

    def _number(self, number: int) -> str:
        return f"{number:,}".replace(",", self.texts["number.thousands"])


@cache
def invoice_words(language: Language) -> InvoiceWords:
    """The words of a language; they are read once."""
    from importlib import resources  # noqa: PLC0415 - slow to import, and a look at a price needs none of it

    texts = resources.files(__package__) / "invoices" / f"{language}.toml"
    return InvoiceWords(language, read_texts(texts))


@lru_cache(1000)
def month_in_words(month: date, language: str) -> str:
    """The month of a day: ``July 2026``."""
    from babel.dates import format_date  # noqa: PLC0415 - slow to import, and a look at a price needs none of it

    return format_date(month, "LLLL yyyy", locale=language)


@lru_cache(1000)
def day_in_words(day: date, language: str) -> str:
    """``July 1, 2026``."""
    from babel.dates import format_date  # noqa: PLC0415

    return format_date(day, "long", locale=language)
