"""What WHMCS knows of countries and states, as far as the sandbox's clients live there."""

_COUNTRIES = {
    "AU": ("Australia", "61"),
    "BR": ("Brazil", "55"),
    "CA": ("Canada", "1"),
    "DE": ("Germany", "49"),
    "FR": ("France", "33"),
    "GB": ("United Kingdom", "44"),
    "IN": ("India", "91"),
    "JP": ("Japan", "81"),
    "NL": ("Netherlands", "31"),
    "US": ("United States", "1"),
}
_STATE_CODES = {
    ("CA", "Ontario"): "ON",
    ("CA", "Quebec"): "QC",
    ("US", "California"): "CA",
    ("US", "New York"): "NY",
    ("US", "Texas"): "TX",
}


def country_name(code: str) -> str:
    """The English name; the code itself of a country that is not listed here."""
    return _COUNTRIES.get(code, (code, ""))[0]


def phone_code(code: str) -> str:
    """The dialling code without a plus sign."""
    return _COUNTRIES.get(code, ("", ""))[1]


def state_name(country: str, state: str) -> str:
    """The state's full name; as it was typed where there is none."""
    names = {(at, code): name for (at, name), code in _STATE_CODES.items()}
    return names.get((country, state), state)


def state_code(country: str, state: str) -> str:
    """The state's short form; as it was typed where there is none."""
    return _STATE_CODES.get((country, state), state)
