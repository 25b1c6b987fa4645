"""Whatever servers go through and whenever the meter looks: at least ≤ what the sandbox itself meters ≤ at most.

What a meter that only looks now and then can know has one condition: between two snapshots nothing of a server changes
twice. So whatever a server is about to go through, if it went through something since the last look, the meter looks
first; and a server that was made is seen before anything becomes of it.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.looking import look
from tests.world import new_ledger
from tollbridge.config import MeterSettings
from tollbridge.ledger import Ledger
from tollbridge.secret import DatabaseUrl
from tollbridge.solus.sandbox import Panel, Server
from tollbridge.usage.meter import metered_items

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
BEFORE, AFTER = JUNE - timedelta(days=2), JULY + timedelta(hours=5)
USERS, PLANS = 3, 5


@attrs.define
class Life:
    """A panel with a ledger that meters it; ``touched`` are the servers that changed since the last look."""

    panel: Panel
    ledger: Ledger
    dense: bool
    touched: set[int] = attrs.Factory(set)

    def look(self) -> None:
        look(self.ledger, self.panel)
        self.touched.clear()

    def change(self, what: str, which: int, value: int) -> None:
        """Do one thing: make a server, change one, or the price of a plan and with it all that are on it."""
        panel, servers = self.panel, self.panel.servers
        plan_id = 1 + value % PLANS
        if what == "price":
            changed = {server.id for server in servers if server.plan_id == plan_id}
        else:
            changed = {servers[which % len(servers)].id} if servers and what != "make" else set()
        if self.dense or changed & self.touched:
            self.look()
            panel.advance(timedelta(0) if self.dense else timedelta(seconds=1))
        if what == "make":
            changed = {self._made(2 + value % USERS, plan_id, value).id}
        elif what == "price":
            panel.update_plan(plan_id, tokens_per_hour=value % 40, backup_price=Decimal(value % 13))
        elif changed:
            self._changed(what, panel.server(min(changed)), value)
        self.touched |= changed
        if self.dense:
            self.look()

    def _made(self, user_id: int, plan_id: int, value: int) -> Server:
        more: dict[str, Any] = {"backups": value % 4 == 0, "additional_ips": value % 2, "started": value % 3 > 0}
        return self.panel.create_server(user_id, plan_id, f"web-{value}", **more)

    def _changed(self, what: str, server: Server, value: int) -> None:
        panel = self.panel
        addresses = server.additional_ips
        changes: dict[str, Callable[[], object]] = {
            "start": lambda: panel.start_server(server.id),
            "stop": lambda: panel.stop_server(server.id),
            "resize": lambda: panel.resize_server(server.id, 1 + value % PLANS),
            "move": lambda: panel.move_server(server.id, 2 + value % USERS),
            "backups": lambda: panel.update_server(server.id, backups=not server.backups),
            "fewer": lambda: panel.remove_ips(server.id, [address.id for address in addresses[:1]]),
            "more": lambda: panel.add_ips(server.id, 1 + value % 2),
            "delete": lambda: panel.delete_server(server.id),
        }
        changes[what]()

    def truth(self) -> dict[tuple[int, str, int], int]:
        return {
            (row["user_id"], item["type"], item["id"]): item["tokens"]
            for row in self.panel.usage(JUNE, JULY)
            for item in row["items"]
        }

    def bounds(self) -> dict[tuple[int, str, int], tuple[int, int]]:
        found = metered_items(self.ledger, MeterSettings(), JUNE, JULY)
        return {key: (bounds.item.tokens, bounds.most) for key, bounds in found.items()}


@contextmanager
def a_life(*, dense: bool) -> Iterator[Life]:
    """Three users and five plans of every kind, two days before June, seen once."""
    panel = Panel(BEFORE, per_page=100)
    for number in range(USERS):
        panel.add_user(f"user{number}@example.com")
    panel.add_plan("Small", 7, 5000, backup_price="10", ip_tokens_per_hour=1, ip_tokens_per_month=300)
    panel.add_plan("Large", 28, 20000, backup_price="3.14", ip_tokens_per_hour=2)
    panel.add_plan("Uncapped", 5, 0, backup_price="20", ip_tokens_per_month=50)
    panel.add_plan("Flat", 0, 3000, backup_price="10")
    panel.add_plan("Free", 0, 0)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        file.write_bytes(new_ledger())
        with closing(Ledger.open(DatabaseUrl(f"sqlite:///{file}"))) as ledger:
            ledger.database.engine.dispose()
            sa.event.listen(ledger.database.engine, "connect", _hasty)
            life = Life(panel, ledger, dense)
            life.look()
            yield life


def _hasty(connection: Any, _: Any) -> None:
    """A ledger that nobody needs after a power failure."""
    connection.execute("PRAGMA synchronous=OFF")


CHANGES = st.tuples(
    st.sampled_from(["make", "make", "start", "stop", "resize", "move", "backups", "more", "fewer", "delete", "price"]),
    st.integers(0, 5),
    st.integers(0, 60),
)
# Steps of seconds, of minutes, of exactly so many hours, of days: at exact hours, rounding is easiest got wrong.
STEPS = st.one_of(
    st.integers(1, 90).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(1, 200).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(1, 30).map(lambda hours: timedelta(hours=hours)),
    st.integers(1, 12).map(lambda days: timedelta(days=days)),
)
LIVES = st.lists(st.tuples(STEPS, CHANGES, st.booleans()), max_size=14)


def _lived(life: Life, steps: list[tuple[timedelta, tuple[str, int, int], bool]]) -> None:
    for step, change, looks in steps:
        if life.panel.now + step >= AFTER:
            break
        life.panel.advance(step)
        life.change(*change)
        if looks:
            life.panel.advance(timedelta(minutes=7))
            life.look()
    if life.panel.now < AFTER:
        life.panel.set_time(AFTER)
    life.look()


@settings(max_examples=60, deadline=None)
@given(LIVES)
def test_what_was_used_lies_between_at_least_and_at_most(
    steps: list[tuple[timedelta, tuple[str, int, int], bool]],
) -> None:
    with a_life(dense=False) as life:
        _lived(life, steps)
        truth, bounds = life.truth(), life.bounds()
    for key in truth.keys() | bounds.keys():
        used, (least, most) = truth.get(key, 0), bounds.get(key, (0, 0))
        assert least <= used <= most, (key, least, used, most)


@settings(max_examples=40, deadline=None)
@given(LIVES)
def test_with_a_look_before_and_after_every_change_they_meet(
    steps: list[tuple[timedelta, tuple[str, int, int], bool]],
) -> None:
    with a_life(dense=True) as life:
        _lived(life, steps)
        truth, bounds = life.truth(), life.bounds()
    for key in truth.keys() | bounds.keys():
        used: Any = truth.get(key, 0)
        assert bounds.get(key, (0, 0)) == (used, used), key
