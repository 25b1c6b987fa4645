"""Each client has one SolusIO user: found, made, followed, and never taken from another."""

import pytest

from tests.small_world import SmallWorld
from tollbridge.errors import Unavailable
from tollbridge.jobs.reports import AccountsReport
from tollbridge.model import UserStatus
from tollbridge.sandbox import Kind
from tollbridge.solus.sandbox import Fault


def sync(world: SmallWorld, *, dry_run: bool = False, day: str = "2026-06-15") -> AccountsReport:
    """One run of the accounts job."""
    with world.run(day, dry_run=dry_run) as run:
        return run.accounts()


def users(world: SmallWorld) -> dict[int | None, tuple[str, str]]:
    """E-mail address and status by billing id, the panel's administrator left out."""
    return {user.billing_user_id: (user.email, user.status) for user in world.panel.users if user.id != 1}


def test_every_active_client_gets_a_user_with_its_billing_id_role_and_limit_group(world: SmallWorld) -> None:
    for client_id in range(1, 41):
        world.add_client(client_id)
    report = sync(world)
    assert report.created == list(range(1, 41))
    assert users(world) == {client_id: (f"client{client_id}@example.com", "active") for client_id in range(1, 41)}
    groups = {group.name: group.id for group in world.panel.tables.limit_groups.rows()}
    assert {(user.role_ids, user.limit_group_id) for user in world.panel.users[1:]} == {((2,), groups["postpaid"])}


def test_a_second_sync_changes_nothing(world: SmallWorld) -> None:
    for client_id in range(1, 6):
        world.add_client(client_id)
    sync(world)
    world.panel.journal.clear()
    report = sync(world)
    assert (report.created, report.linked, report.email_changed, report.changes) == ([], [], [], [])
    assert {entry.method for entry in world.panel.journal.list()} == {"GET"}


def test_an_unlinked_user_with_exactly_the_clients_address_is_linked(world: SmallWorld) -> None:
    world.add_client(7, email="Ada@Example.com")
    world.panel.add_user("ada@example.com")
    for look_alike in ("xada@example.com", "ada@example.com.example.org", "ada@example.co"):
        world.panel.add_user(look_alike)
    assert sync(world).linked == [7]
    assert users(world)[7] == ("ada@example.com", "active")
    assert len(world.panel.users) == 1 + 4


def test_a_user_is_never_taken_from_another_billing_id(world: SmallWorld) -> None:
    world.panel.add_user("shared@example.com", billing_user_id=99)
    world.add_client(7, email="shared@example.com")
    world.add_client(8)
    report = sync(world)
    assert [failure.who for failure in report.failures] == ["client 7"]
    assert "belongs to client 99" in report.failures[0].message
    assert users(world) == {99: ("shared@example.com", "active"), 8: ("client8@example.com", "active")}


def test_two_clients_with_one_address_are_a_conflict_and_not_one_user(world: SmallWorld) -> None:
    world.add_client(7, email="same@example.com")
    world.add_client(8, email="SAME@example.com")
    report = sync(world)
    assert report.created == [7]
    assert [failure.who for failure in report.failures] == ["client 8"]
    assert len(sync(world).failures) == 1


def test_two_users_with_one_billing_id_are_reported(world: SmallWorld) -> None:
    world.add_client(7)
    world.add_user(7)
    world.panel.add_user("second@example.com", billing_user_id=7)
    (failure,) = sync(world).failures
    assert "users 2, 3" in failure.message


def test_a_new_e_mail_address_follows_the_client(world: SmallWorld) -> None:
    world.add_client(7)
    world.add_user(7)
    world.books.change_client(7, email="new@example.com")
    assert sync(world).email_changed == [7]
    assert users(world) == {7: ("new@example.com", "active")}
    (patch,) = [entry for entry in world.panel.journal.list() if entry.method == "PATCH"]
    assert patch.body == {"email": "new@example.com"}


def test_a_new_address_that_somebody_else_has_is_a_conflict(world: SmallWorld) -> None:
    world.add_client(7)
    world.add_user(7)
    world.panel.add_user("taken@example.com", billing_user_id=50)
    world.books.change_client(7, email="taken@example.com")
    assert [failure.who for failure in sync(world).failures] == ["client 7"]
    assert users(world)[7] == ("client7@example.com", "active")


def test_an_inactive_client_gets_no_user_and_keeps_the_one_it_has(world: SmallWorld) -> None:
    world.add_client(7, status="inactive")
    world.add_client(8, status="inactive")
    world.add_user(8)
    assert sync(world).created == []
    assert users(world) == {8: ("client8@example.com", "active")}


def test_with_sign_up_nobody_is_created_or_linked_unasked(world: SmallWorld) -> None:
    world.billing += '\n[accounts]\nprovision = "signup"'
    world.add_client(7)
    world.add_client(8)
    world.panel.add_user("client8@example.com")
    report = sync(world)
    assert (report.created, report.linked) == ([], [])
    assert users(world) == {None: ("client8@example.com", "active")}


def test_a_closed_client_is_suspended_and_let_in_again_when_it_is_reopened(world: SmallWorld) -> None:
    world.client_with_server(7)
    sync(world)
    world.books.change_client(7, status="closed")
    sync(world)
    assert users(world)[7][1] == "suspended"
    with world.run("2026-06-16") as run:
        run.overdue()
    assert users(world)[7][1] == "suspended", "nothing is overdue, but the client is closed all the same"
    world.books.change_client(7, status="active")
    sync(world)
    assert users(world)[7][1] == "active"


def test_a_closed_client_can_be_kept_as_it_is(world: SmallWorld) -> None:
    world.billing += '\n[accounts]\non_closed = "keep"'
    world.add_client(7, status="closed")
    world.add_user(7)
    sync(world)
    assert users(world) == {7: ("client7@example.com", "active")}


def test_a_closed_client_is_deleted_only_without_servers_and_without_unbilled_usage(world: SmallWorld) -> None:
    world.billing += '\n[accounts]\non_closed = "delete"'
    world.client_with_server(7, hours=24, status="closed")
    world.add_client(8, status="closed")
    world.add_user(8)
    world.panel.set_time(world.panel.now.replace(day=10))
    assert sync(world).deleted == [8]
    assert users(world) == {7: ("client7@example.com", "suspended")}, "its server is still there"
    for server in world.panel.servers:
        world.panel.delete_server(server.id)
    assert sync(world).deleted == [], "its June is not invoiced yet, and SolusIO may forget it with the user"
    world.at("2026-07-01")
    world.daily("2026-07-01")
    assert world.billed() == {"TB-2026-06-7": "0.17"}
    assert sync(world, day="2026-07-02").deleted == [], "its June is not paid yet"
    world.books.pay("TB-2026-06-7")
    with world.run("2026-07-02") as run:
        run.overdue()
    assert sync(world, day="2026-07-02").deleted == [7]
    assert users(world) == {}
    assert sync(world, day="2026-07-03").failures == []


def test_a_lock_made_by_hand_is_never_undone(world: SmallWorld) -> None:
    world.add_client(7)
    user = world.add_user(7, status="locked")
    sync(world)
    world.daily("2026-06-15")
    assert world.panel.user(user).status == "locked"


def test_a_dry_run_says_what_it_would_do_and_does_nothing(world: SmallWorld) -> None:
    world.add_client(1)
    world.add_client(2)
    world.panel.add_user("client2@example.com")
    world.add_client(3, email="new@example.com")
    world.panel.add_user("old@example.com", billing_user_id=3)
    world.add_client(4, status="closed")
    world.add_user(4)
    before = world.panel.users
    report = sync(world, dry_run=True)
    assert (report.created, report.linked, report.email_changed) == ([1], [2], [3])
    assert [(change.client_id, change.after) for change in report.changes] == [(4, UserStatus.SUSPENDED)]
    assert world.panel.users == before
    with world.parts() as parts:
        assert parts.ledger.accounts.of_clients([1, 2, 3, 4]) == {}


@pytest.mark.parametrize("kind", ["half_page", "no_meta", "wrong_total", "shuffled_pages"])
def test_nobody_is_touched_on_half_a_list_of_users(world: SmallWorld, kind: Kind) -> None:
    world.panel.per_page = 2
    for client_id in range(1, 8):
        world.add_client(client_id)
        world.add_user(client_id)
    world.add_client(8)
    world.panel.faults.add(Fault(kind, method="GET", path="users", times=None, skip=1))
    with pytest.raises(Unavailable):
        sync(world)
    assert len(world.panel.users) == 1 + 7
    world.panel.faults.clear()
    assert sync(world).created == [8]


@pytest.mark.parametrize("kind", ["500", "503", "429", "cut", "lost", "html", "empty"])
def test_a_client_whose_creation_is_disturbed_has_one_user_in_the_end(world: SmallWorld, kind: Kind) -> None:
    for client_id in (1, 2, 3):
        world.add_client(client_id)
    world.panel.faults.add(Fault(kind, method="POST", path="users", times=2))
    sync(world)
    assert sync(world).failures == []
    assert sorted(user.billing_user_id or 0 for user in world.panel.users) == [0, 1, 2, 3]


def test_a_client_that_billing_spoils_stops_nobody_else(world: SmallWorld) -> None:
    for client_id in (1, 2, 3):
        world.add_client(client_id)
    world.books.unreadable.add(2)
    report = sync(world)
    assert report.created == [1, 3]
    assert "client 2" in str(report.failures[0])


def test_the_bridge_remembers_a_user_that_was_made_anew(world: SmallWorld) -> None:
    world.add_client(7)
    old = world.add_user(7)
    sync(world)
    world.panel.delete_user(old)
    assert sync(world).created == [7]
    with world.parts() as parts:
        account = parts.ledger.accounts.of_clients([7])[7]
    assert account.user_id != old


def test_two_clients_with_one_address_do_not_share_an_unlinked_user(world: SmallWorld) -> None:
    world.panel.add_user("same@example.com")
    world.add_client(7, email="same@example.com")
    world.add_client(8, email="Same@example.com")
    report = sync(world)
    assert (report.linked, [failure.who for failure in report.failures]) == ([7], ["client 8"])
    assert users(world) == {7: ("same@example.com", "active")}


def test_closed_clients_are_suspended_and_not_deleted_while_usage_cannot_be_read(world: SmallWorld) -> None:
    world.billing += '\n[accounts]\non_closed = "delete"'
    for client_id in (7, 8):
        world.client_with_server(client_id, hours=24, status="closed")
    world.panel.set_time(world.panel.now.replace(day=10))
    for server in world.panel.servers:
        world.panel.delete_server(server.id)
    world.panel.faults.add(Fault("half_page", method="GET", path="usage", times=None))
    report = sync(world)
    assert (report.deleted, len(report.failures)) == ([], 2)
    assert {client: status for client, (_, status) in users(world).items()} == {7: "suspended", 8: "suspended"}


def test_an_administrator_of_the_panel_is_never_linked_locked_or_deleted(world: SmallWorld) -> None:
    world.billing += '\n[accounts]\non_closed = "delete"'
    world.add_client(9, email="Admin@panel.example")
    report = sync(world)
    assert "administrator" in str(report.failures[0])
    assert world.panel.user(1).billing_user_id is None
    world.panel.update_user(1, billing_user_id=9)
    world.books.change_client(9, status="closed")
    report = sync(world)
    assert "administrator" in str(report.failures[0])
    assert world.panel.user(1).status == "active"


def test_who_may_be_an_administrator_is_never_linked_suspended_or_deleted(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.billing += '\n[accounts]\non_closed = "delete"'
    world.add_client(7)
    world.add_client(8)
    world.add_user(7)
    unlinked = world.panel.add_user("client8@example.com")
    monkeypatch.setattr("tollbridge.solus.sandbox.api.wire.role", lambda _panel, role: role.id)
    assert [failure.who for failure in sync(world).failures] == ["client 7", "client 8"]
    assert world.panel.user(unlinked.id).billing_user_id is None
    for client_id in (7, 8):
        world.books.change_client(client_id, status="closed")
    assert "does not say whether its user" in sync(world).failures[0].message
    assert users(world)[7] == ("client7@example.com", "active")


def test_a_closed_client_whose_address_was_wiped_is_suspended_all_the_same(world: SmallWorld) -> None:
    world.add_client(7)
    user = world.add_user(7)
    sync(world)
    world.books.change_client(7, status="closed", email="")
    assert sync(world).failures == []
    assert world.panel.user(user).status == "suspended"
    assert world.panel.user(user).email == "client7@example.com"


def test_a_sync_does_not_lock_again_whom_somebody_let_in_after_payment(world: SmallWorld) -> None:
    user = world.client_with_server(7)
    world.at("2026-07-01")
    for day in ("2026-07-01", "2026-07-29"):
        world.daily(day)
    assert world.panel.user(user).status == "suspended"
    world.books.pay("TB-2026-06-7")
    world.panel.update_user(user, status="active")
    assert sync(world, day="2026-07-30").changes == []
    assert world.panel.user(user).status == "active"


def test_what_the_bridge_locked_it_also_releases_when_the_user_is_another_clients_by_then(world: SmallWorld) -> None:
    user = world.client_with_server(7)
    world.at("2026-07-01")
    for day in ("2026-07-01", "2026-07-23"):
        world.daily(day)
    assert world.panel.user(user).status == "locked"
    world.add_client(8, email="heir@example.com")
    world.panel.update_user(user, billing_user_id=8, email="heir@example.com")
    world.books.change_client(7, status="inactive")
    world.daily("2026-07-24")
    assert world.panel.user(user).status == "active", "client 8 owes nothing"
