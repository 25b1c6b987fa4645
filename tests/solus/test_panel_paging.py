"""Lists are read whole or not at all."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.solus.panels import Bank, settings_for
from tests.world import QUICK
from tollbridge.errors import Incomplete, NotFound, Refused, Unavailable
from tollbridge.loopback import running
from tollbridge.sandbox import Kind
from tollbridge.secret import Secret
from tollbridge.solus import Solus
from tollbridge.solus.panel import Panel as Calls
from tollbridge.solus.sandbox import Fault


def _with_users(bank: Bank, count: int) -> set[str]:
    for number in range(count):
        bank.panel.add_user(f"user{number}@example.com", billing_user_id=number)
    return {user.email for user in bank.panel.users}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(per_page=st.integers(1, 20))
def test_every_user_comes_once_whatever_the_length_of_a_page(bank: Bank, per_page: int) -> None:
    if len(bank.panel.users) == 1:
        _with_users(bank, 9)
    bank.panel.per_page = per_page
    assert [user.email for user in bank.solus.users()] == [user.email for user in bank.panel.users]


@pytest.mark.parametrize("skip", [0, 1, 2])
@pytest.mark.parametrize("kind", ["half_page", "no_meta", "wrong_total", "shuffled_pages"])
def test_a_list_with_a_false_page_is_never_taken_for_whole(bank: Bank, kind: Kind, skip: int) -> None:
    emails = _with_users(bank, 5)
    bank.panel.faults.add(Fault(kind, "GET", "users", times=1, skip=skip))
    if (kind, skip) == ("shuffled_pages", 0):  # there is no page before the first
        assert {user.email for user in bank.solus.users()} == emails
        return
    with pytest.raises(Incomplete):
        list(bank.solus.users())
    assert {user.email for user in bank.solus.users()} == emails


@pytest.mark.parametrize("kind", ["half_page", "no_meta", "wrong_total", "shuffled_pages"])
def test_a_short_list_is_read_again_from_its_beginning(bank: Bank, kind: Kind) -> None:
    bank.panel.faults.add(Fault(kind, "GET", "plans", times=1, skip=1))
    assert [(plan.tokens_per_hour, plan.tokens_per_month) for plan in bank.solus.plans()] == [
        (7, 5_000), (14, 10_000), (21, 15_000), (28, 20_000)
    ]  # fmt: skip
    assert bank.asked("GET", "plans")[-2].query == "page=1"


def test_a_short_list_that_never_gets_whole_is_given_up(bank: Bank) -> None:
    bank.panel.faults.add(Fault("wrong_total", "GET", "plans", times=None))
    with pytest.raises(Incomplete, match="plans has 5 rows and gave 4"):
        bank.solus.plans()


def test_a_list_that_shrinks_while_it_is_read_has_lost_a_row_and_is_refused(bank: Bank) -> None:
    _with_users(bank, 5)
    users = bank.solus.users()
    next(users)
    next(users)
    bank.panel.delete_user(2)
    with pytest.raises(Incomplete, match="from 6 to 5 rows"):
        list(users)


def test_a_list_that_grows_while_it_is_read_is_refused(bank: Bank) -> None:
    _with_users(bank, 5)
    users = bank.solus.users()
    next(users)
    bank.panel.add_user("new@example.com")
    with pytest.raises(Incomplete, match="from 6 to 7 rows"):
        list(users)


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """Pages of ids, and the total that each page tells."""
    pages = draw(st.lists(st.lists(st.integers(1, 6), max_size=3), min_size=1, max_size=4))
    exact = sum(map(len, pages))
    total = draw(st.sampled_from([exact, exact, exact - 1, exact + 1, len({row for page in pages for row in page})]))
    totals = draw(st.sampled_from([[max(total, 0)] * len(pages), [exact, *[max(total, 0)] * (len(pages) - 1)]]))
    return pages, totals


@settings(max_examples=150, deadline=None)
@given(served=lists())
def test_rows_are_given_out_to_the_end_only_if_each_came_once_and_all_came(
    served: tuple[list[list[int]], list[int]], lists_panel: tuple[dict[int, object], Calls]
) -> None:
    pages, totals = served
    documents, calls = lists_panel
    documents.clear()
    for number, (page, total) in enumerate(zip(pages, totals, strict=True), 1):
        meta = {"current_page": number, "last_page": len(pages), "total": total}
        documents[number] = {"data": [{"id": row} for row in page], "meta": meta}
    wanted = [row for page in pages for row in page]
    whole = len(set(wanted)) == len(wanted) and set(totals) == {len(wanted)}
    try:
        got = [int(row["id"]) for row in calls.rows("things")]
    except Incomplete:
        assert not whole or [] in pages[:-1]  # an empty page before the last one ends a list, too
    else:
        assert (got, whole) == (wanted, True)


@pytest.fixture(scope="module")
def lists_panel() -> Iterator[tuple[dict[int, object], Calls]]:
    documents: dict[int, object] = {}

    def page(request: Request) -> JSONResponse:
        return JSONResponse(documents[int(request.query_params["page"])])

    with running(Starlette(routes=[Route("/api/v1/things", page)])) as url:
        calls = Calls(settings_for(url), QUICK)
        yield documents, calls
        calls.close()


def test_another_page_than_the_one_asked_for_is_refused(lists_panel: tuple[dict[int, object], Calls]) -> None:
    documents, calls = lists_panel
    documents.clear()
    documents[1] = {"data": [{"id": 1}], "meta": {"current_page": 2, "last_page": 2, "total": 1}}
    with pytest.raises(Incomplete, match="another page"):
        list(calls.rows("things"))


def test_the_right_user_is_found_among_look_alikes_on_several_pages(bank: Bank) -> None:
    for email in ("xada@example.com", "ada@example.com.au", "ADA@Example.com", "ada@example.com-old", "b@example.com"):
        bank.panel.add_user(email)
    found = bank.solus.find_user("ada@example.com")
    assert found is not None
    assert found.email == "ADA@Example.com"
    assert bank.solus.find_user("da@example.com") is None
    assert bank.solus.find_user("b@example.co") is None


@pytest.mark.parametrize("email", ["a+b@example.com", "o'brien@example.com", "a%b@example.com", "a&page=9@example.com"])
def test_addresses_with_odd_characters_are_found(bank: Bank, email: str) -> None:
    user = bank.panel.add_user(email, billing_user_id=3)
    found = bank.solus.find_user(email)
    assert found is not None
    assert found.id == user.id


@pytest.mark.parametrize("as_text", [False, True])
def test_ids_come_as_numbers_or_as_text(bank: Bank, as_text: bool) -> None:
    bank.panel.ids_as_text = as_text
    bank.panel.add_user("ada@example.com", billing_user_id=1042)
    bank.panel.add_user("eve@example.com")
    assert [user.billing_user_id for user in bank.solus.users()] == [None, 1042, None]


def test_the_bearer_token_is_sent_and_a_wrong_one_is_explained(bank: Bank) -> None:
    bank.solus.try_out()
    wrong = Solus(settings_for(bank.url, api_token=Secret("some-other-token")), QUICK)
    with pytest.raises(Refused, match=r"does not accept the API token for GET users \(401: Unauthenticated") as caught:
        wrong.try_out()
    wrong.close()
    assert "some-other-token" not in str(caught.value)


def test_refusals_carry_solusios_own_words(bank: Bank) -> None:
    with pytest.raises(NotFound, match=r"nothing at PUT users/99 \(404: There is no user 99"):
        bank.solus.link(99, 1)
    bank.panel.add_user("ada@example.com")
    user = bank.panel.add_user("eve@example.com")
    with pytest.raises(Refused, match=r"422: The given data was invalid.; email: The email has already been taken"):
        bank.solus.change_email(user.id, "ada@example.com")


@pytest.mark.parametrize("kind", ["html", "empty"])
def test_a_page_that_is_no_json_is_no_list(bank: Bank, kind: Kind) -> None:
    bank.panel.faults.add(Fault(kind, "GET", "users"))
    with pytest.raises(Unavailable, match="check its address"):
        list(bank.solus.users())
