import socket
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tollbridge.solus.sandbox import Fault, Panel, User, running, small_company


def test_the_overview_explains_itself(controls: httpx.Client, panel: Panel) -> None:
    text = controls.get("").text
    assert "curl" in text
    assert panel.api_token in text


def test_the_clock_is_moved_and_stands(controls: httpx.Client, panel: Panel) -> None:
    moves = [{"now": "2026-07-02T02:00:00+02:00"}, {"advance_hours": 3}, {"advance_days": 2}]
    for move in moves:
        controls.post("clock", json=move).raise_for_status()
    assert controls.get("clock").json() == {"now": "2026-07-04T03:00:00.000000Z", "is_frozen": True}
    assert panel.now == datetime(2026, 7, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "move",
    [
        {},
        {"now": "2026-06-30T00:00:00Z"},
        {"now": "2027-01-01T00:00:00"},
        {"now": "soon"},
        {"advance_days": -1},
    ],
)
def test_the_clock_does_not_go_back_or_anywhere_unclear(
    controls: httpx.Client, panel: Panel, move: dict[str, str]
) -> None:
    assert controls.post("clock", json=move).status_code == 422
    assert panel.now == datetime(2026, 7, 1, tzinfo=UTC)


def test_faults_are_ordered_over_http(controls: httpx.Client, panel: Panel, api: httpx.Client) -> None:
    assert controls.post("faults", json={"kind": "503", "path": "users", "seconds": 2.5}).status_code == 201
    assert panel.faults.list() == [Fault("503", path="users", seconds=2.5)]
    assert [fault["kind"] for fault in controls.get("faults").json()["data"]] == ["503"]
    assert api.get("users").status_code == 503
    controls.post("faults", json={"kind": "cut", "times": None})
    assert controls.delete("faults").status_code == 204
    assert api.get("users").status_code == 200


@pytest.mark.parametrize("fault", [{}, {"kind": "explode"}, {"kind": "500", "often": 3}, {"kind": "500", "times": "x"}])
def test_a_fault_nobody_knows_is_refused(controls: httpx.Client, fault: dict[str, str]) -> None:
    assert controls.post("faults", json=fault).status_code == 422


def test_requests_can_be_looked_at_afterwards(controls: httpx.Client, api: httpx.Client) -> None:
    api.get("users", params={"filter[search]": "ada"})
    api.post("users", json={"email": "", "password": "secret"})
    assert controls.get("requests").json()["data"] == [
        {
            "method": "GET",
            "path": "/api/v1/users",
            "query": "filter%5Bsearch%5D=ada",
            "body": None,
            "status": 200,
        },
        {
            "method": "POST",
            "path": "/api/v1/users",
            "query": "",
            "body": {"email": "", "password": "********"},
            "status": 422,
        },
    ]
    controls.delete("requests")
    assert controls.get("requests").json()["data"] == []


def test_a_panel_is_seeded_over_http() -> None:
    panel = Panel()
    with running(panel) as url:
        assert httpx.post(f"{url}/sandbox/seed", json={"company": "small"}).status_code == 201
        assert httpx.post(f"{url}/sandbox/seed", json={"company": "big"}).status_code == 422
    assert [(plan.tokens_per_hour, plan.tokens_per_month) for plan in panel.tables.plans] == [
        (7, 5000),
        (14, 10_000),
        (21, 15_000),
        (28, 20_000),
    ]
    assert [group.name for group in panel.tables.limit_groups] == ["postpaid", "trial"]


def test_pages_are_made_shorter_over_http(controls: httpx.Client, api: httpx.Client) -> None:
    controls.post("per_page", json={"per_page": 2})
    assert [len(api.get("plans").json()["data"]), api.get("plans").json()["meta"]["last_page"]] == [2, 2]
    assert controls.post("per_page", json={"per_page": 0}).status_code == 422


def test_a_panel_follows_the_real_clock_until_it_is_moved() -> None:
    panel = Panel()
    before = datetime.now(UTC)
    assert before <= panel.now <= datetime.now(UTC)
    panel.advance(timedelta(days=1))
    assert panel.now == panel.now >= before + timedelta(days=1)


def test_the_panels_clock_runs_forwards_only(panel: Panel) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        panel.set_time(panel.now - timedelta(seconds=1))
    with pytest.raises(ValueError, match="no time zone"):
        panel.set_time(datetime(2027, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="no interval"):
        panel.usage(panel.now, panel.now)


def test_snapshots_do_not_change_with_the_panel(panel: Panel, ada: User) -> None:
    users, settings = panel.users, panel.settings
    settings["features"]["allow_registration"] = False
    panel.add_user("later@example.com")
    panel.update_user(ada.id, status="locked")
    assert [user.status for user in users] == ["active", "active"]
    assert panel.settings["features"]["allow_registration"] is True


def test_threads_do_not_get_in_each_others_way(panel: Panel, ada: User) -> None:
    def order() -> None:
        for number in range(50):
            panel.create_server(ada.id, 1, f"web-{number}")

    threads = [threading.Thread(target=order) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(server.id for server in panel.servers) == list(range(1, 201))


def test_a_panel_can_be_served_again_after_it_was_stopped(panel: Panel) -> None:
    for _ in range(2):
        with running(panel) as url:
            assert httpx.get(f"{url}/sandbox/clock").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/sandbox/clock")


def test_a_taken_port_is_an_error_at_once(panel: Panel) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        running(panel, port=taken.getsockname()[1]),
    ):
        pass


def test_a_seed_is_the_same_by_hand() -> None:
    panel = Panel(now=datetime(2026, 7, 1, tzinfo=UTC))
    small_company(panel)
    assert panel.servers == []
    assert [user.email for user in panel.users] == ["admin@panel.example"]
