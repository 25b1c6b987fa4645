"""What can go wrong in a company, each on its own: planted before or after its second month's end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx
import sqlalchemy as sa

from tests.server.operator.office import OPERATOR, Office
from tests.world import World, a_world
from tollbridge.audit import Sources, audit
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import schema
from tollbridge.ledger.outbox import WEBHOOK, Mail
from tollbridge.loopback import running as serving
from tollbridge.rules.calendar import Month
from tollbridge.server.app import create_app

CLIENTS = 20
TODAY = datetime.now(UTC)
THIS = Month(TODAY.year, TODAY.month)
SECOND, FIRST = THIS.previous, THIS.previous.previous


@attrs.frozen
class Plant:
    """One failure.

    Attributes:
        kind: how the operator's page calls it.
        commands: how those begin that are told with it.
        before: what happens before the second month is billed, or ``after`` it.
    """

    kind: str
    commands: tuple[str, ...]
    before: Callable[[World], None] = lambda _: None
    after: Callable[[World, Parts], None] = lambda _world, _parts: None


def _change(parts: Parts, statement: str, **values: object) -> None:
    with parts.ledger.database.write() as connection:
        connection.execute(sa.text(statement), values)


def _of(client_id: int) -> str:
    return f"client_id = {client_id} AND month = '{SECOND}'"


# Before the second month is billed


def refused(world: World) -> None:
    """The billing system says no to one client's invoice."""
    world.execute(
        "CREATE TRIGGER no BEFORE INSERT ON invoices WHEN NEW.client_id = 5"
        " BEGIN SELECT RAISE(ABORT, 'this client is on hold'); END"
    )


def without_price(world: World) -> None:
    """Two clients pay in a currency that has no price."""
    world.execute("INSERT INTO currencies (code, decimals) VALUES ('CHF', 2)")
    world.execute("UPDATE clients SET currency = 'CHF' WHERE id IN (6, 16)")


def very_much(world: World) -> None:
    """A client uses twenty times as much as before."""
    for number in range(20):
        world.run_server(_user(world, 7), 600, name=f"render-{number}")


def reported_later(world: World) -> None:
    """A large correction of the first month."""
    world.panel.correct_usage(FIRST, 3000, server_id=_server(world, 8))


def taken_back_of_closed(world: World) -> None:
    """Fewer tokens of the first month, of a client who is closed by now."""
    world.panel.correct_usage(FIRST, -100, server_id=_server(world, 9))
    for server in world.panel.tables.servers.rows():
        if server.user_id == _user(world, 9) and server.name != "web-9":
            world.panel.delete_server(server.id)
    world.execute("UPDATE clients SET status = 'closed' WHERE id = 9")


def nobodys(world: World) -> None:
    """A user without a client."""
    world.run_server(world.panel.add_user("stranger@example.com").id, 300, name="stray")


def unpaid(world: World) -> None:
    """Nobody pays any more."""
    world.execute("UPDATE invoices SET status = 'unpaid'")


def whose_lock(world: World) -> None:
    """A lock that the ledger does not know, as after it was lost."""
    with world.parts() as parts:
        parts.ledger.accounts.explain([10], explained=False)
    world.panel.update_user(_user(world, 10), status="locked")


# After it


def other_totals(_world: World, parts: Parts) -> None:
    """Three invoices came to another total than was shown."""
    moment = TODAY.replace(tzinfo=None).isoformat(sep=" ")
    _change(parts, f"UPDATE invoices SET differs_at = :at WHERE month = '{SECOND}' AND client_id < 4", at=moment)


def made_twice(world: World, parts: Parts) -> None:
    """An invoice is there twice."""
    number = _numbers(world, 4)
    words = f"it is in the billing system twice, as {number} and 999: cancel one of them"
    _change(parts, f"UPDATE invoices SET other_billing_id = '999', problem = :words WHERE {_of(4)}", words=words)


def left_in_doubt(_world: World, parts: Parts) -> None:
    """A run died after it had sent an invoice."""
    dead = _dead_run(parts)
    over = (TODAY - timedelta(hours=1)).replace(tzinfo=None).isoformat(sep=" ")
    sent = f"state = 'sending', run_id = {dead}, billing_id = NULL, leased_until = :over, sent_at = :over"
    _change(parts, f"UPDATE invoices SET {sent} WHERE {_of(11)}", over=over)


def gone(world: World, _parts: Parts) -> None:
    """Somebody deleted an invoice."""
    world.execute("DELETE FROM invoice_lines WHERE invoice_id = :id", id=_numbers(world, 12))
    world.execute("DELETE FROM invoices WHERE id = :id", id=_numbers(world, 12))


def audited(_world: World, parts: Parts) -> None:
    """An audit is made, and kept."""
    made = audit(Sources(parts.settings, parts.solus, parts.billing, parts.ledger, parts.usage))
    parts.ledger.runs.keep("audit", TODAY.date(), datetime.now(UTC), made.outcome, made.kept())


def gone_and_audited(world: World, parts: Parts) -> None:
    """The audit finds what somebody deleted."""
    gone(world, parts)
    audited(world, parts)


def mail_stuck(_world: World, parts: Parts) -> None:
    """A mail and a notice that nobody takes."""
    for key, recipient, problem in (
        ("a", "ada@example.com", "the mail server refused the recipient: 550 no such user"),
        ("b", WEBHOOK, "https://hooks.example.com answered 502"),
    ):
        parts.ledger.outbox.put(key, recipient, Mail("s", "t", ""), TODAY)
        _change(parts, "UPDATE mails SET problem = :problem, attempts = 4 WHERE key = :key", problem=problem, key=key)


def meter_off(_world: World, parts: Parts) -> None:
    """The meter ran until two days ago, with a hole of a day in it."""
    with parts.ledger.database.write() as connection:
        hours = [hour for hour in range(24 * 12) if not 24 * 4 < hour < 24 * 5 and hour < 24 * 10]
        start = TODAY - timedelta(days=12)
        rows = [{"taken_at": start + timedelta(hours=hour), "servers": 40} for hour in hours]
        connection.execute(sa.insert(schema.snapshots), rows)


def other_prices(world: World, _parts: Parts) -> None:
    """Somebody changes a price within the month."""
    world.usd = "0.002"


def died(_world: World, parts: Parts) -> None:
    """The last run was killed."""
    _dead_run(parts, ended=False)


def unsent(_world: World, parts: Parts) -> None:
    """An invoice was let go, and no run was since."""
    _change(parts, f"UPDATE invoices SET state = 'written', billing_id = NULL WHERE {_of(13)}")
    _change(parts, f"UPDATE months SET closed_at = NULL WHERE month = '{SECOND}'")


PLANTS = (
    Plant("totals", ("tollbridge price 1", "tollbridge approve totals --reason TEXT"), after=other_totals),
    Plant("wrong", (f"tollbridge explain TB-{SECOND}-4", "tollbridge run"), after=made_twice),
    Plant("refused", (f"tollbridge explain TB-{SECOND}-5", "tollbridge run"), before=refused),
    Plant("doubtful", ("tollbridge run",), after=left_in_doubt),
    Plant("unsent", ("tollbridge run",), after=unsent),
    Plant("month_open", ("tollbridge run",), before=refused),
    Plant("failed", ("tollbridge client 6",), before=without_price),
    Plant("audit_invoices", (f"tollbridge explain TB-{SECOND}-12", "tollbridge audit"), after=gone_and_audited),
    Plant("meter_silent", ("tollbridge meter",), after=meter_off),
    Plant("meter_gaps", (f"tollbridge usage --month {THIS}",), after=meter_off),
    Plant("held", (f"tollbridge approve TB-{SECOND}-7 --reason TEXT",), before=very_much),
    Plant("corrections", (f"tollbridge approve TB-{SECOND}-8 --reason TEXT",), before=reported_later),
    Plant("credits", ("tollbridge write-off",), before=taken_back_of_closed),
    Plant("unbilled", ("tollbridge sync", "tollbridge write-off --user"), before=nobodys),
    Plant("whose", ("tollbridge hold 10 --ours", "tollbridge hold 10 --by-hand"), before=whose_lock),
    Plant("locks", ("tollbridge overdue --confirm",), before=unpaid),
    Plant("mails", ("tollbridge check",), after=mail_stuck),
    Plant("notices", ("tollbridge check",), after=mail_stuck),
    Plant("prices", (f"tollbridge reprice --month {THIS} --reason TEXT",), after=other_prices),
)


@contextmanager
def a_morning(folder: Path, *plants: Plant, clients: int = CLIENTS) -> Iterator[Office]:
    """A company with two months behind it, on the morning after these failures."""
    billing = 'hold_above = "5"\nhold_from = { USD = "1.00" }\nmost_correction = "0.5"'
    urls = (f"sqlite:///{folder}/billing.db", f"sqlite:///{folder}/tollbridge.db")
    with a_world(folder, *urls, start=str(FIRST), billing=billing, more=OPERATOR) as world:
        world.panel.set_time(_moment(FIRST))
        for number in range(1, clients + 1):
            world.client_with_server(number, hours=300)
        world.panel.set_time(_moment(SECOND))
        _daily(world, SECOND)
        for number in range(1, clients + 1):
            world.run_server(_user(world, number), 200, name=f"db-{number}")
        world.execute("UPDATE invoices SET status = 'paid'")
        for before in dict.fromkeys(plant.before for plant in plants):
            before(world)
        world.panel.set_time(_moment(THIS))
        _daily(world, THIS)
        with world.parts() as parts:
            for after in dict.fromkeys(plant.after for plant in plants):
                after(world, parts)
        with world.parts() as parts:
            office = Office(world, parts, "", datetime.now(UTC))  # type: ignore[arg-type]
            with serving(create_app(parts, lambda: office.now)) as url:
                office.url = url
                yield office


def ask_price(office: Office, token: str = "bridge-token", client: int = 1) -> httpx.Response:  # noqa: S107
    """What SolusIO asks."""
    form = {"action": "GetTokenPricing", "userid": str(client), "token": token}
    return httpx.post(f"{office.url}/solusio/api/", data=form, timeout=30)


def _daily(world: World, month: Month) -> None:
    with world.run(f"{month}-02") as run:
        run.daily()


def _moment(month: Month) -> datetime:
    return datetime(month.year, month.number, 1, tzinfo=UTC)


def _user(world: World, client_id: int) -> int:
    return next(user.id for user in world.panel.users if user.billing_user_id == client_id)


def _server(world: World, client_id: int) -> int:
    return next(each.id for each in world.panel.tables.servers.rows() if each.name == f"web-{client_id}")


def _numbers(world: World, client_id: int) -> int:
    query = "SELECT id FROM invoices WHERE reference = :reference"
    number: int = world.query(query, reference=f"TB-{SECOND}-{client_id}")[0][0]
    return number


def _dead_run(parts: Parts, *, ended: bool = True) -> int:
    row = {"command": "run", "host": "bridge-1:4711", "day": TODAY.date(), "began_at": TODAY}
    more = {"ended_at": TODAY, "outcome": "died"} if ended else {}
    with parts.ledger.database.write() as connection:
        inserted = connection.execute(sa.insert(schema.runs).values(**row, **more).returning(schema.runs.c.id))
        return int(inserted.scalar_one())
