"""Who of the clients is whom in SolusIO."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.model import Client, ClientStatus
from tollbridge.rules.accounts import Candidate, Clash, Create, Decision, Keep, Leave, Link, decide, gets_user

ADA = Client(1042, "ada@example.com", "USD")
ADDRESSES = st.sampled_from(["ada@example.com", "ADA@Example.com", "bob@example.com", "ada@example.com.invalid"])


@st.composite
def situations(draw: st.DrawFn) -> tuple[Client, list[Candidate]]:
    client = Client(
        1042, draw(st.sampled_from(["ada@example.com", ""])), "USD", status=draw(st.sampled_from(ClientStatus))
    )
    users = draw(st.lists(st.builds(Candidate, st.just(0), ADDRESSES, st.sampled_from([None, 1042, 7])), max_size=4))
    return client, [
        Candidate(number, user.email, user.billing_user_id)
        for number, user in enumerate(users)
        if user.billing_user_id == 1042 or user.email.casefold() == client.email
    ]


@pytest.mark.parametrize(
    ("candidates", "decision"),
    [
        ([], Create()),
        ([Candidate(7, "ADA@Example.com", None)], Link(7)),
        ([Candidate(7, "Ada@example.com", 1042)], Keep(7)),
        ([Candidate(7, "old@example.com", 1042)], Keep(7, email_changed=True)),
    ],
)
def test_a_client_gets_its_own_user_and_only_the_billing_id_decides_which(
    candidates: list[Candidate], decision: Decision
) -> None:
    assert decide(ADA, candidates, provision=True) == decision


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ([Candidate(7, "ada@example.com", 5)], "belongs to client 5"),
        ([Candidate(7, "ada@example.com", None), Candidate(8, "ADA@example.com", None)], "is not linked"),
        (
            [Candidate(7, "ada@example.com", None), Candidate(8, "ADA@example.com", 5)],
            "user 8, which belongs to client 5",
        ),
        ([Candidate(7, "a@example.com", 1042), Candidate(8, "b@example.com", 1042)], "users 7, 8 all carry"),
        (
            [Candidate(7, "old@example.com", 1042), Candidate(8, "ada@example.com", 5)],
            "user 8, which belongs to client 5",
        ),
        ([Candidate(7, "ada@example.com", 1042, is_administrator=True)], "is an administrator of the panel: unlink it"),
        (
            [Candidate(7, "ada@example.com", None, is_administrator=True)],
            "user 7, which is an administrator of the panel:",
        ),
        ([Candidate(7, "ada@example.com", 1042, is_administrator=None)], "does not say whether its user 7"),
        ([Candidate(7, "ada@example.com", None, is_administrator=None)], "may be an administrator of the panel"),
    ],
)
def test_what_only_a_human_can_decide_is_a_clash_that_names_the_user(candidates: list[Candidate], words: str) -> None:
    decision = decide(ADA, candidates, provision=True)
    assert isinstance(decision, Clash)
    assert words in decision.message


@pytest.mark.parametrize(
    ("status", "enrolled", "everybody", "gets_one"),
    [
        ("active", False, True, True),
        ("active", False, False, False),
        ("active", True, False, True),
        ("inactive", False, True, False),
        ("inactive", True, False, True),
        ("closed", True, True, False),
    ],
)
def test_every_active_client_gets_a_user_or_only_who_enrolled_and_a_closed_one_never(
    status: str, enrolled: bool, everybody: bool, gets_one: bool
) -> None:
    client = Client(1042, "ada@example.com", "USD", status=ClientStatus(status))
    assert gets_user(client, enrolled=enrolled, everybody=everybody) is gets_one


def test_who_must_sign_up_is_not_given_a_user_unasked() -> None:
    assert decide(ADA, [Candidate(7, "ada@example.com", None)], provision=False) == Leave()


@pytest.mark.parametrize("candidates", [[], [Candidate(7, "old@example.com", 1042)]])
def test_a_client_without_an_address_is_a_clash_and_its_user_does_not_lose_the_address_it_has(
    candidates: list[Candidate],
) -> None:
    decision = decide(Client(1042, "", "USD"), candidates, provision=True)
    assert isinstance(decision, Clash)
    assert "no e-mail address" in decision.message


@given(situations(), st.booleans())
def test_a_user_of_another_client_is_never_taken_over(
    situation: tuple[Client, list[Candidate]], provision: bool
) -> None:
    client, candidates = situation
    decision = decide(client, candidates, provision=provision)
    owners = {user.user_id: user.billing_user_id for user in candidates}
    if isinstance(decision, Link):
        assert owners[decision.user_id] is None
    if isinstance(decision, Keep):
        assert owners[decision.user_id] == client.id


@given(situations(), st.booleans())
def test_a_user_is_only_made_or_linked_for_a_client_that_gets_one_and_has_none_and_whose_address_is_free(
    situation: tuple[Client, list[Candidate]], provision: bool
) -> None:
    client, candidates = situation
    decision = decide(client, candidates, provision=provision)
    if isinstance(decision, Create | Link):
        assert provision
        assert client.email
        assert [user.billing_user_id for user in candidates] == ([] if decision == Create() else [None])


@given(situations())
def test_after_the_decision_is_carried_out_there_is_nothing_left_to_do(
    situation: tuple[Client, list[Candidate]],
) -> None:
    client, candidates = situation
    match decide(client, candidates, provision=True):
        case Create():
            after = [Candidate(99, client.email, client.id)]
        case Link(user_id) | Keep(user_id):
            after = [
                Candidate(user_id, client.email, client.id) if user.user_id == user_id else user for user in candidates
            ]
            expected = Keep(user_id)
            assert decide(client, after, provision=True) == expected
            return
        case _:
            return
    assert decide(client, after, provision=True) == Keep(99)


@given(situations(), st.booleans())
def test_the_order_of_the_users_does_not_change_what_is_done(
    situation: tuple[Client, list[Candidate]], provision: bool
) -> None:
    client, candidates = situation
    backwards = decide(client, candidates[::-1], provision=provision)
    forwards = decide(client, candidates, provision=provision)
    assert type(forwards) is type(backwards)
    if not isinstance(forwards, Clash):
        assert forwards == backwards
