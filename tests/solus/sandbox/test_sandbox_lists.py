from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tollbridge.solus.sandbox import Panel

WANTED = [f"user-{number:02}@wanted.example" for number in range(42)]


@pytest.fixture
def api42(panel: Panel, api: httpx.Client) -> httpx.Client:
    for email in WANTED:
        panel.add_user(email)
    return api


def by_next_link(api: httpx.Client, path: str) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    link: str | None = path
    while link:
        pages.append(api.get(link).json())
        link = pages[-1]["links"]["next"]
    return pages


def by_number(api: httpx.Client, path: str, last: str) -> list[dict[str, Any]]:
    pages = [api.get(path).json()]
    while pages[-1]["meta"]["current_page"] < pages[-1]["meta"][last]:
        pages.append(api.get(f"{path}&page={len(pages) + 1}").json())
    return pages


def test_every_stop_rule_of_the_known_clients_sees_the_same_three_pages(api42: httpx.Client) -> None:
    path = "users?filter[search]=@wanted"
    walks = [by_next_link(api42, path), by_number(api42, path, "last_page")]
    for pages in walks:
        assert [len(page["data"]) for page in pages] == [15, 15, 12]
        assert [row["email"] for page in pages for row in page["data"]] == WANTED
        assert [page["meta"]["current_page"] for page in pages] == [1, 2, 3]


def test_links_are_absolute_and_keep_the_filter(api42: httpx.Client, url: str) -> None:
    links = api42.get("users", params={"filter[search]": "@wanted", "filter[status]": "active", "page": 2}).json()[
        "links"
    ]
    for name, page in {"first": "1", "prev": "1", "next": "3", "last": "3"}.items():
        assert links[name].startswith(f"{url}/api/v1/users?")
        query = parse_qs(urlsplit(links[name]).query)
        assert query == {"filter[search]": ["@wanted"], "filter[status]": ["active"], "page": [page]}


def test_meta_counts_in_integers(api42: httpx.Client, url: str) -> None:
    assert api42.get("users?filter[search]=@wanted&page=3").json()["meta"] == {
        "current_page": 3,
        "from": 31,
        "last_page": 3,
        "path": f"{url}/api/v1/users",
        "per_page": 15,
        "to": 42,
        "total": 42,
    }


def test_a_page_beyond_the_end_is_empty_and_says_how_many_there_are(api42: httpx.Client) -> None:
    page = api42.get("users?filter[search]=@wanted&page=9").json()
    assert page["data"] == []
    assert page["links"]["next"] is None
    assert (page["meta"]["current_page"], page["meta"]["last_page"], page["meta"]["total"]) == (9, 3, 42)


def test_an_empty_list_has_one_page_from_nowhere_to_nowhere(api: httpx.Client) -> None:
    page = api.get("servers").json()
    assert page["data"] == []
    assert (page["links"]["prev"], page["links"]["next"]) == (None, None)
    assert (page["meta"]["from"], page["meta"]["to"], page["meta"]["last_page"], page["meta"]["total"]) == (
        None,
        None,
        1,
        0,
    )


def test_the_search_finds_look_alikes_whatever_their_case(panel: Panel, api: httpx.Client) -> None:
    for email in ("bob@example.com", "Bob@Example.com.au", "not-bob@example.com", "eve@example.com"):
        panel.add_user(email)
    found = [row["email"] for row in api.get("users", params={"filter[search]": "BOB@example.com"}).json()["data"]]
    assert found == ["bob@example.com", "Bob@Example.com.au", "not-bob@example.com"]


def test_servers_are_filtered_by_user_and_status_and_plans_by_name(panel: Panel, api: httpx.Client) -> None:
    users = [panel.add_user(f"{name}@example.com") for name in ("ada", "eve")]
    for user in users:
        panel.create_server(user.id, 1, f"web-{user.id}")
        panel.create_server(user.id, 1, f"db-{user.id}", started=False)

    def names(path: str) -> list[str]:
        return [row["name"] for row in api.get(path).json()["data"]]

    assert names(f"servers?filter[user_id]={users[1].id}") == [f"web-{users[1].id}", f"db-{users[1].id}"]
    assert names("servers?filter[status]=stopped") == [f"db-{user.id}" for user in users]
    assert names("servers?filter[search]=WEB") == [f"web-{user.id}" for user in users]
    assert names("plans?filter[search]=4 gb") == ["2 Cores, 4 GB RAM"]
    assert names("projects?filter[search]=default") == ["Default", "Default"]


def test_rows_come_by_id_whatever_the_order_they_were_made_in(panel: Panel, api: httpx.Client) -> None:
    for number in (90, 70, 80):
        panel.add_plan(f"Plan {number}", 1, 1, id=number)
    assert [row["id"] for row in api.get("plans").json()["data"]] == [1, 2, 3, 4, 70, 80, 90]
