"""Blesta's API: ``{model}/{method}.json``, arguments by their PHP names, and errors under any status.

Blesta's developer documentation, "API". Reading calls go by GET; what changes something, or holds a password, by POST,
which keeps it out of addresses and logs of addresses.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tollbridge import OutcomeUnknown, Refused, Unavailable
from tollbridge.http import Answer, Http, Retry
from tollbridge.reading import records, whole
from tollbridge_blesta.settings import BlestaSettings

_WALKS = 5
# So many old rows in a row, and what follows is old, too. A human may have given single ones an older date.
_ENOUGH_OLD = 100
_BY_NUMBER = {"id_code": "asc"}
_NEWEST_FIRST = {"id": "desc"}
# Arguments that are left to their defaults, where that is possible; 0 is PHP's false, and the text "false" is not.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "companies/getSettings": {"ignore_inheritence": 0},
    "clients/getByUserId": {"get_settings": 0},
    "clients/getCustomFields": {"options": ""},
    "invoices/get": {"use_cache": 0},
}


class Api:
    """Calls of one Blesta, safe to make from several threads."""

    def __init__(self, settings: BlestaSettings, retry: Retry | None = None) -> None:
        self.http = Http(
            f"{settings.url.rstrip('/')}/api",
            service="Blesta",
            headers={"BLESTA-API-USER": settings.user, "BLESTA-API-KEY": settings.key.reveal()},
            ca_file=settings.ca_file,
            retry=retry,
            readable=_lacks_arguments,
        )

    def read(self, method: str, **arguments: Any) -> Any:
        """What a reading method returns; ``false`` and ``null`` as None.

        Arguments that are None are left out, unless Blesta wants every one of them.

        Raises:
            Refused: Blesta said no, in its own words.
            Unavailable: it cannot be reached, or its answer cannot be read.
        """
        return _response(self._send("GET", method, arguments, repeatable=True), method)

    def ask(self, method: str, **arguments: Any) -> Any:
        """As :meth:`read`, for arguments that must not stand in an address."""
        return _response(self._send("POST", method, arguments, repeatable=True), method)

    def write(self, method: str, **arguments: Any) -> Any:
        """What a changing method returns; it is sent once.

        Raises:
            Refused: Blesta said that it did nothing.
            OutcomeUnknown: there is no answer, or none that can be read.
        """
        answer = self._send("POST", method, arguments, repeatable=False)
        try:
            return _response(answer, method)
        except OutcomeUnknown:
            raise
        except Unavailable as error:
            raise OutcomeUnknown(f"Blesta was sent {method}, and {error}") from None

    def count(self, model: str, **arguments: Any) -> int:
        """What the model's ``getListCount`` says; Unavailable if it is no number."""
        answer = {"count": self.read(f"{model}/getListCount", **arguments)}
        try:
            return whole(answer, "count", model)
        except Refused as error:
            raise Unavailable(f"Blesta does not say how many {model} there are: {error}") from None

    def every(self, model: str, **arguments: Any) -> list[dict[str, Any]]:
        """All rows of the model's ``getList``, as many as its ``getListCount`` says, read again if they changed.

        Raises:
            Unavailable: they would not hold still.
        """
        for _ in range(_WALKS):
            count = self.count(model, **arguments)
            rows = self._pages(model, count, arguments, _BY_NUMBER)
            found = {whole(row, "id", f"a row of {model}"): row for row in rows}
            if len(found) == count:
                return list(found.values())
        raise _unstable(model)

    def newest(self, model: str, is_old: Callable[[dict[str, Any]], bool], **arguments: Any) -> list[dict[str, Any]]:
        """The rows of the model's ``getList`` from the newest on, down to where a hundred in a row are old.

        Raises:
            Unavailable: they would not hold still.
        """
        for _ in range(_WALKS):
            count = self.count(model, **arguments)
            found: dict[int, dict[str, Any]] = {}
            old, last = 0, None
            for row in self._pages(model, count, arguments, _NEWEST_FIRST):
                number = whole(row, "id", f"a row of {model}")
                found[number] = row
                old = old + 1 if is_old(row) and (last is None or number < last) else 0
                last = number
                if old == _ENOUGH_OLD:
                    break
            if len(found) == count or (old == _ENOUGH_OLD and self.count(model, **arguments) == count):
                return list(found.values())
        raise _unstable(model)

    def _pages(
        self, model: str, count: int, arguments: Mapping[str, Any], order: Mapping[str, str]
    ) -> Iterator[dict[str, Any]]:
        page, read = 1, 0
        while read < count:
            rows = records(self.read(f"{model}/getList", page=page, order_by=order, **arguments))
            if not rows:
                return
            yield from rows
            page, read = page + 1, read + len(rows)

    def _send(self, verb: str, method: str, arguments: Mapping[str, Any], *, repeatable: bool) -> Answer:
        answer = self._once(verb, method, _nested(arguments), repeatable=repeatable)
        if answer.status >= 500 and not repeatable:
            raise OutcomeUnknown(f"Blesta was sent {method} and answered {answer.status}")
        if answer.status >= 500:
            # Encoded builds cannot read the defaults of arguments that are left out.
            given = {name: "" if value is None else value for name, value in arguments.items()}
            answer = self._once(verb, method, _nested({**_DEFAULTS.get(method, {}), **given}), repeatable=repeatable)
        if answer.status >= 500:
            raise Refused(f"Blesta wants an argument of {method} that this adapter does not know (HTTP 500)")
        return answer

    def _once(self, verb: str, method: str, fields: dict[str, Any], *, repeatable: bool) -> Answer:
        where = {"params": fields} if verb == "GET" else {"form": fields}
        return self.http.request(verb, f"{method}.json", repeatable=repeatable, **where)


def _unstable(model: str) -> Unavailable:
    return Unavailable(f"Blesta's list of {model} did not add up {_WALKS} times in a row, so nothing is done with it")


def _nested(arguments: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """Arguments as PHP takes them in a form: ``vars[lines][0][amount]``; what is None is left out."""
    flat: dict[str, Any] = {}
    for key, value in arguments.items():
        path = f"{name}[{key}]" if name else str(key)
        if isinstance(value, list | tuple):
            value = dict(enumerate(value))  # noqa: PLW2901 - PHP's arrays are both
        if isinstance(value, Mapping):
            flat |= _nested(value, path)
        elif value is not None:
            flat[path] = str(value).lower() if isinstance(value, bool) else value
    return flat


def _lacks_arguments(answer: Answer) -> bool:
    return answer.status == 500 and b"retrieve the default value" in answer.content


def _response(answer: Answer, method: str) -> Any:
    """``response`` of an answer without ``errors``, which may come with HTTP 200, too."""
    document = answer.json()
    if not isinstance(document, dict):
        raise Unavailable(f"Blesta answered {method} with JSON that is not an object")
    reasons = list(_reasons(document))
    if answer.status in {401, 403}:
        raise Refused(f"Blesta does not let us call {method} ({answer.status}): look at user and key")
    if reasons or not answer.ok:
        said = "; ".join(reasons) or str(document.get("message") or f"HTTP {answer.status}")
        raise Refused(f"Blesta refused {method}: {said}")
    if "response" not in document:
        raise Unavailable(f"Blesta's answer to {method} has no response in it")
    found = document["response"]
    return None if found is False else found


def _reasons(document: Mapping[str, Any]) -> Iterator[str]:
    """The texts of ``errors{field{rule}}``, or of whatever else stands there; older versions nest it under a model."""
    errors = document.get("errors")
    if not errors and "response" not in document:
        errors = next(
            (each["errors"] for each in document.values() if isinstance(each, dict) and "errors" in each), None
        )
    if not isinstance(errors, dict):
        yield from [str(errors)] if errors else []
        return
    for field, rules in errors.items():
        for words in rules.values() if isinstance(rules, dict) else [rules]:
            yield f"{field}: {words}"
