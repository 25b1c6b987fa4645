"""Colours people can read, by WCAG 2.2: relative luminance, contrast, and a brand colour adjusted to its background."""

import re
from collections.abc import Sequence

import attrs

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STEPS = 20

TEXT_CONTRAST = 4.5  # level AA for text of any size


def is_colour(text: str) -> bool:
    """Whether this is a colour as ``#rrggbb``."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 (the same) to 21 (black and white)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever reads better on ``colour``: one of them always has a contrast of 4.5."""
    return max("#ffffff", "#000000", key=lambda text: contrast(text, colour))


def readable(colour: str, backgrounds: Sequence[str]) -> str:
    """``colour``, mixed with just enough black or white to be read as text on every background."""
    ink = text_on(backgrounds[0])
    mixed = (_mixed(colour, ink, step / _STEPS) for step in range(_STEPS))
    return next((each for each in mixed if all(contrast(each, below) >= TEXT_CONTRAST for below in backgrounds)), ink)


@attrs.frozen
class Scheme:
    """The backgrounds of one colour scheme, and the brand colour as text on them."""

    page: str
    panel: str
    accent: str


@attrs.frozen
class Palette:
    """The brand colour, the text on it, and what becomes of it in the light and the dark."""

    brand: str
    on_brand: str
    light: Scheme
    dark: Scheme

    @classmethod
    def of(cls, brand: str) -> "Palette":
        """The palette of a brand colour."""
        return cls(brand, text_on(brand), _scheme(brand, "#ffffff", "#f4f6f8"), _scheme(brand, "#14171b", "#1f242a"))


def _scheme(brand: str, page: str, panel: str) -> Scheme:
    return Scheme(page, panel, readable(brand, (page, panel)))


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _luminance(colour: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(colour: str, ink: str, share: float) -> str:
    """``colour`` with that share of ``ink`` in it."""
    pairs = zip(_channels(colour), _channels(ink), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02x}" for one, other in pairs)
