"""The languages that customers are written to in, by what others call them."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal, get_args

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@lru_cache(1000)
def language_called(words: str) -> Language | None:
    """The language that a billing system calls so: ``de``, ``de_AT``, ``german``, ``Deutsch``.

    A dialect counts as its language. None: nothing was said, or it is none of ours.
    """
    name = words.strip().casefold().replace("_", "-").partition("-")[0]
    return _by_name().get(name)


@cache
def _by_name() -> Mapping[str, Language]:
    """Each language by its code, its English name and its own."""
    from babel import Locale  # noqa: PLC0415 - slow to import, and a look at a price needs none of it

    found: dict[str, Language] = {}
    for language in LANGUAGES:
        locale = Locale(language)
        names = (language, locale.english_name, locale.get_language_name())
        found |= {name.casefold(): language for name in names if name}
    return found
