"""Which ``[solus.usage.fields]`` an answer of another shape would fit, guessed by names and kinds of its fields.

Nothing is decided here: what is proposed counts only after :mod:`tollbridge.usage.probe` has read the answer by it and
compared it with what else the panel says.
"""

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from tollbridge.config import UsageFields
from tollbridge.fields import FieldError
from tollbridge.solus import wire

Found = dict[str, str]  # a field of [solus.usage.fields], and where it is

_DEEPEST = 3
_NUMBERS = {"total", "last_page", "current_page", "per_page"}  # are found in whatever part of an answer
_MOST = 4  # places that are tried for one field
_PEOPLE = ("user", "customer", "account", "owner", "client", "member", "subscriber")
_THINGS = ("server", "vm", "instance", "machine", "vps", "resource", "item", "service", "object", "entity", "product")
_PLANS = ("plan", "tariff", "package", "product")
_USAGES = (
    "",
    "usage",
    "billing",
    "billed",
    "charge",
    "charged",
    "cost",
    "price",
    "amount",
    "used",
    "consumed",
    "total",
)


def _of(owners: Sequence[str], *leaves: str) -> list[str]:
    """Names like ``userid`` and ``user.id``."""
    return [f"{owner}{dot}{leaf}" for leaf in leaves for owner in owners for dot in ("", ".")]


_TOTALS = [
    "total",
    "totalcount",
    "totalrows",
    "totalitems",
    "totalrecords",
    "totalresults",
    "totalentries",
    "counttotal",
]
_PLACES: dict[str, list[str]] = {
    "user": [*_of(_PEOPLE, "id", "userid"), "solususerid", "uid", *_PEOPLE, "id"],
    "billing_user": [
        "billinguserid", *_of(_PEOPLE, "billinguserid", "billingid", "billingclientid", "externalid"), "billingid",
        "billingclientid", "billing.userid", "billing.clientid", "billing.id", "externalid", "externaluserid",
        *_of(_PEOPLE, "id"), "client", "customer",
    ],
    "type": ["type", "kind", *_of(_THINGS, "type", "kind"), "category", "resource", "service", "item"],
    "id": [*_of(_THINGS, "id"), "id", "number"],
    "uuid": [*_of(_THINGS, "uuid", "guid"), "uuid", "guid"],
    "name": [*_of(_THINGS, "name", "label", "title"), "name", "label", "hostname", "title", "displayname", "fqdn",
             "description"],
    "tokens": [
        "tokens", *_of(_USAGES, "tokens"), *_of(("tokens", "token"), *_USAGES), "tokencount", "tokenscount", "tokensum",
        "tokenssum", "cost", "charge", "amount", "units", "credits", "total", "price", "value", "usage", "consumption",
    ],
    "plan": [*_of((*_PLANS, *(f"{thing}.plan" for thing in _THINGS)), "name", "title", "label"), *_PLANS],
    "tokens_per_hour": [],
    "tokens_per_month": [],
    "hours": [
        "uptimehours", "hours", *_of((*_USAGES, "billable", "runtime", "running", "uptime", "started"), "hours"),
        *_of(("hours",), *_USAGES, "count"), "uptime", "runtime", "duration", "quantity",
    ],
    "deleted": ["isdeleted", "deleted", "isremoved", "removed", "isterminated", "terminated", "wasdeleted"],
    "total": _TOTALS,
    "last_page": ["lastpage", "totalpages", "pagecount", "pages", "pagestotal", "numpages", "last"],
    "current_page": ["currentpage", "page", "pagenumber", "pageno", "current", "number"],
    "per_page": ["perpage", "pagesize", "size", "limit", "rowsperpage", "itemsperpage"],
}  # fmt: skip
for _field, _each, _adverb in (("tokens_per_hour", "hour", "hourly"), ("tokens_per_month", "month", "monthly")):
    _prices = [
        f"{word}per{_each}" for word in ("tokens", "token", "price", "cost", "rate", "tokenprice", "tokensprice")
    ]
    _prices += [f"{_adverb}{word}" for word in ("tokens", "price", "cost", "rate", "tokenprice")]
    _prices += [f"{word}{_adverb}" for word in ("tokens", "price", "rate")] + [f"per{_each}", _adverb]
    _owners = ("plan", "tariff", "prices", "price", "pricing", "rate", "rates", "tokens", "plan.tokens", "plan.price",
               "plan.prices", "server.plan", "package", "product")  # fmt: skip
    _PLACES[_field] = [*_prices, *(f"{owner}.{price}" for owner in _owners for price in _prices)]


@attrs.frozen
class FieldSearch:
    """Looks through an answer; ``shows`` says whether a key is surely a name, for only such are ever printed."""

    configured: UsageFields
    shows: Callable[[str], bool]

    def proposals(self, answer: wire.Row) -> Iterator[UsageFields]:
        """Sets of fields by which the answer may be usage, the likelier ones first; none if it has nothing like it."""
        for rows_path, rows in self._lists([answer]):
            for paging in self._pagings(answer):
                for items_path, items in [*self._lists(rows), ("", rows)]:
                    outer = {"rows": rows_path, **paging, "items": items_path}
                    for inner in self._people_and_things(rows, items):
                        with contextlib.suppress(FieldError):  # what bridge.toml would not take
                            yield attrs.evolve(self.configured, **outer, **inner)

    def tells_pages(self, answer: wire.Row) -> bool:
        """Whether the answer says how many rows and pages there are."""
        return any(True for _ in self._pagings(answer))

    def is_of_tokens(self, fields: UsageFields) -> bool:
        """Whether what would be invoiced is tokens by its very name, and not only by what it comes to."""
        return fields.tokens == self.configured.tokens or "token" in fields.tokens.lower()

    def _people_and_things(self, rows: list[wire.Row], items: list[wire.Row]) -> Iterator[Found]:
        uuid = next(iter(self._places(items, "uuid", _is_text)), self.configured.uuid)
        fields = {
            "user": self._places(rows, "user", _is_id),
            "billing_user": [*self._places(rows, "billing_user", _is_client), ""],
            "id": [*self._places(items, "id", _is_id), ""],
            "name": self._places(items, "name", _is_text),
            "tokens": self._places(items, "tokens", _is_whole),
            "type": [*self._places(items, "type", _is_text), ""],
        }
        for places in itertools.product(*fields.values()):
            found = dict(zip(fields, places, strict=True))
            kind = found["type"]
            servers = [item for item in items if wire.at(item, kind) == "server"] if kind else items
            for meter in self._meters(servers):
                yield {**found, "uuid": uuid, **meter}

    def _meters(self, servers: list[wire.Row]) -> Iterator[Found]:
        """Where the servers have what their tokens are computed from, and at last: nowhere."""
        if not servers:
            yield {}
            return
        deleted = next(iter(self._places(servers, "deleted", lambda value: isinstance(value, bool))), "")
        parts = {"plan": _is_text, "tokens_per_hour": _is_whole, "tokens_per_month": _is_whole, "hours": _is_whole}
        for places in itertools.product(*(self._places(servers, field, check) for field, check in parts.items())):
            yield {**dict(zip(parts, places, strict=True)), "deleted": deleted}
        yield {**dict.fromkeys(parts, ""), "deleted": deleted}

    def _pagings(self, answer: wire.Row) -> Iterator[Found]:
        """Where the answer has the numbers of its pages, as far as they tell how many pages there are."""
        totals, lasts, currents, sizes = (
            self._places([answer], field, _is_whole) for field in ("total", "last_page", "current_page", "per_page")
        )
        counts = [path for path in self._paths(answer) if _plain(path).rpartition(".")[2] == "count"]
        size, current = next(iter(sizes), ""), next(iter(currents), "")
        for last in [*lasts, *([""] if size else [])]:
            for total in [*totals, *(counts if last else [])]:  # a mere count may be that of one page
                yield {
                    "total": total,
                    "last_page": last,
                    "current_page": current,
                    "per_page": size or self.configured.per_page,
                }

    def _places(self, rows: list[wire.Row], field: str, check: Callable[[Any], bool]) -> list[str]:
        """Where all rows have the field, by one of its names and of the right kind; bridge.toml's place comes first."""
        own, names = getattr(self.configured, field), _PLACES[field]
        ranks = {}
        for path in self._paths(rows[0]) if rows else ():
            plain = _plain(path)
            known = next((name for name in (plain, plain.rpartition(".")[2] if field in _NUMBERS else plain)
                          if name in names), None)  # fmt: skip
            if path == own or known:
                ranks[path] = -1 if path == own else names.index(known or "")
        there = [path for path in ranks if all(wire.has(row, path) and check(wire.at(row, path)) for row in rows)]
        return sorted(there, key=lambda path: ranks[path])[:_MOST]

    def _lists(self, tables: list[wire.Row]) -> Iterator[tuple[str, list[wire.Row]]]:
        """Every place at which all tables have a list of tables, and those of all of them together."""
        for path in self._paths(tables[0]) if tables else ():
            lists = [wire.at(table, path) if wire.has(table, path) else None for table in tables]
            if all(isinstance(each, list) and all(isinstance(entry, dict) for entry in each) for each in lists):
                entries = [entry for each in lists if each for entry in each]
                if entries:
                    yield path, entries

    def _paths(self, table: wire.Row, depth: int = _DEEPEST) -> Iterator[str]:
        """Every place of a table that is no table itself."""
        for key, value in table.items():
            if not self.shows(key):
                continue
            if isinstance(value, dict) and depth > 1:
                yield from (f"{key}.{inner}" for inner in self._paths(value, depth - 1))
            elif not isinstance(value, dict):
                yield key


def _plain(path: str) -> str:
    """A path without what differs between ways of writing names: ``plan.tokensPerHour`` is ``plan.tokensperhour``."""
    return re.sub(r"[^a-z0-9.]", "", path.lower())


def _is_whole(value: Any) -> bool:
    return wire.number(value) is not None


def _is_id(value: Any) -> bool:
    return bool(wire.number(value))


def _is_client(value: Any) -> bool:
    return value in (None, "") or _is_whole(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
