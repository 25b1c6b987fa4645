"""Text that others wrote, made safe to keep, to send on and to show to people or spreadsheets; numbers of things."""

import re
import unicodedata
from decimal import Decimal
from typing import Any

# What steers a terminal or turns its writing direction, and halves of characters.
UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_REPLACED = "\ufffd"
# What a spreadsheet takes for the beginning of a formula, at the start of a cell, or where one that separates by
# semicolons or tabs sees a start.
_FORMULA = re.compile(r"(^|[;\t\r\n])([ \xa0]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\t\r])")
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:%-]*")  # most cells, and quickly known
_JOINERS = "\u200c\u200d"  # words of some languages and composed emoji need them


def printable(text: str, most: int) -> str:
    """``text`` as one line of at most ``most`` characters.

    Line breaks and tabs become spaces. Lone surrogates, other control characters, and what changes the direction of
    writing or cannot be seen become U+FFFD. What is too long is cut, and ends with an ellipsis.
    """
    if not text.isprintable():
        text = "".join(map(_shown, text[: most + 1]))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def storable(text: str) -> str:
    """``text`` with U+FFFD for what neither JSON nor every database takes: lone surrogates and NUL."""
    if text.isprintable():
        return text
    return "".join(_REPLACED if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in text)


def for_terminal(text: str, *, lines: bool = True) -> str:
    """``text`` with every control character shown by its number; unless ``lines``, the ends of its lines, too."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    shown = UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return shown if lines else shown.replace("\n", "\\n")


def csv_cell(value: Any) -> str:
    """A value as a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, str):
        return value if _HARMLESS.fullmatch(value) else for_terminal(_FORMULA.sub(r"\1\2'", value), lines=False)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def counted(number: int, noun: str) -> str:
    """``1 client``, ``2,000 clients``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shown(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in {"Zl", "Zp"} or letter in "\t\n\v\f\r\x85":
        return " "
    if kind in {"Cs", "Cc"} or (kind == "Cf" and letter not in _JOINERS):
        return _REPLACED
    return letter
