"""SolusIO's API as calls: bearer token, envelopes, error bodies, and paging that proves it is complete."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import blake2b
from typing import Any, TypeVar

import attrs

from tollbridge.config import SolusSettings
from tollbridge.errors import Incomplete, NotFound, OutcomeUnknown, Refused, Unavailable
from tollbridge.http import Answer, Http, InProcess, Retry
from tollbridge.secret import redact
from tollbridge.solus import wire
from tollbridge.words import printable

Value = TypeVar("Value")

_WHOLE_LIST_TRIES = 3


@attrs.frozen
class Page:
    """One page of a list: its rows, how many there are on all pages, and the number of the last one."""

    rows: list[wire.Row]
    total: int
    last: int


@attrs.frozen
class Envelope:
    """Where an answer has its list's rows and numbers, as dotted paths; SolusIO's usual ones.

    ``last_page`` empty: it is computed from ``total`` and ``per_page``. ``current_page`` empty: it is not checked.
    """

    rows: str = "data"
    total: str = "meta.total"
    last_page: str = "meta.last_page"
    current_page: str = "meta.current_page"
    per_page: str = ""

    def page(self, document: wire.Row, number: int, path: str) -> Page:
        """The page with that number, read from the answer to the list at ``path``.

        Raises:
            Incomplete: a number or the rows are not there, or it is another page.
        """
        where = f"the list of {path}"
        total = wire.whole(document, self.total, where)
        if self.last_page:
            last = wire.whole(document, self.last_page, where)
        else:
            size = wire.whole(document, self.per_page, where)
            if not size:
                raise Incomplete(f"SolusIO says that a page of {path} has no rows ({self.per_page!r} is 0)")
            last = max(1, -(-total // size))
        if self.current_page and wire.whole(document, self.current_page, where) != number:
            raise Incomplete(f"SolusIO answered another page of {path} than page {number}, which was asked for")
        return Page(wire.rows(document, self.rows, where), total, last)


_USUAL = Envelope()


class Panel:
    """One SolusIO panel, below ``{url}/api/v1/``."""

    def __init__(self, settings: SolusSettings, retry: Retry | None = None, transport: InProcess | None = None) -> None:
        self._http = Http(
            f"{settings.url.rstrip('/')}/api/v1/",
            service="SolusIO",
            headers={"Authorization": f"Bearer {settings.api_token.reveal()}"},
            ca_file=settings.ca_file,
            retry=retry,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> wire.Row:
        """One call on a single thing; its ``data`` (or the answer itself if it has none), nothing after DELETE.

        Raises:
            NotFound: 404.
            Refused: any other 4xx, with SolusIO's own words.
            Unavailable, OutcomeUnknown: as :meth:`tollbridge.http.Http.request`; a POST whose answer cannot be read
                has an unknown outcome, a PUT or PATCH that is answered with nothing was done.
        """
        answer = self._http.request(method, path, json=body)
        _raise_for(answer, f"{method} {path}")
        if method == "DELETE" or (method in {"PUT", "PATCH"} and _says_nothing(answer)):
            return {}
        try:
            document = _document(answer)
            return wire.table(document, "data", "an answer") if "data" in document else document
        except Unavailable as error:
            if method == "POST":
                raise OutcomeUnknown(f"{error} (after {method} {path})") from None
            raise

    def rows(
        self,
        path: str,
        params: dict[str, Any] | None = None,
        *,
        key: str = "id",
        page_parameter: str = "page",
        envelope: Envelope = _USUAL,
        at_once: int = 1,
    ) -> Iterator[wire.Row]:
        """Every row of a list, page by page; no two of them have the same ``key``, unless that is empty.

        ``at_once`` is how many pages are asked for at the same time.

        Raises:
            Incomplete: if pages, rows or ``meta`` are missing, rows come twice, or the list grows or shrinks on the
                way; this may show only after the last row, so what was read is worth nothing before the iterator has
                ended by itself.
        """
        seen = _Seen()
        last, total, count = 1, None, 0
        asked = _Pages(lambda page: self._list_page(path, {**(params or {}), page_parameter: page}), at_once)
        for number, document in asked:
            page = envelope.page(document, number, path)
            last, before, total = page.last, total, page.total
            if before not in {None, total}:
                raise Incomplete(f"SolusIO's list of {path} went from {before} to {total} rows while it was read")
            for row in page.rows:
                count += 1
                if key:
                    seen.add(wire.identifier(row, key, f"a row of {path}"), path)
                yield row
            if not page.rows and number < last:
                raise Incomplete(f"SolusIO's page {number} of {last} of {path} is empty")
            asked.last = last
        if count != total:
            raise Incomplete(f"SolusIO says that {path} has {total} rows and gave {count} different ones")

    def whole_list(
        self, path: str, read: Callable[[wire.Row], Value], params: dict[str, Any] | None = None
    ) -> list[Value]:
        """A short list, read again from its beginning if it changed while being read."""
        return again_if_incomplete(lambda: [read(row) for row in self.rows(path, params)])

    def look(self, path: str, params: dict[str, Any] | None = None) -> Answer:
        """Ask for something, whatever the panel answers, to see what it looks like.

        Raises:
            Unavailable, Refused: as :meth:`tollbridge.http.Http.look`.
        """
        return self._http.look(path, params)

    def time(self) -> datetime | None:
        """The panel's own time, from the ``Date`` of a cheap request; None if it sends none.

        Raises:
            Unavailable: it does not answer.
        """
        return self._http.request("GET", "account").date

    def _list_page(self, path: str, params: dict[str, Any]) -> wire.Row:
        answer = self._http.request("GET", path, params=params)
        if answer.status == 404:
            raise Refused(
                f"SolusIO has no list at GET {path} (404): check solus.url and, for usage, [solus.usage]; `tollbridge"
                ' probe` looks for the feed, and where there is none the bridge\'s own meter does: source = "meter"'
            )
        _raise_for(answer, f"GET {path}")
        return _document(answer)


class _Seen:
    """The numbers of rows: bits, in blocks, for panels count upwards, and a list may have a million rows."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, row_id: int, path: str) -> None:
        """Add a number; Incomplete if it is there already."""
        block, bit = row_id >> 10, 1 << (row_id & 1023)
        bits = self._blocks.get(block, 0)
        if bits & bit:
            raise Incomplete(f"SolusIO gave row {row_id} of {path} twice")
        self._blocks[block] = bits | bit


@attrs.define
class _Pages:
    """The pages of a list in order, up to ``last``, which whoever reads them learns from each."""

    ask: Callable[[int], wire.Row]
    at_once: int
    last: int = 1

    def __iter__(self) -> Iterator[tuple[int, wire.Row]]:
        page = 1
        while page == 1 or (self.at_once == 1 and page <= self.last):
            yield page, self.ask(page)
            page += 1
        if page > self.last:
            return
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="tollbridge-pages") as pool:
            while page <= self.last:
                some = range(page, min(page + self.at_once, self.last + 1))
                yield from zip(some, pool.map(self.ask, some), strict=True)
                page = some.stop


def _document(answer: Answer) -> wire.Row:
    document = answer.json()
    if not isinstance(document, dict):
        raise Incomplete("SolusIO answered with JSON that is not an object")
    return document


def _says_nothing(answer: Answer) -> bool:
    """Whether an answer is one of those that mean no more than "done"."""
    return not answer.content.strip() or answer.json() in (None, [], {}, {"data": None}, {"data": []})


def again_if_incomplete(read: Callable[[], Value]) -> Value:
    """The result of ``read``, tried again when a list changed while it was being read, but not for ever."""
    for _ in range(_WHOLE_LIST_TRIES - 1):
        try:
            return read()
        except Incomplete:
            continue
    return read()


@attrs.define
class Tally:
    """What a list came to: its rows, and a digest of them that does not hang on their order."""

    rows: int = 0
    digest: int = 0

    def add(self, mark: object) -> None:
        """Count a row, of which ``mark`` is what matters."""
        self.rows += 1
        hashed = blake2b(repr(mark).encode(), digest_size=32).digest()
        self.digest = (self.digest + int.from_bytes(hashed)) % 2**256


def read_twice(
    read: Callable[[], Iterator[Value]],
    keep: Callable[[Iterator[Value]], object],
    mark: Callable[[Value], object],
    what: str,
) -> Tally:
    """Read a list and prove by a second pass that it is whole: a row may go and another come between two pages.

    Neither pass is held in memory.

    Args:
        read: begins a pass.
        keep: is given the first pass, all of it, and replaces whatever it has been given before.
        mark: what of a row must be the same in both passes.
        what: the list's name in errors.

    Raises:
        Incomplete: after three tries still no two passes agreed, or none came to its end; what was kept is worth
            nothing.
    """

    def once() -> Tally:
        first, second = Tally(), Tally()
        keep(_tallied(read(), mark, first))
        for row in read():
            second.add(mark(row))
        if first != second:
            raise Incomplete(
                f"{what} changed between two passes over it, which had {first.rows} and {second.rows} rows"
            )
        return first

    return again_if_incomplete(once)


def _tallied(rows: Iterator[Value], mark: Callable[[Value], object], tally: Tally) -> Iterator[Value]:
    for row in rows:
        tally.add(mark(row))
        yield row


def _raise_for(answer: Answer, what: str) -> None:
    if answer.ok:
        return
    words = _words(answer)
    if answer.status in {401, 403}:
        raise Refused(
            f"SolusIO does not accept the API token for {what} ({answer.status}{words}): it must belong to an"
            " administrator, and this machine's address must be allowed for it"
        )
    if answer.status == 404:
        raise NotFound(f"SolusIO has nothing at {what} (404{words})")
    raise Refused(f"SolusIO refused {what} ({answer.status}{words})")


def _words(answer: Answer) -> str:
    """SolusIO's own explanation, from ``{"message": …, "errors": {field: [text]}}``, either of which may be absent."""
    try:
        body = answer.json()
    except Unavailable:
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    fields = [
        f"{field}: {' '.join(map(str, texts)) if isinstance(texts, list) else texts}"
        for field, texts in (errors.items() if isinstance(errors, dict) else ())
    ]
    parts = [part for part in [str(body.get("message") or ""), *fields] if part]
    return f": {printable(redact('; '.join(parts)), 300)}" if parts else ""
