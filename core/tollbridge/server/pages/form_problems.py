"""What is wrong with the forms of a sign-up, as text keys by field."""

import re
from unicodedata import category

from tollbridge.server.pages.countries import countries
from tollbridge.server.pages.views import FIELD_LONGEST, PASSWORD_LONGEST, PASSWORD_SHORTEST
from tollbridge.server.pages.web import Form

# ASCII only: of an address with other letters, two systems may make two different ones.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


def form_problems(fields: Form, offered: tuple[str, ...]) -> dict[str, str]:
    """What is wrong with the first form, by field; ``offered`` are the currencies to choose from."""
    problems = {}
    for name, longest in FIELD_LONGEST.items():
        value = fields[name]
        if len(value) > longest:
            problems[name] = "problem.too_long"
        elif not value.isprintable():
            problems[name] = "problem.characters"
        elif not value and name != "company":
            problems[name] = "problem.required"
    if "email" not in problems and not _EMAIL.fullmatch(fields["email"]):
        problems["email"] = "problem.email"
    if fields["country"] not in countries("en"):
        problems["country"] = "problem.choose"
    if offered and fields["currency"] not in offered:
        problems["currency"] = "problem.choose"
    return problems


def mailbox(email: str) -> str:
    """Where mail to an address ends, for all one can tell: what follows a plus sign is a matter of the owner's."""
    local, _, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def password_problems(password: str, *, known: bool) -> dict[str, str]:
    """What is wrong with a password: a new one, or one that is ``known`` to the billing system and may be short."""
    if any(category(each) == "Cc" for each in password):
        return {"password": "problem.characters"}
    shortest = 1 if known else PASSWORD_SHORTEST
    return {} if shortest <= len(password) <= PASSWORD_LONGEST else {"password": "problem.password_short"}
