"""Histories that moved money wrongly, locked or left out somebody, or ended a command with a traceback."""

from tests.small_world import SmallWorld
from tollbridge.jobs.reports import DailyReport
from tollbridge.sandbox import Fault


def daily(world: SmallWorld, day: str, *, dry_run: bool = False) -> DailyReport:
    """One run of everything."""
    with world.run(day, dry_run=dry_run) as run:
        return run.daily()


def failed(report: DailyReport) -> list[str]:
    """The failures, in words."""
    return [str(failure) for failure in report.failures]


def test_no_user_is_deleted_on_half_a_reading_of_what_it_used(small_world: SmallWorld) -> None:
    world = small_world
    world.more = '[accounts]\non_closed = "delete"\n'
    users = [world.client_with_server(client) for client in (1, 2)]
    for server in list(world.panel.tables.servers.rows()):
        world.panel.delete_server(server.id)
    for client in (1, 2):
        world.books.change_client(client, status="closed")
    world.panel.set_time(world.panel.now.replace(day=20, hour=4))
    world.panel.faults.add(Fault("html", path="usage", times=None))
    with world.run("2026-06-20") as run:
        report = run.accounts()
    print(report)
    assert report.deleted == []
    assert [world.panel.user(user).status for user in users] == ["active"] * 2
