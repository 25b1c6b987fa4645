"""A small company whose books have something of everything, and the operator's browser."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs
import httpx

from tests.server.pages.reading import Element, read
from tests.small_world import SmallWorld, a_small_world
from tollbridge.jobs.parts import Parts
from tollbridge.loopback import running as serving
from tollbridge.server.app import create_app

TOKEN = "the-operators-own-token"
NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
OPERATOR = f"""
[operator]
token = "{TOKEN}"
"""


@attrs.define
class Office:
    """The company, its parts, and where its bridge is served."""

    world: SmallWorld
    parts: Parts
    url: str
    now: datetime = NOW

    def browser(self, language: str = "en", **headers: str) -> "Operator":
        """Somebody's browser, with no cookies yet."""
        asked = {"Accept-Language": language, "Connection": "close", **headers}
        return Operator(httpx.Client(base_url=self.url, headers=asked, timeout=30))

    def operator(self, language: str = "en") -> "Operator":
        """A browser that is logged in."""
        made = self.browser(language)
        assert made.log_in().status_code == 303
        return made


@attrs.define
class Operator:
    """A browser without eyes."""

    http: httpx.Client

    def log_in(self, token: str = TOKEN) -> httpx.Response:
        return self.http.post("/operator/login", data={"token": token})

    def get(self, path: str) -> httpx.Response:
        return self.http.get(f"/operator{path}")

    def page(self, path: str = "") -> Element:
        """A page, read as strictly as HTML is; inline SVG closes what it opens as HTML does."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return read(re.sub(r"<(line|rect)( [^>]*)/>", r"<\1\2></\1>", answer.text))

    def table(self, path: str, name: str) -> list[dict[str, str]]:
        """A table as CSV, by its header."""
        mark = "&" if "?" in path else "?"
        answer = self.get(f"{path}{mark}csv={name}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(answer.text)))


@contextmanager
def an_office(folder: Path, ledger_url: str = "", more: str = "") -> Iterator[Office]:
    """Three months of a company, June to August 2026, on the morning of 2 September.

    Client 1 pays, 2 never does and is suspended, 3 used next to nothing, 4 pays in euros, 5's invoice of August waits
    for somebody's word, and user 99 belongs to nobody.
    """
    billing = 'hold_above = "5"\nminimum = { USD = "1.00" }'
    with a_small_world(folder, ledger_url, billing=billing, more=OPERATOR + more) as world:
        for number in (1, 2, 3):
            world.client_with_server(number, hours=3 if number == 3 else 700)
        world.client_with_server(4, currency="EUR")
        world.client_with_server(5, hours=10)
        stranger = world.panel.add_user("stranger@example.com").id
        world.run_server(stranger, 5, name="stray")
        world.at("2026-07-01")
        world.daily("2026-07-01")
        for user in world.panel.users:
            if user.billing_user_id:
                world.run_server(user.id, 400 if user.billing_user_id != 3 else 2, name=f"july-{user.billing_user_id}")
        world.at("2026-08-01")
        _pay(world, 1, 4, 5)
        world.daily("2026-08-01")
        _pay(world, 1, 4)
        for user in world.panel.users:
            if user.billing_user_id in {1, 5}:
                world.run_server(user.id, 700, name=f"august-{user.billing_user_id}")
        with world.parts() as parts, serving(create_app(parts, lambda: NOW)) as url:
            world.at("2026-09-02")
            world.daily("2026-09-02")
            yield Office(world, parts, url)


def _pay(world: SmallWorld, *client_ids: int) -> None:
    for booked in world.books.invoices:
        if booked.client_id in client_ids:
            world.books.pay(booked.reference)
