"""A client's user is made once, linked to nobody else's client, and changed only as asked."""

from typing import Any

import attrs
import httpx
import pytest

from tests.solus.panels import Bank, a_bank, settings_for
from tests.world import QUICK
from tollbridge.errors import Conflict, Incomplete, NotFound, OutcomeUnknown, Refused, ServiceError, Unavailable
from tollbridge.model import UserStatus
from tollbridge.sandbox import Kind
from tollbridge.solus import Solus, SolusUser
from tollbridge.solus.sandbox import Fault

FAULTS: list[Kind] = ["500", "503", "429", "cut", "lost", "html", "empty"]
NOT_DONE: list[Kind] = ["500", "503", "429", "cut", "lost", "html"]  # a change answered with nothing counts as done
EMAIL, CLIENT = "ada@example.com", 1042


def _users(bank: Bank) -> list[tuple[str, int | None]]:
    return [(user.email, user.billing_user_id) for user in bank.panel.users[1:]]


def _until_done(bank: Bank, runs: int = 3) -> SolusUser:
    """The user after at most this many runs of the daily job."""
    for _ in range(runs - 1):
        try:
            return bank.solus.ensure_user(EMAIL, CLIENT)
        except Unavailable:
            continue
    return bank.solus.ensure_user(EMAIL, CLIENT)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "users"), ("GET", "roles"), ("GET", "limit_groups"), ("POST", "users")]
)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_user_is_made_once_whatever_goes_wrong_on_the_way(
    bank: Bank, kind: Kind, method: str, path: str, times: int
) -> None:
    bank.panel.faults.add(Fault(kind, method, path, times=times))
    user = _until_done(bank, runs=5)
    assert _users(bank) == [(EMAIL, CLIENT)]
    assert user == SolusUser(bank.panel.users[-1].id, EMAIL, UserStatus.ACTIVE, CLIENT)


@pytest.mark.parametrize(
    ("kind", "searches", "creations"), [("lost", 2, 1), ("cut", 2, 2), ("500", 2, 2), ("html", 2, 2)]
)
def test_a_creation_in_doubt_is_searched_for_before_it_is_tried_again(
    bank: Bank, kind: Kind, searches: int, creations: int
) -> None:
    bank.panel.faults.add(Fault(kind, "POST", "users"))
    bank.solus.ensure_user(EMAIL, CLIENT)
    assert (len(bank.asked("GET", "users")), len(bank.asked("POST", "users"))) == (searches, creations)


def test_a_creation_that_never_succeeds_has_an_unknown_outcome_and_leaves_no_user(bank: Bank) -> None:
    bank.panel.faults.add(Fault("cut", "POST", "users", times=None))
    with pytest.raises(OutcomeUnknown, match="next run looks again"):
        bank.solus.ensure_user(EMAIL, CLIENT)
    assert _users(bank) == []
    assert len(bank.asked("POST", "users")) == 3


@pytest.mark.parametrize("kind", NOT_DONE)
def test_linking_survives_every_fault(bank: Bank, kind: Kind) -> None:
    bank.panel.add_user(EMAIL)
    bank.panel.faults.add(Fault(kind, "PUT", "users"))
    _until_done(bank)
    assert _users(bank) == [(EMAIL, CLIENT)]
    assert bank.asked("POST") == []


def test_an_unlinked_user_with_the_address_in_other_letters_is_linked_and_nothing_else_changes(bank: Bank) -> None:
    before = bank.panel.add_user("ADA@Example.COM", status="locked")
    user = bank.solus.ensure_user(EMAIL, CLIENT)
    assert user == SolusUser(before.id, "ADA@Example.COM", UserStatus.LOCKED, CLIENT)
    after = bank.panel.user(before.id)
    assert (after.email, after.status, after.role_ids) == ("ADA@Example.COM", "locked", before.role_ids)
    assert [entry.body for entry in bank.asked("PUT")] == [{"billing_user_id": CLIENT}]


def test_the_clients_own_user_is_taken_as_it_is_without_a_write(bank: Bank) -> None:
    bank.panel.ids_as_text = True
    bank.panel.add_user(EMAIL, billing_user_id=CLIENT, status="suspended")
    assert bank.solus.ensure_user(EMAIL, CLIENT).status is UserStatus.SUSPENDED
    assert [entry.method for entry in bank.asked()] == ["GET"]


def test_another_clients_user_is_a_conflict_and_stays_as_it_is(bank: Bank) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=7)
    with pytest.raises(Conflict, match=f"user {user.id} .* belongs to client 7"):
        bank.solus.ensure_user(EMAIL, CLIENT)
    assert _users(bank) == [(EMAIL, 7)]
    assert {entry.method for entry in bank.asked()} == {"GET"}


def test_a_look_alike_is_not_the_client(bank: Bank) -> None:
    bank.panel.add_user("xada@example.com")
    bank.solus.ensure_user(EMAIL, CLIENT)
    assert _users(bank) == [("xada@example.com", None), (EMAIL, CLIENT)]


def test_a_new_user_gets_the_role_the_limit_group_and_a_password_of_its_own(bank: Bank) -> None:
    bank.solus.ensure_user(EMAIL, CLIENT)
    (creation,) = bank.asked("POST", "users")
    group = next(group for group in bank.panel.tables.limit_groups if group.name == "postpaid")
    assert creation.body == {"email": EMAIL, "password": "********", "status": "active", "roles": [2],
                             "billing_user_id": CLIENT, "limit_group_id": group.id}  # fmt: skip
    assert bank.panel.user(2).limit_group_id == group.id


@pytest.mark.parametrize("group", [2, "trial"])
def test_role_and_limit_group_are_named_or_numbered(group: int | str) -> None:
    with a_bank(limit_group=group, role=2) as bank:
        bank.solus.ensure_user(EMAIL, CLIENT)
        assert (bank.panel.user(2).limit_group_id, bank.panel.user(2).role_ids) == (2, (2,))


@pytest.mark.parametrize(
    ("key", "words"), [("role", r"no role 'gold' \(solus.role\); it has: ADMIN, CLIENT"),
                       ("limit_group", r"no limit group 'gold' \(solus.limit_group\); it has: postpaid, trial")],
)  # fmt: skip
def test_a_role_or_group_that_does_not_exist_is_refused_before_a_user_is_made(key: str, words: str) -> None:
    with a_bank(per_page=15, **{key: "gold"}) as bank:
        with pytest.raises(Refused, match=words):
            bank.solus.ensure_user(EMAIL, CLIENT)
        assert _users(bank) == []


def test_an_address_solusio_refuses_is_refused_once_and_in_its_words(bank: Bank) -> None:
    with pytest.raises(Refused, match=r"422.*email"):
        bank.solus.ensure_user("no address", CLIENT)
    assert len(bank.asked("POST")) == 1


@pytest.mark.parametrize("kind", NOT_DONE)
@pytest.mark.parametrize("status", UserStatus)
def test_setting_a_status_can_be_repeated_until_it_is_done(bank: Bank, status: UserStatus, kind: Kind) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=CLIENT, status="locked")
    bank.panel.faults.add(Fault(kind, "PUT", "users"))
    for _ in range(2):
        try:
            bank.solus.set_status(user.id, status)
            break
        except Unavailable as error:
            assert not isinstance(error, OutcomeUnknown)  # noqa: PT017
    after = bank.panel.user(user.id)
    assert (after.status, after.billing_user_id, after.email) == (status, CLIENT, EMAIL)


def test_changing_an_address_changes_nothing_else(bank: Bank) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=CLIENT, status="locked")
    bank.solus.change_email(user.id, "new@example.com")
    after = bank.panel.user(user.id)
    assert (after.email, after.status, after.billing_user_id) == ("new@example.com", "locked", CLIENT)


def test_deleting_a_user_twice_is_deleting_it_once_and_one_with_servers_stays(bank: Bank) -> None:
    user, owner = bank.panel.add_user(EMAIL), bank.panel.add_user("bob@example.com")
    bank.panel.create_server(owner.id, 1, "web-1")
    bank.solus.delete_user(user.id)
    bank.solus.delete_user(user.id)
    with pytest.raises(Refused, match="409: The user has servers"):
        bank.solus.delete_user(owner.id)
    assert _users(bank) == [("bob@example.com", None)]
    assert bank.solus.has_servers(owner.id)
    assert not bank.solus.has_servers(1)


def test_an_unknown_status_stops_everything_rather_than_be_guessed(bank: Bank) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=CLIENT)
    bank.panel.tables.users.put(attrs.evolve(user, status="banned"))
    with pytest.raises(Incomplete, match=f"user {user.id} with the unknown status 'banned'"):
        list(bank.solus.users())


def test_a_log_in_link_opens_the_clients_account_once(bank: Bank) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=CLIENT)
    link = bank.solus.login_url(user.id, CLIENT, EMAIL)
    assert link.startswith(f"{bank.url}/auth/by_token/")
    assert EMAIL in httpx.get(link).text
    assert httpx.get(link).status_code == 404


def test_a_log_in_link_leads_to_the_user_area_where_there_is_one(bank: Bank) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=CLIENT)
    solus = Solus(settings_for(bank.url, user_area_url="https://my.example.com/"), QUICK)
    assert solus.login_url(user.id, CLIENT, EMAIL).startswith("https://my.example.com/auth/by_token/")
    solus.close()


@pytest.mark.parametrize("changes", [{"billing_user_id": 7}, {"billing_user_id": None}, {"role_ids": (1,)}])
def test_nobody_is_logged_in_as_a_user_that_has_become_somebody_elses_or_an_administrator(
    bank: Bank, changes: dict[str, Any]
) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=CLIENT)
    bank.panel.tables.users.put(attrs.evolve(user, **changes))
    with pytest.raises(Conflict, match="nobody is logged in as it"):
        bank.solus.login_url(user.id, CLIENT, EMAIL)
    with pytest.raises(NotFound, match="tollbridge sync"):
        bank.solus.login_url(user.id, CLIENT, "other@example.com")
    assert bank.asked("POST") == []


@pytest.mark.parametrize("kind", ["lost", "html", "empty", "500"])
def test_a_log_in_token_whose_answer_is_lost_is_not_asked_for_again_by_itself(bank: Bank, kind: Kind) -> None:
    user = bank.panel.add_user(EMAIL, billing_user_id=CLIENT)
    bank.panel.faults.add(Fault(kind, "POST", "users"))
    with pytest.raises(OutcomeUnknown):
        bank.solus.login_url(user.id, CLIENT, EMAIL)
    assert len(bank.asked("POST")) == 1


def test_connecting_changes_only_what_it_says(bank: Bank) -> None:
    before = bank.panel.settings
    connection = bank.solus.connect("https://bridge.example.com/solusio/api/", "bridge-token")
    after = bank.panel.settings
    assert (connection.driver, connection.token_set, connection.registration) == ("whmcs", True, False)
    assert after["billing_integration"]["drivers"]["whmcs"] == {
        "url": "https://bridge.example.com/solusio/api/", "token": "bridge-token"
    }  # fmt: skip
    assert not after["features"]["allow_registration"]
    after["billing_integration"]["drivers"]["whmcs"] = before["billing_integration"]["drivers"]["whmcs"]
    after["features"]["allow_registration"] = True
    assert after == before


def test_connecting_sends_whole_tables_and_no_others_and_reads_back(bank: Bank) -> None:
    bank.panel.patch_settings({"billing_integration": {"drivers": {"other": {"url": "https://o.example", "extra": 1}}}})
    bank.panel.patch_settings({"billing_integration": {"is_strict": True}})
    before = bank.panel.settings
    bank.solus.connect("https://bridge.example.com/solusio/api/", "t0ken")
    assert [entry.method for entry in bank.asked(path="settings")] == ["GET", "PATCH", "GET"]
    body = bank.asked("PATCH")[0].body
    assert body.keys() == {"billing_integration", "features"}
    assert body["features"] == {**before["features"], "allow_registration": False}
    assert body["billing_integration"].keys() == before["billing_integration"].keys()
    assert body["billing_integration"]["drivers"]["other"] == {"url": "https://o.example", "extra": 1}


def test_a_panel_that_knows_a_custom_driver_gets_that_one(bank: Bank) -> None:
    bank.panel.patch_settings({"billing_integration": {"drivers": {"custom": {"url": "", "token": "", "retries": 3}}}})
    whmcs = bank.panel.settings["billing_integration"]["drivers"]["whmcs"]
    assert bank.solus.connect("https://bridge.example.com/solusio/api/", "t0ken").driver == "custom"
    after = bank.panel.settings["billing_integration"]
    assert after["type"] == "custom"
    assert after["drivers"]["custom"] == {
        "url": "https://bridge.example.com/solusio/api/", "token": "t0ken", "retries": 3
    }  # fmt: skip
    assert after["drivers"]["whmcs"] == whmcs


def test_settings_that_solusio_did_not_take_are_named(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank.panel, "patch_settings", lambda _patch: bank.panel.settings)
    with pytest.raises(
        Refused, match=r"billing_integration\.drivers\.whmcs\.url.*features\.allow_registration"
    ) as caught:
        bank.solus.connect("https://bridge.example.com/solusio/api/", "a-bridge-token")
    assert "a-bridge-token" not in str(caught.value)


@pytest.mark.parametrize("kind", [*FAULTS, "half_page"])
def test_connecting_again_after_any_fault_ends_connected(bank: Bank, kind: Kind) -> None:
    bank.panel.faults.add(Fault(kind, "*", "settings"))
    for _ in range(3):
        try:
            bank.solus.connect("https://bridge.example.com/solusio/api/", "t0ken")
        except ServiceError:
            continue
    assert bank.panel.settings["billing_integration"]["drivers"]["whmcs"]["token"] == "t0ken"


def test_a_missing_user_is_not_found(bank: Bank) -> None:
    with pytest.raises(NotFound):
        bank.solus.set_status(77, UserStatus.LOCKED)
    assert bank.solus.find_user("nobody@example.com") is None
