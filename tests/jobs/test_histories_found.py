"""What histories have found: each is a short story that ended with wrong books."""

from tests.small_world import SmallWorld
from tollbridge.rules.calendar import Month

JUNE = Month(2026, 6)


def test_late_usage_is_corrected_though_another_clients_month_cannot_be_drafted(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    world.client_with_server(2, hours=700, currency="XXX")
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 1044, server_id=1)
    world.at("2026-08-01")
    world.daily("2026-08-01")
    world.books.change_client(2, currency="USD")
    world.at("2026-08-02")
    world.daily("2026-08-02")
    world.at("2026-09-01")
    world.daily("2026-09-01")
    assert world.lines().count(("June 2026, web-1: 1044 tokens reported later", 1044)) == 1


def test_late_usage_is_corrected_though_another_clients_invoice_is_held(world: SmallWorld) -> None:
    world.billing = 'hold_above = "2"'
    users = [world.client_with_server(client, hours=100) for client in (1, 2)]
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.run_server(users[0], 100, name="july")
    world.run_server(users[1], 700, name="held")
    world.at("2026-08-01")
    world.daily("2026-08-01")
    world.panel.correct_usage(Month(2026, 7), 44, server_id=3)
    world.run_server(users[0], 100, name="august")
    world.at("2026-09-01")
    world.daily("2026-09-01")
    assert world.lines().count(("July 2026, july: 44 tokens reported later", 44)) == 1


def test_usage_of_a_user_that_was_billed_and_unlinked_since_is_not_billed_to_its_next_client(world: SmallWorld) -> None:
    world.client_with_server(1, hours=100)
    other = world.panel.add_user("other@example.com", billing_user_id=1).id
    world.run_server(other, 10, name="other")
    world.at("2026-07-01")
    world.daily("2026-07-01")
    assert world.billed() == {"TB-2026-06-1": "0.77"}
    world.panel.update_user(other, billing_user_id=None)
    world.at("2026-08-01")
    report = world.daily("2026-08-01")
    assert report.invoicing.unbilled == [], "it was billed, so it is not nobody's"
    world.add_client(2)
    world.panel.update_user(other, billing_user_id=2)
    world.at("2026-08-02")
    world.daily("2026-08-02")
    assert world.billed() == {"TB-2026-06-1": "0.77"}


def test_nobody_is_missed_who_is_to_be_let_in_and_is_gone_from_the_panel(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.books.remove_client(1)
    world.at("2026-07-02")
    world.daily("2026-07-02")
    assert world.status(user) == "suspended", "its client is gone"
    for server in world.panel.servers:
        world.panel.delete_server(server.id)
    world.panel.delete_user(user)
    world.at("2026-07-03")
    report = world.daily("2026-07-03")
    assert [str(each) for each in report.failures] == [], "there is nobody to be let in, and nothing to do"
