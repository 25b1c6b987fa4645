"""What a panel answers, looked at without keeping or showing anything of it, and whether its usage feed can be read.

The call is not publicly specified, so on the first day with a panel somebody has to look. This asks for usage as
bridge.toml has it and in other plausible ways, and compares what comes with the rest that the panel says: a feed fits
if it can be read by its fields, has the pages that it says, looks at the interval that it is asked for, and names users
as the list of users does. It writes nothing.
"""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import attrs

from tollbridge.config import UsageFields, UsageSettings
from tollbridge.errors import Incomplete, Refused, ServiceError, Unavailable
from tollbridge.model import UserUsage
from tollbridge.rules.metering import computed_tokens
from tollbridge.solus import wire
from tollbridge.solus.panel import Envelope, Page, Panel
from tollbridge.usage.feed import envelope, interval
from tollbridge.usage.feed_rows import usage_of
from tollbridge.usage.field_search import FieldSearch
from tollbridge.usage.shapes import Mask, Shape

LISTS = ("users", "roles", "limit_groups", "plans", "servers")
_OTHER_PATHS = ("usage", "usages", "billing/usage", "billing/usages", "usage/billing", "usage/servers")
_OTHER_PARAMETERS = (
    ("from", "to"), ("start", "end"), ("date_from", "date_to"), ("start_date", "end_date"),
    ("filter[from]", "filter[to]"),
)  # fmt: skip
_LONG_AGO = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 2, 1, tzinfo=UTC))
_USER_PAGES = 10
_MOST_PROPOSALS = 500
_CLOSED = {401, 403}


@attrs.frozen
class ProbeCall:
    """One request and what came: its HTTP status, None for no answer, and the shape of its body, None for no JSON."""

    path: str
    status: int | None
    shape: Shape


@attrs.frozen
class Findings:
    """What the probe saw.

    Attributes:
        calls: every request, in order.
        feed: ``[solus.usage]`` as it would fit; None if nothing does.
        as_declared: whether that is what bridge.toml has already.
        reason: why nothing fits, in words without anything of the panel's.
        is_open: whether that is not known, because the panel did not answer the declared call.
        nothing_used: whether that is not known, because nobody used anything in the month.
    """

    calls: list[ProbeCall]
    feed: UsageSettings | None
    as_declared: bool
    reason: str = ""
    is_open: bool = False
    nothing_used: bool = False


class _NoFit(Exception):
    """Why an answer is no feed that can be read: what follows "GET usage answers, but"."""


class _NothingUsed(_NoFit):
    """There are no rows to tell by."""


@attrs.frozen
class Probe:
    """One look at a panel; ``feed`` is what bridge.toml has."""

    panel: Panel
    feed: UsageSettings
    calls: list[ProbeCall] = attrs.Factory(list)

    def look(self, start: datetime, end: datetime) -> Findings:
        """Look at everything, usage in ``[start, end)`` among it.

        Raises:
            Unavailable: the panel does not answer at all.
            Refused: it does not accept the API token.
        """
        self._begin()
        people = self._people()
        for path in LISTS[1:]:
            self._ask(path, {"page": 1})
        self._ask("settings")
        answers = list(self._usage(start, end))
        return self._judged(answers, people, start, end)

    def _begin(self) -> None:
        status, _ = self._ask("account")
        if status is None:
            raise Unavailable("SolusIO cannot be reached at solus.url; `tollbridge check` says why")
        if status in _CLOSED:
            raise Refused(
                f"SolusIO does not accept the API token ({status}): it must belong to an administrator, and this"
                " machine's address must be allowed for it"
            )

    def _people(self) -> dict[int, int | None]:
        """Users of the first pages, and the clients they belong to; as many as there are if the list cannot be read."""
        people: dict[int, int | None] = {}
        for number in range(1, _USER_PAGES + 1):
            _, document = self._ask(LISTS[0], {"page": number})
            try:
                page = Envelope().page(document or {}, number, LISTS[0])
                people |= {wire.identifier(row, "id", ""): wire.billing_id(row, "") for row in page.rows}
            except Incomplete:
                break
            if number >= page.last:
                break
        return people

    def _usage(self, start: datetime, end: datetime) -> Iterator[tuple[UsageSettings, int | None, wire.Row | None]]:
        """Ways to ask for usage, bridge.toml's own first, with what each was answered."""
        own = (self.feed.from_parameter, self.feed.to_parameter)
        for path in dict.fromkeys([self.feed.path, *_OTHER_PATHS]):
            for first, last in dict.fromkeys([own, *_OTHER_PARAMETERS]):
                way = attrs.evolve(self.feed, path=path, from_parameter=first, to_parameter=last)
                status, document = self._page(way, start, end, 1)
                yield way, status, document
                if status in {None, 404}:
                    break

    def _judged(
        self,
        answers: list[tuple[UsageSettings, int | None, wire.Row | None]],
        people: dict[int, int | None],
        start: datetime,
        end: datetime,
    ) -> Findings:
        reasons: list[str] = []
        nothing_used = False
        for way, _, document in answers:
            if document is None:
                continue
            try:
                found = self._fitting(way, document, people, start, end)
            except _NoFit as reason:
                nothing_used = nothing_used or (not reasons and isinstance(reason, _NothingUsed))
                reasons.append(f"GET {way.path} answers, but {reason}")
            else:
                return Findings(self.calls, found, found == self.feed)
        declared = answers[0][1]
        if declared is None or declared == 429 or declared >= 500:
            return Findings(self.calls, None, False, "SolusIO could not answer for usage just now", is_open=True)
        if declared in _CLOSED:
            reasons.insert(0, f"The API token may not read usage ({declared}): it must belong to an administrator")
        return Findings(
            self.calls,
            None,
            False,
            reasons[0] if reasons else "None of these calls is answered",
            nothing_used=nothing_used,
        )

    def _fitting(
        self, way: UsageSettings, document: wire.Row, people: dict[int, int | None], start: datetime, end: datetime
    ) -> UsageSettings:
        """The way with the fields by which the answer is a feed that can be billed from."""
        fields = _best_fields(document, way.fields, Mask(_keys_of(self.feed.fields)), people)
        found = attrs.evolve(way, fields=fields)
        first = _read(document, fields, 1)
        self._try_second_page(found, first, start, end)
        self._try_long_ago(found)
        return found

    def _try_second_page(self, way: UsageSettings, first: "_Reading", start: datetime, end: datetime) -> None:
        """The page parameter is looked at, if there is more than one page."""
        if first.page.last < 2:
            return
        _, document = self._page(way, start, end, 2)
        try:
            second = _read(document or {}, way.fields, 2)
        except (Incomplete, _NoFit):
            raise _NoFit("its second page is not there, or of another shape") from None
        if second.page.rows == first.page.rows:
            raise _NoFit("its second page has what the first one has: the parameter for the page is another")

    def _try_long_ago(self, way: UsageSettings) -> None:
        """The interval is looked at: a month in which nobody can have used anything has no tokens."""
        _, document = self._page(way, *_LONG_AGO, 1)
        try:
            tokens = sum(user.tokens for user in _read(document or {}, way.fields, 1).users)
        except (Incomplete, _NoFit):
            return
        if tokens:
            raise _NoFit("it has tokens for a month in the year 2000, too: the parameters for the interval are others")

    def _page(
        self, way: UsageSettings, start: datetime, end: datetime, number: int
    ) -> tuple[int | None, wire.Row | None]:
        return self._ask(way.path, {**interval(way, start, end), way.page_parameter: number})

    def _ask(self, path: str, params: dict[str, Any] | None = None) -> tuple[int | None, wire.Row | None]:
        """The status, and the answer if it is a good one and an object; what it looks like is noted."""
        query = "&".join(f"{name}={value}" for name, value in (params or {}).items())
        shown = f"{path}?{query}" if query else path
        try:
            answer = self.panel.look(path, params)
        except ServiceError:
            self.calls.append(ProbeCall(shown, None, None))
            return None, None
        try:
            document = answer.json() if answer.content.strip() else None
        except Unavailable:
            document = None
        keys = _keys_of(self.feed.fields)
        shape = Mask(keys).shape(document) if document is not None else None
        self.calls.append(ProbeCall(shown, answer.status, shape))
        return answer.status, document if answer.ok and isinstance(document, dict) else None


@attrs.frozen
class _Reading:
    """One page of a feed, read by its fields."""

    page: Page
    users: list[UserUsage]


def _read(document: wire.Row, fields: UsageFields, number: int) -> _Reading:
    """A page as the feed's reader takes it.

    Raises:
        Incomplete: it is none.
        _NoFit: it could not have come from a list of as many rows as it says.
    """
    page = envelope(fields).page(document, number, "usage")
    if len(page.rows) > page.total or (page.last < 2 and len(page.rows) != page.total):
        raise _NoFit("it does not have as many rows as it says")
    users = list(usage_of(page.rows, fields))
    for user in users:
        if len({(item.type, item.id) for item in user.items}) < len(user.items):
            raise _NoFit("a user has an item twice")
    if len({user.user_id for user in users}) < len(users):
        raise _NoFit("a user comes twice")
    return _Reading(page, users)


def _best_fields(document: wire.Row, configured: UsageFields, mask: Mask, people: dict[int, int | None]) -> UsageFields:
    """bridge.toml's own fields if the answer can be read by them, else the best that are found.

    Raises:
        _NoFit: none fit, or there is nothing in the answer to tell by.
    """
    try:
        users = _read(document, configured, 1).users
    except Incomplete:
        return _found_fields(document, FieldSearch(configured, mask.shows), people)
    if not users:
        raise _NothingUsed("nothing was used in that month: try again with the --month of one in which something was")
    return configured


def _found_fields(document: wire.Row, search: FieldSearch, people: dict[int, int | None]) -> UsageFields:
    """The first fields by which servers have the tokens that they must have, or else the first that are of tokens."""
    second_best, strangers = None, False
    for fields in itertools.islice(search.proposals(document), _MOST_PROPOSALS):
        try:
            users = _read(document, fields, 1).users
        except (Incomplete, _NoFit):
            continue
        if not _names_people(users, people, fields):
            strangers = strangers or search.is_of_tokens(fields)
        elif (agrees := _agrees(users)) or (agrees is None and search.is_of_tokens(fields)):
            if agrees:
                return fields
            second_best = second_best or fields
    if second_best is not None:
        return second_best
    if strangers:
        raise _NoFit("its users are not those of GET users, or belong to other clients there")
    if not search.tells_pages(document):
        raise _NoFit("it does not say how many rows and pages there are, so nobody knows whether it is whole")
    raise _NoFit("it has no items, or not all of them that an invoice needs; sums per user cannot be invoiced")


def _names_people(users: list[UserUsage], people: dict[int, int | None], fields: UsageFields) -> bool:
    """Whether the feed's users are those of the list of users, with the same clients."""
    known = [user for user in users if user.user_id in people]
    if not fields.billing_user:
        return bool(known)
    return bool(known) and all(people[user.user_id] == user.billing_user_id for user in known)


def _agrees(users: list[UserUsage]) -> bool | None:
    """Whether the tokens of any server are what its hours and prices make; None if none has hours and prices."""
    servers = [item for user in users for item in user.items if item.server and item.tokens]
    if not servers:
        return None
    return any(computed_tokens(item) == item.tokens for item in servers)


def _keys_of(fields: UsageFields) -> frozenset[str]:
    """The keys that bridge.toml names, which are nobody's secret."""
    return frozenset(key for path in attrs.astuple(fields) for key in path.split("."))
