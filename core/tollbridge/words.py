"""Text that others wrote, made safe to keep, to send on and to show in a terminal, and numbers of things."""

import unicodedata

_REPLACED = "\ufffd"
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
