import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tollbridge.solus.sandbox import Fault, Panel, User, create_app, running

NEW = {"email": "new@example.com"}


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("429", 429), ("503", 503)])
def test_an_error_is_answered_once_and_nothing_is_done(panel: Panel, api: httpx.Client, kind: str, status: int) -> None:
    panel.faults.add(Fault(kind))  # type: ignore[arg-type]
    assert api.post("users", json=NEW).status_code == status
    assert panel.user_by_email("new@example.com") is None
    assert api.post("users", json=NEW).status_code == 201


@pytest.mark.parametrize(("kind", "header"), [("429", "30"), ("503", "30"), ("500", None)])
def test_the_wait_is_told_where_the_client_may_wait(
    panel: Panel, api: httpx.Client, kind: str, header: str | None
) -> None:
    panel.faults.add(Fault(kind, seconds=29.5))  # type: ignore[arg-type]
    assert api.get("users").headers.get("Retry-After") == header


def test_a_cut_connection_did_nothing(panel: Panel, api: httpx.Client) -> None:
    panel.faults.add(Fault("cut"))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.post("users", json=NEW)
    assert panel.user_by_email("new@example.com") is None


def test_a_lost_answer_was_work_done(panel: Panel, api: httpx.Client) -> None:
    panel.faults.add(Fault("lost"))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.post("users", json=NEW)
    assert panel.user_by_email("new@example.com") is not None
    assert [(entry.method, entry.status) for entry in panel.journal.list()] == [("POST", None)]


def test_cut_connections_leave_no_trace_on_the_console(
    panel: Panel, api: httpx.Client, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for kind in ("cut", "lost"):
        panel.faults.add(Fault(kind))
        with pytest.raises(httpx.TransportError):
            api.get("users")
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name.startswith("uvicorn") and record.levelno >= 30] == []


def test_slow_answers_come_all_the_same(panel: Panel, api: httpx.Client) -> None:
    panel.faults.add(Fault("slow", seconds=0.01))
    assert api.get("users").status_code == 200


def test_who_does_not_wait_for_a_slow_answer_times_out_and_holds_nobody_up(panel: Panel) -> None:
    panel.faults.add(Fault("slow", seconds=3600))
    with running(panel) as url, pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{url}/api/v1/users", timeout=0.05)


@pytest.fixture
def page_of_ten(panel: Panel, api: httpx.Client) -> Iterator[httpx.Client]:
    panel.per_page = 10
    for number in range(24):
        panel.add_user(f"user-{number}@example.com")
    yield api
    panel.faults.clear()


def test_half_a_page_claims_to_be_a_whole_one(panel: Panel, page_of_ten: httpx.Client) -> None:
    whole = page_of_ten.get("users").json()
    panel.faults.add(Fault("half_page"))
    half = page_of_ten.get("users").json()
    assert half["data"] == whole["data"][:5]
    assert (half["meta"], half["links"]) == (whole["meta"], whole["links"])


def test_a_wrong_total_is_one_too_many(panel: Panel, page_of_ten: httpx.Client) -> None:
    panel.faults.add(Fault("wrong_total"))
    page = page_of_ten.get("users").json()
    assert (len(page["data"]), page["meta"]["total"]) == (10, 26)


def test_a_list_without_meta_is_only_data(panel: Panel, page_of_ten: httpx.Client) -> None:
    panel.faults.add(Fault("no_meta"))
    assert set(page_of_ten.get("users").json()) == {"data"}


def test_shuffled_pages_repeat_rows_and_leave_others_out(panel: Panel, page_of_ten: httpx.Client) -> None:
    panel.faults.add(Fault("shuffled_pages", times=None))
    pages = [page_of_ten.get(f"users?page={number}").json() for number in (1, 2, 3)]
    assert [page["meta"]["current_page"] for page in pages] == [1, 2, 3]
    assert [page["data"][0]["id"] for page in pages] == [1, 1, 11]


def test_faults_of_lists_leave_other_answers_alone(panel: Panel, ada: User, api: httpx.Client) -> None:
    panel.faults.add(Fault("half_page"))
    assert api.get(f"users/{ada.id}").json()["data"]["email"] == ada.email


def test_a_login_page_in_place_of_json_is_a_success_by_its_status(panel: Panel, api: httpx.Client) -> None:
    panel.faults.add(Fault("html"))
    answer = api.post("users", json=NEW)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert panel.user_by_email("new@example.com") is None


def test_an_empty_answer_is_a_success_by_its_status(panel: Panel, api: httpx.Client) -> None:
    panel.faults.add(Fault("empty"))
    answer = api.get("users")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_fault_hits_its_method_and_path_after_what_it_skips(panel: Panel, api: httpx.Client) -> None:
    panel.faults.add(Fault("500", method="get", path="users", times=2, skip=1))
    paths = ("plans", "users", "users/1", "servers", "users", "users")
    assert [api.get(path).status_code for path in paths] == [
        200, 200, 500, 200, 500, 200,
    ]  # fmt: skip
    panel.faults.add(Fault("500", method="POST", path="users"))
    assert api.get("users").status_code == 200


def test_faults_last_until_they_are_cleared_and_come_in_order(panel: Panel, api: httpx.Client) -> None:
    panel.faults.add(Fault("503", skip=1, times=1))
    panel.faults.add(Fault("500", times=None))
    assert [api.get("plans").status_code for _ in range(4)] == [500, 503, 500, 500]
    assert panel.faults.list() == [Fault("500", times=None)]
    panel.faults.clear()
    assert api.get("plans").status_code == 200


def test_an_unknown_fault_is_not_accepted() -> None:
    with pytest.raises(ValueError, match="'explode' is not a fault"):
        Fault("explode")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        Fault("500", times=0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_without_a_connection_to_cut_the_fault_is_an_error_of_its_own(panel: Panel) -> None:
    panel.faults.add(Fault("cut"))
    transport = httpx.ASGITransport(create_app(panel))

    async def call() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://panel") as client:
            await client.get("/api/v1/users")

    with pytest.raises(ConnectionResetError, match="no connection to cut"):
        asyncio.run(call())
