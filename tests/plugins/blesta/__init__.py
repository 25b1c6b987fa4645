"""What the tests of the sandbox share: a caller who knows nothing but Blesta's documentation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from tests.plugins import TLS
from tollbridge_blesta.sandbox import Install, running

Fields = dict[str, Any]


def form(fields: Fields, name: str = "") -> dict[str, str]:
    """Nested fields in PHP's brackets, as ``vars[lines][0][qty]``."""
    flat: dict[str, str] = {}
    for key, value in fields.items():
        place = f"{name}[{key}]" if name else str(key)
        if isinstance(value, list):
            value = dict(enumerate(value))  # noqa: PLW2901
        flat |= form(value, place) if isinstance(value, dict) else {place: str(value)}
    return flat


@attrs.frozen
class Api:
    """An install, and its API over HTTP."""

    install: Install
    url: str
    http: httpx.Client

    def ask(self, name: str, **fields: Any) -> httpx.Response:
        """A GET and all of its answer."""
        return self.http.get(f"/api/{name}.json", params=form(fields))

    def tell(self, name: str, **fields: Any) -> httpx.Response:
        """A POST and all of its answer."""
        return self.http.post(f"/api/{name}.json", data=form(fields))

    def get(self, name: str, **fields: Any) -> Any:
        """What a GET responds with."""
        return self._response(self.ask(name, **fields))

    def post(self, name: str, **fields: Any) -> Any:
        """What a POST responds with."""
        return self._response(self.tell(name, **fields))

    def refused(self, name: str, **fields: Any) -> dict[str, list[str]]:
        """The rules that a POST breaks, by field."""
        answer = self.tell(name, **fields)
        assert answer.status_code == 400, answer.text
        return {field: sorted(rules) for field, rules in answer.json()["errors"].items()}

    def _response(self, answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"response"}
        return answer.json()["response"]


@contextmanager
def served(install: Install) -> Iterator[Api]:
    """The install over HTTP."""
    headers = {"BLESTA-API-USER": install.user, "BLESTA-API-KEY": install.key}
    with running(install) as url, httpx.Client(verify=TLS, base_url=url, headers=headers) as http:
        yield Api(install, url, http)


def invoice(client_id: int = 1, *lines: Fields, **fields: Any) -> Fields:
    """An invoice's ``vars``, by default with one taxed line of 10."""
    line = {"description": "Server web-1", "qty": "1", "amount": "10.00", "tax": "true"}
    return {
        "client_id": client_id,
        "status": "active",
        "currency": "USD",
        "date_billed": "2026-07-01T00:00:00Z",
        "date_due": "2026-07-15T00:00:00Z",
        "lines": [{**line, **changed} for changed in lines or ({},)],
        **fields,
    }
