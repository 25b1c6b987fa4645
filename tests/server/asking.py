"""SolusIO's side of a price look-up, and a billing system that counts how often it is asked."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import attrs
import httpx
import sqlalchemy as sa

from tests.world import World
from tollbridge import Client, Currency, Invoice, NotFound, Receipt, Terms, Unavailable, hookimpl
from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import plugin_manager
from tollbridge.loopback import running
from tollbridge.server.app import create_app

ADDRESS = "/solusio/api/"
WHMCS_ADDRESS = "/modules/addons/solusio/api/"


def form(userid: object = 1042, **more: str) -> dict[str, str]:
    """What SolusIO sends."""
    return {"action": "GetTokenPricing", "userid": str(userid), "token": "bridge-token", **more}


def ask(url: str, userid: object = 1042, *, address: str = ADDRESS, **more: str) -> httpx.Response:
    """One look-up, as SolusIO makes it."""
    return httpx.post(url + address, data=form(userid, **more), timeout=30)


def exact(answer: httpx.Response) -> Any:
    """The answer with every number as it was written."""
    return json.loads(answer.content, parse_float=Written, parse_int=Written)


class Written(str):
    """A JSON number's own characters."""

    __slots__ = ()


def metric(url: str, name: str, **labels: str) -> float:
    """One figure of /metrics; 0 if it is not there."""
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    for line in httpx.get(f"{url}/metrics").text.splitlines():
        if line.startswith(f"{name}{{{wanted}}} "):
            return float(line.rpartition(" ")[2])
    return 0.0


@contextmanager
def endpoint(world: World) -> Iterator[str]:
    """The server over the world's own billing database; its base URL."""
    with world.parts() as parts, running(create_app(parts)) as url:
        yield url


class CountingAdapter:
    """Clients in memory; it can be down, and it can hold its answers back."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.asked_for_currencies = 0
        self.at_this_moment = self.most_at_once = 0
        self.down = False
        self.known = {1042: Client(1042, "a@example.com", "USD"), 1043: Client(1043, "b@example.com", "EUR")}
        self.prices = {1042: Decimal("0.5"), 1043: Decimal("0.25")}
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._lock = threading.Lock()
        self._was_asked = threading.Semaphore(0)

    def wait_for(self, questions: int) -> None:
        """Wait until it was asked so often."""
        for _ in range(questions):
            assert self._was_asked.acquire(timeout=30)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        with self._lock:
            self.asked.append(client_id)
            self.at_this_moment += 1
            self.most_at_once = max(self.most_at_once, self.at_this_moment)
        self._was_asked.release()
        self.may_answer.wait(30)
        with self._lock:
            self.at_this_moment -= 1
        if self.down:
            raise Unavailable("the billing system is down")
        return self.known.get(client_id)

    @hookimpl
    def clients(self) -> list[Client]:
        return list(self.known.values())

    @hookimpl
    def currencies(self) -> list[Currency]:
        with self._lock:
            self.asked_for_currencies += 1
        if self.down:
            raise Unavailable("the billing system is down")
        return []

    @hookimpl
    def terms(self, client: Client) -> Terms:
        return Terms()

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        raise NotFound("nobody is invoiced here")

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        return None

    @hookimpl
    def unpaid_invoices(self) -> list[Receipt]:
        return []


@contextmanager
def counting(world: World, **server: Any) -> Iterator[tuple[str, CountingAdapter]]:
    """The server over a counting billing system, and that; ``server`` are keys of [server]."""
    with world.parts() as parts:
        manager = plugin_manager("counting", CountingAdapter, None)
        adapter = manager.get_plugin("counting")
        assert isinstance(adapter, CountingAdapter)
        settings = attrs.evolve(parts.settings, server=attrs.evolve(parts.settings.server, **server))
        changed = attrs.evolve(parts, settings=settings, billing=BillingSystem("counting", manager))
        with running(create_app(changed)) as url:
            yield url, adapter


def raw(url: str, request: bytes, *, end: bool = False) -> bytes:
    """Whatever comes back for the bytes of ``request``; with ``end`` the sending side is closed after them."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


@contextmanager
def out_of_reach(url: str) -> Iterator[None]:
    """The database under another name for a while, and every connection to it cut."""
    name = sa.make_url(url).database
    engine = sa.create_engine(sa.make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(sa.text(cut), {"name": name})
        try:
            yield
        finally:
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    engine.dispose()
