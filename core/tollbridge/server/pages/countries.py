"""The countries a client may be in, as Unicode's CLDR names them."""

import unicodedata
from functools import cache

from babel import Locale

# Unions, the whole world, and parts of countries that have codes of their own in CLDR, but not in ISO 3166-1.
_NOT_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])


@cache
def countries(language: str) -> dict[str, str]:
    """Each country's name by its ISO 3166-1 code, in the order of the names."""
    names = Locale(language).territories
    found = [(code, name) for code, name in names.items() if len(code) == 2 and code not in _NOT_COUNTRIES]
    return dict(sorted(found, key=lambda each: _plain(each[1])))


def _plain(name: str) -> str:
    """Without accents: Österreich stands between Oman and Osttimor, not behind Zypern."""
    return "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each)).casefold()
