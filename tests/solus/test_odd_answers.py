"""What a panel may leave out or say in another way: unknown is not "no", and done is done."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.solus.panels import Bank, settings_for
from tests.world import QUICK
from tollbridge.errors import Conflict, Incomplete, OutcomeUnknown, Unavailable
from tollbridge.http import InProcess
from tollbridge.model import UserStatus
from tollbridge.sandbox import Kind
from tollbridge.solus import Solus, SolusUser, wire
from tollbridge.solus.panel import Panel as Calls
from tollbridge.solus.sandbox import Fault, Panel, in_memory, small_company

ROW: dict[str, Any] = {"id": 7, "email": "ada@example.com", "status": "active", "billing_user_id": 1042}
ADMIN, CLIENT = {"id": 1, "name": "ADMIN"}, {"id": 2, "name": "CLIENT"}


@pytest.fixture
def panel() -> Panel:
    made = Panel(datetime(2026, 6, 1, tzinfo=UTC))
    small_company(made)
    return made


@pytest.fixture
def solus(panel: Panel) -> Iterator[Solus]:
    made = in_memory(panel)
    yield made
    made.close()


def _answering(status: int, content: bytes, headers: dict[str, str] | None = None) -> Calls:
    def answer(_request: Request) -> Response:
        return Response(content, status, headers)

    app = Starlette(routes=[Route("/api/v1/{path:path}", answer, methods=["GET", "POST", "PUT", "PATCH"])])
    return Calls(settings_for("http://127.0.0.1"), QUICK, InProcess(app))


@pytest.mark.parametrize(
    ("roles", "is_administrator"),
    [
        ([CLIENT], False), ([CLIENT, ADMIN], True), ([], False), ([2], None), ([1], None), (["2"], None),
        ([CLIENT, 3], None), ([ADMIN, 3], True), ([{"id": 1}], None), ([{"name": ""}], None), (None, None), ({}, None),
    ],
)  # fmt: skip
def test_who_is_not_known_to_be_a_customer_is_not_taken_for_one(roles: Any, is_administrator: bool | None) -> None:
    assert wire.user({**ROW, "roles": roles}).is_administrator is is_administrator


def test_a_user_without_roles_is_not_known_to_be_a_customer() -> None:
    assert wire.user(ROW).is_administrator is None


@pytest.mark.parametrize(("sent", "read"), [("", None), (0, None), ("0", None), (None, None), ("7", 7), (7, 7)])
def test_an_unlinked_user_is_unlinked_however_the_panel_says_so(sent: Any, read: int | None) -> None:
    assert wire.user({**ROW, "roles": [], "billing_user_id": sent}).billing_user_id == read


@pytest.mark.parametrize("wrong", [False, " ", "x", 1.0, -1, []])
def test_a_billing_id_that_is_none_stops_the_reading(wrong: Any) -> None:
    with pytest.raises(Incomplete, match="billing_user_id"):
        wire.user({**ROW, "billing_user_id": wrong})


def test_an_address_that_nobody_could_send_to_is_read_as_one_that_can_be_kept() -> None:
    odd = wire.user({**ROW, "email": "ada\ud800\x1b[31m@example.com"})
    assert odd.email == "ada\ufffd\ufffd[31m@example.com"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("status", "content"),
    [(204, b""), (200, b""), (200, b"[]"), (200, b"{}"), (200, b"null"), (200, b'{"data": null}'), (202, b" \n")],
)
def test_a_change_that_is_answered_with_nothing_was_done(method: str, status: int, content: bytes) -> None:
    assert _answering(status, content).call(method, "users/7", {"status": "locked"}) == {}


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><title>Log in</title>", b"7", b'{"data": 7}'])
def test_a_change_that_is_answered_with_something_else_was_not(content: bytes) -> None:
    with pytest.raises(Unavailable):
        _answering(200, content).call("PUT", "users/7", {"status": "locked"})


def test_a_new_user_that_nothing_is_said_of_may_be_there_or_not() -> None:
    with pytest.raises(OutcomeUnknown):
        _answering(204, b"").call("POST", "users", {})


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("Tue, 01 Sep 2026 04:00:00 GMT", datetime(2026, 9, 1, 4, tzinfo=UTC)),
        ("Tue, 01 Sep 2026 06:00:00 +0200", datetime(2026, 9, 1, 4, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_panels_own_time_is_what_its_answers_say(header: str, time: datetime | None) -> None:
    calls = _answering(403, b"", {"date": header})
    assert calls.time() == time


def test_the_sandboxs_date_is_real_time_whatever_its_clock_shows(bank: Bank, solus: Solus) -> None:
    for each in (bank.solus, solus):
        told = each.time()
        assert told is not None
        assert abs(datetime.now(UTC) - told) < timedelta(minutes=1)


def test_an_administrator_that_is_not_known_as_one_is_not_linked(solus: Solus, monkeypatch: pytest.MonkeyPatch) -> None:
    user = SolusUser(7, "ada@example.com", UserStatus.ACTIVE, None, is_administrator=None)
    monkeypatch.setattr(solus, "find_user", lambda _email: user)
    with pytest.raises(Conflict, match="does not say whether"):
        solus.ensure_user("ada@example.com", 1042)
    with pytest.raises(Conflict, match="may be an administrator"):
        solus.login_url(7, 1042, "ada@example.com")


def test_a_user_that_slips_between_two_pages_is_not_missing(panel: Panel, solus: Solus) -> None:
    panel.per_page = 2
    for number in range(1, 7):
        panel.add_user(f"user{number}@example.com", billing_user_id=number)
    kept: list[SolusUser] = []
    passes = 0

    def keep(users: Iterator[SolusUser]) -> None:
        nonlocal passes
        passes += 1
        kept.clear()
        for number, user in enumerate(users):
            kept.append(user)
            if (passes, number) == (1, 1):  # the first page was read: one of it goes, and another comes at the end
                panel.delete_user(2)
                panel.add_user("new@example.com", billing_user_id=7)

    solus.read_users(keep)
    assert [user.billing_user_id for user in kept] == [None, 2, 3, 4, 5, 6, 7]
    assert passes == 2


def test_a_list_of_users_that_never_stands_still_is_refused(panel: Panel, solus: Solus) -> None:
    def keep(users: Iterator[SolusUser]) -> None:
        count = len(list(users))
        panel.add_user(f"user{count}@example.com")

    with pytest.raises(Incomplete, match="SolusIO's list of users changed between two passes"):
        solus.read_users(keep)


def test_several_runs_at_once_make_one_user(panel: Panel) -> None:
    def ensure(_number: int) -> SolusUser:
        solus = in_memory(panel)
        try:
            return solus.ensure_user("ada@example.com", 1042)
        finally:
            solus.close()

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(ensure, range(12)))
    assert [(user.email, user.billing_user_id) for user in panel.users[1:]] == [("ada@example.com", 1042)]
    assert {user.id for user in made} == {2}


def test_another_run_that_was_quicker_between_search_and_creation_is_no_failure(
    panel: Panel, solus: Solus, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = solus._create

    def late(email: str, client_id: int) -> SolusUser:
        panel.add_user(email, billing_user_id=client_id)
        return create(email, client_id)

    monkeypatch.setattr(solus, "_create", late)
    assert solus.ensure_user("ada@example.com", 1042).billing_user_id == 1042
    assert len(panel.users) == 2


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [("cut", OutcomeUnknown, 0), ("lost", OutcomeUnknown, 1), ("500", OutcomeUnknown, 0), ("503", OutcomeUnknown, 0)],
)
def test_faults_happen_without_a_socket_too(
    panel: Panel, solus: Solus, kind: Kind, error: type[Exception], made: int
) -> None:
    panel.faults.add(Fault(kind, "POST", "users"))
    with pytest.raises(error):
        solus.panel.call("POST", "users", {"email": "ada@example.com"})
    assert len(panel.users) == 1 + made
    assert [(entry.method, entry.path) for entry in panel.journal.list()] == [("POST", "/api/v1/users")]


def test_a_panel_without_a_socket_answers_as_the_one_over_http(bank: Bank) -> None:
    bank.panel.add_user("ada+b@example.com", billing_user_id=7)
    there = in_memory(bank.panel, attrs.evolve(settings_for(bank.url)))
    assert list(there.users()) == list(bank.solus.users())
    assert there.plans() == bank.solus.plans()
    assert there.find_user("ada+b@example.com") == bank.solus.find_user("ada+b@example.com")
    there.close()
