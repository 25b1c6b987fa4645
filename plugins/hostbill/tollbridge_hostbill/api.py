"""HostBill's admin API: one POST for each call, credentials in its body, and a no in one of several shapes.

HostBill's API reference (api2.hostbillapp.com). HTTP statuses are not documented there, and a no comes with 200.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tollbridge import NotFound, OutcomeUnknown, Refused, Unavailable
from tollbridge.http import Answer, Http, Retry
from tollbridge.reading import Row, records, text, whole
from tollbridge_hostbill.settings import HostBillSettings

_WALKS = 5
# So many old rows in a row, and what follows is old, too. A human may have given single ones an older date.
_ENOUGH_OLD = 100
# Pages begin at 0 or at 1, so one may come twice; after two that bring nothing new there is nothing more.
_BARREN = 2
_ABSENT = re.compile(
    r"(client|customer|account|contact|invoice)( with (this|that|given) id)?"
    r" (was |is )?(not found|does(n't| not) exist)\W*|no such (client|invoice)\W*|invalid (client|invoice)[ _]?id\W*",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(api|ip|permissions?|privileges?|unauthori[sz]ed|forbidden|function|method|call)\b"
    r"|not (allowed|permitted)|access (denied|restricted)",
    re.IGNORECASE,
)
_DONE = {"1", "true"}
_NOT_DONE = {"", "0", "false"}


class SaidNo(Refused):
    """HostBill understood the call, and said no."""


class Denied(Refused):
    """HostBill does not let this API key make the call: nothing is said about what was asked."""


class Api:
    """Calls of one HostBill, safe to make from several threads."""

    def __init__(self, settings: HostBillSettings, retry: Retry | None = None) -> None:
        self.http = Http(settings.url, service="HostBill", ca_file=settings.ca_file, retry=retry, readable=_is_a_no)
        self._credentials = {
            "api_id": settings.api_id.reveal(),
            "api_key": settings.api_key.reveal(),
            "outputformat": "json",
        }

    def read(self, call: str, **fields: Any) -> dict[str, Any]:
        """A call that changes nothing, repeated if need be.

        Raises:
            NotFound: there is no such client or invoice.
            Refused: HostBill said no, in its own words; Denied, if it is no to the API key.
            Unavailable: it cannot be reached, or its answer cannot be read.
        """
        return _document(self._post(call, fields, repeatable=True), call)

    def write(self, call: str, **fields: Any) -> dict[str, Any]:
        """A call that changes something, sent once.

        Raises:
            Refused, NotFound: HostBill said that it did nothing.
            OutcomeUnknown: there is no answer, or none that can be read.
        """
        answer = self._post(call, fields, repeatable=False)
        if answer.status >= 500:
            raise OutcomeUnknown(f"HostBill was sent {call} and answered {answer.status}")
        try:
            return _document(answer, call)
        except OutcomeUnknown:
            raise
        except Unavailable as error:
            raise OutcomeUnknown(f"HostBill was sent {call}, and {error}") from None

    def every(
        self,
        call: str,
        key: str,
        fields: Mapping[str, Any] | None = None,
        *,
        is_old: Callable[[Row], bool] = lambda _row: False,
        uncounted: bool = False,
    ) -> list[dict[str, Any]]:
        """All rows of a list, each once, read again from the beginning if it changed on the way.

        Of a list from the newest number on, it ends where a hundred in a row are old. ``uncounted`` is for a list that
        may come without a ``sorter``: then pages are read until they bring nothing new.

        Raises:
            Unavailable: it would not hold still, or does not say how many rows it has.
            Refused: an answer has no list.
        """
        for _ in range(_WALKS):
            found = self._walk(call, key, fields or {}, is_old, uncounted)
            if found is not None:
                return found
        raise Unavailable(f"HostBill's {call} did not add up {_WALKS} times in a row, so nothing is done with it")

    def _walk(
        self, call: str, key: str, fields: Mapping[str, Any], is_old: Callable[[Row], bool], uncounted: bool
    ) -> list[dict[str, Any]] | None:
        found: dict[int, dict[str, Any]] = {}
        total: int | None = None
        page, barren, old = 0, 0, 0
        last: int | None = None
        while barren < _BARREN:
            answer = self.read(call, **fields, **({"page": page} if page else {}))
            before, total = total, _total(answer)
            if total is None and not uncounted:
                raise Unavailable(f"HostBill's answer to {call} does not say how many rows there are")
            if page and before != total:
                return None
            known = len(found)
            for row in records(told(answer, key, f"the list of {call}"), key):
                number = whole(row, "id", f"a row of {call}")
                if number not in found:
                    old = old + 1 if is_old(row) and (last is None or number < last) else 0
                    last = number
                found[number] = row
            if total is not None and len(found) >= total:
                return list(found.values()) if len(found) == total else None
            if old >= _ENOUGH_OLD:
                return list(found.values())
            barren = barren + 1 if len(found) == known else 0
            page = _next(answer, page)
        return list(found.values()) if total is None else None

    def _post(self, call: str, fields: Mapping[str, Any], *, repeatable: bool) -> Answer:
        form = {**self._credentials, "call": call, **fields}
        return self.http.request("POST", "api.php", form=form, repeatable=repeatable)


def told(answer: Row, key: str, what: str) -> Any:
    """What stands under ``key``, which may be nothing at all.

    Raises:
        Refused: there is no such key, which does not say that there is no such thing.
    """
    if key not in answer:
        raise Refused(f"HostBill was asked for {what}, and its answer has no {key}, which says nothing")
    return answer[key]


def _is_a_no(answer: Answer) -> bool:
    """Whether a 5xx says in HostBill's own form that it failed: then asking again does not help."""
    try:
        document = json.loads(answer.content)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("success") is False


def _total(answer: Row) -> int | None:
    sorter = answer.get("sorter")
    if not isinstance(sorter, dict) or not text(sorter, "sorterrecords"):
        return None
    return whole(sorter, "sorterrecords", "a sorter")


def _next(answer: Row, page: int) -> int:
    """The page to ask for next. The first one is asked for without a number, so its answer says what the second is."""
    if page:
        return page + 1
    sorter = answer.get("sorter")
    told = text(sorter, "sorterpage") if isinstance(sorter, dict) else ""
    return max(1, int(told)) if told.isdecimal() else 1


def _document(answer: Answer, call: str) -> dict[str, Any]:
    """The answer, if it says of itself that it is a success."""
    document = answer.json()
    if not isinstance(document, dict):
        raise Unavailable(f"HostBill answered {call} with JSON that is not an object")
    said = "; ".join(_reasons(document))
    if answer.status in {401, 403}:
        raise _denied(call, said or f"HTTP {answer.status}")
    success = text(document, "success").lower()
    if success in _DONE and answer.ok:
        return document
    if success not in _NOT_DONE or ("success" not in document and not said):
        raise Unavailable(f"HostBill's answer to {call} says neither that it was done nor that it was not")
    if _ABSENT.fullmatch(said):
        raise NotFound(f"HostBill: {said}")
    if _DENIED.search(said):
        raise _denied(call, said)
    raise SaidNo(f"HostBill refused {call}: {said or f'HTTP {answer.status} without a reason'}")


def _denied(call: str, said: str) -> Denied:
    return Denied(
        f"HostBill does not let us call {call}: {said} (look at api_id and api_key, and at the key's functions and"
        f" addresses under API Access)"
    )


def _reasons(document: Row) -> Iterator[str]:
    """The texts of ``error``: a text, a list of them, or an object of either; ``errMsg`` has been seen, too."""
    for key in ("error", "errMsg"):
        yield from _texts(document.get(key))


def _texts(value: Any) -> Iterator[str]:
    inner = list(value.values()) if isinstance(value, dict) else value
    if isinstance(inner, list):
        for each in inner:
            yield from _texts(each)
    elif inner not in {None, "", False, True}:
        yield str(inner).strip()
