"""What each adapter can do, as the table of docs/adapters.md: ``python -m tests.docs.adapter_table`` writes it anew."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from tests.docs.walking import ROOT
from tollbridge import DatabaseUrl
from tollbridge.adapters.hookspecs import ABILITIES, OPTIONAL
from tollbridge.adapters.loading import ADAPTERS, inabilities
from tollbridge_generic_sql.adapter import GenericSqlAdapter, GenericSqlSettings

PAGE = ROOT / "docs/adapters.md"
HEADING = "## What each adapter can do\n"
HOOKS = {
    "terms": "tell discounts or taxes",
    "check": "say what is wrong before anything is billed",
    "create_client": "make a client of who signs up",
    "authenticate": "log a client in",
    "portal_login_url": "lead a client into its client area",
    "invoice_url": "say where an invoice is paid",
    "remember_user": "keep the SolusIO user's id",
    "invoice": "find an invoice by its number",
    "invoices_since": "list the newest invoices",
    "close": "close its connections",
}
_MARIADB = DatabaseUrl("mysql+pymysql://tollbridge@127.0.0.1/fossbilling")


def columns() -> Iterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """Each installed adapter with what its class cannot do, and what it cannot do as its page sets it up."""
    for point in sorted(entry_points(group=ADAPTERS), key=lambda each: each.name):
        found = point.load()
        if found is not GenericSqlAdapter:
            yield point.name, inabilities(found), inabilities(found)
            continue
        own = GenericSqlSettings(DatabaseUrl("sqlite:///billing.db"), "tollbridge")
        fossbilling = GenericSqlSettings(_MARIADB, "fossbilling")
        for name, settings in (("generic_sql", own), ("fossbilling", fossbilling)):
            adapter = found(settings)
            fixed = {what: why for what, why in adapter.cannot.items() if what not in OPTIONAL}
            yield name, {**inabilities(found), **fixed}, inabilities(adapter)


def table() -> str:
    """The table."""
    found = list(columns())
    rows = [
        f"| to {words} | `{what}` | {' | '.join(_cell(what, *cannot) for _, *cannot in found)} |"
        for what, words in {**ABILITIES, **HOOKS}.items()
    ]
    head = ["| | ability or hook | " + " | ".join(name for name, *_ in found) + " |"]
    return "\n".join([*head, "| --- " * (len(found) + 2) + "|", *rows]) + "\n"


def _cell(what: str, ever: Mapping[str, str], as_is: Mapping[str, str]) -> str:
    if what in ever:
        return "no"
    return "if set up" if what in as_is else "yes"


def parts(page: str) -> tuple[str, str, str]:
    """The page before its table, the table, and what follows."""
    before, heading, rest = page.partition(HEADING)
    words, bar, rest = rest.partition("| | ")
    written, gap, after = (bar + rest).partition("\n\n")
    return before + heading + words, f"{written}\n", gap[1:] + after


if __name__ == "__main__":
    start, _, end = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(start + table() + end, encoding="utf-8")
