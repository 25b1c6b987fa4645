"""``[solus.usage.fields]``: a feed of another shape is billed to the token, or refused, and never in part."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbridge.config import UsageFields, UsageSettings
from tollbridge.errors import Incomplete, Refused
from tollbridge.fields import FieldError
from tollbridge.model import UserUsage
from tollbridge.rules.metering import computed_tokens
from tollbridge.solus.panel import Envelope
from tollbridge.solus.sandbox import FeedShape, Panel, in_memory, small_company
from tollbridge.usage import panel_feed
from tollbridge.usage.feed_rows import usage_of

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
FLAT = UsageFields(items="", plan="plan_name", tokens_per_hour="tokens_per_hour", tokens_per_month="tokens_per_month")
FITTING: dict[FeedShape, UsageFields] = {
    "declared": UsageFields(),
    "names": UsageFields(
        rows="usage", user="customer.id", billing_user="customer.billing_id", items="resources", type="kind",
        id="resource_id", name="label", tokens="token_count", plan="plan_name", tokens_per_hour="hourly_tokens",
        tokens_per_month="monthly_tokens", hours="hours", deleted="removed", last_page="meta.lastPage",
        current_page="meta.currentPage",
    ),
    "flat": FLAT,
    "text": UsageFields(),
    "paging": UsageFields(
        total="paging.total_count", last_page="", current_page="paging.page", per_page="paging.size"
    ),
}  # fmt: skip


@pytest.fixture
def panel() -> Panel:
    """Four users with servers, backups and addresses in June, one without a client, and pages of two rows."""
    made = Panel(JUNE, per_page=2)
    small_company(made)
    for client in (1042, 1043, 1044, None):
        user = made.add_user(f"c{client}@example.com", billing_user_id=client)
        for number in range(2):
            made.create_server(user.id, number + 1, f"web-{number}", backups=number == 0, additional_ips=number)
    made.set_time(datetime(2026, 7, 2, tzinfo=UTC))
    return made


def read(panel: Panel, fields: UsageFields) -> list[UserUsage]:
    solus = in_memory(panel)
    try:
        return list(panel_feed(solus.panel, UsageSettings(fields=fields)).read(JUNE, JULY))
    finally:
        solus.close()


def by_user(usage: list[UserUsage]) -> dict[int, tuple[int | None, list[Any]]]:
    return {
        user.user_id: (user.billing_user_id, sorted(user.items, key=lambda item: (item.type, item.id)))
        for user in usage
    }


@pytest.mark.parametrize("shape", FITTING)
def test_the_same_usage_is_read_in_whatever_shape_it_comes(panel: Panel, shape: FeedShape) -> None:
    declared = by_user(read(panel, UsageFields()))
    assert len(declared) == 4
    panel.feed = shape
    found = by_user(read(panel, FITTING[shape]))
    assert found == declared
    servers = [item for _, items in found.values() for item in items if item.server]
    assert [computed_tokens(item) for item in servers] == [item.tokens for item in servers]


@pytest.mark.parametrize("shape", ["names", "flat", "totals", "paging"])
def test_a_shape_that_is_not_configured_is_refused_and_the_meter_is_named_for_its_rows(
    panel: Panel, shape: FeedShape
) -> None:
    panel.feed = shape
    with pytest.raises(Incomplete) as refused:
        read(panel, UsageFields())
    if shape in {"flat", "totals"}:
        assert "from sums per user nothing is invoiced" in str(refused.value)
        assert 'source = "meter"' in str(refused.value)


def test_a_panel_without_a_feed_is_refused_in_words_that_name_the_meter(panel: Panel) -> None:
    panel.feed = "none"
    with pytest.raises(Refused, match='source = "meter"'):
        read(panel, UsageFields())


def test_sums_per_user_cannot_be_taken_for_items() -> None:
    with pytest.raises(FieldError, match="meter"):
        UsageFields(items="", id="user_id")


def _read_paths() -> list[tuple[FeedShape, str]]:
    """Every path of every shape that is read."""
    return [
        (shape, field.name)
        for shape, fields in FITTING.items()
        for field in attrs.fields(UsageFields)
        if getattr(fields, field.name) and field.name not in {"uuid", "per_page" if fields.last_page else ""}
    ]


@pytest.mark.parametrize(("shape", "field"), _read_paths())
def test_a_path_that_leads_nowhere_bills_nothing(panel: Panel, shape: FeedShape, field: str) -> None:
    panel.feed = shape
    wrong = attrs.evolve(FITTING[shape], **{field: "no.such.place"})
    with pytest.raises(Incomplete, match=r"'no\.such\.place'"):
        read(panel, wrong)


@pytest.mark.parametrize(("key", "wrong"), [("rows", ""), ("user", ""), ("name", ""), ("tokens", ""), ("total", ""),
                                            ("rows", "a..b"), ("tokens", "."), ("plan", "a.\x1b")])  # fmt: skip
def test_a_path_that_cannot_be_one_is_refused_by_its_key(key: str, wrong: str) -> None:
    with pytest.raises(FieldError, match=f"^{key} must be a path"):
        UsageFields(**{key: wrong})


@pytest.mark.parametrize("keys", [{"id": "", "uuid": ""}, {"last_page": "", "per_page": ""}])
def test_what_would_leave_items_or_pages_untold_is_refused(keys: dict[str, str]) -> None:
    with pytest.raises(FieldError, match="one of them"):
        UsageFields(**keys)


ROWS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["server", "backup"]), st.integers(1, 9), st.integers(0, 10**9)),
    unique_by=lambda row: row[:3],
)


@settings(deadline=None)
@given(rows=ROWS, per_page=st.integers(1, 5))
def test_flat_rows_of_one_user_are_joined_wherever_they_stand_and_no_token_is_lost(
    rows: list[tuple[int, str, int, int]], per_page: int
) -> None:
    flat = UsageFields(items="", hours="")
    sent = [
        {
            "user_id": user,
            "billing_user_id": user + 1000,
            "type": kind,
            "id": number,
            "name": "x",
            "tokens": f"{tokens}",
        }
        for user, kind, number, tokens in rows
    ]
    found = list(usage_of(sent, flat))
    assert len({user.user_id for user in found}) == len(found)
    assert {
        (user.user_id, item.type, item.id, item.tokens) for user in found for item in user.items
    } == set(rows)  # fmt: skip
    assert all(user.billing_user_id == user.user_id + 1000 for user in found)
    pages = [sent[at : at + per_page] for at in range(0, len(sent), per_page)] or [[]]
    envelope = Envelope("r", "n", "", "", "s")
    document = {"r": pages[0], "n": len(sent), "s": str(per_page)}
    assert envelope.page(document, 1, "usage").last == len(pages)


def test_one_user_of_two_clients_is_billed_to_neither() -> None:
    row = {"user_id": 7, "billing_user_id": 1042, "type": "backup", "id": 1, "name": "x", "tokens": 1}
    with pytest.raises(Incomplete, match="user 7 is of client 1042 and of 1043"):
        list(usage_of([row, {**row, "id": 2, "billing_user_id": "1043"}], UsageFields(items="")))


@pytest.mark.parametrize("text", ["7", "007"])
def test_text_that_is_a_whole_number_counts_as_one(text: str) -> None:
    [user] = usage_of(
        [{"user_id": text, "billing_user_id": text, "items": [{"type": "x", "id": text, "name": "", "tokens": text}]}],
        UsageFields(),
    )
    assert (user.user_id, user.billing_user_id, user.items[0].id, user.tokens) == (7, 7, 7, 7)


@pytest.mark.parametrize("text", ["7.0", "7,0", "-7", "+7", " 7", "7 ", "1e3", "\u0667", "", "seven", "9" * 20])
def test_text_that_is_none_is_refused(text: str) -> None:
    row = {"user_id": 7, "billing_user_id": 7, "items": [{"type": "x", "id": 1, "name": "", "tokens": text}]}
    with pytest.raises(Incomplete, match="'tokens' is not a whole number"):
        list(usage_of([row], UsageFields()))


def _one_server(**item: Any) -> dict[str, Any]:
    return {"user_id": 7, "billing_user_id": 1042, "items": [{"name": "web-1", "tokens": 4900, **item}]}


def test_what_has_only_a_uuid_is_told_apart_by_it_and_always_gets_the_same_number() -> None:
    by_uuid = UsageFields(id="", type="", hours="")
    uuids = ["f5a25d27-8104-56a4-a234-2a40f73c379c", "f5a25d27-8104-56a4-a234-2a40f73c379d".replace("f5", "e5")]
    numbers = [
        usage.items[0].id for uuid in [*uuids, uuids[0]] for usage in usage_of([_one_server(uuid=uuid)], by_uuid)
    ]
    assert numbers[0] == numbers[2] != numbers[1]
    assert all(0 <= number < 2**63 for number in numbers)
    for wrong in ("web-1", 7, None):
        with pytest.raises(Incomplete, match="uuid"):
            list(usage_of([_one_server(uuid=wrong)], by_uuid))


@pytest.mark.parametrize("left_out", ["plan", "tokens_per_hour", "tokens_per_month", "hours"])
def test_a_server_without_all_that_its_tokens_come_from_is_billed_and_not_computed_again(left_out: str) -> None:
    fields = UsageFields(**{left_out: ""}, type="", deleted="")
    [user] = usage_of([_one_server(id=1)], fields)
    assert (user.items[0].type, user.items[0].server, user.tokens) == ("server", None, 4900)


def test_a_feed_that_names_no_clients_leaves_them_to_the_bridges_own_links() -> None:
    row = {"user_id": 7, "items": []}
    [user] = usage_of([row], UsageFields(billing_user=""))
    assert user.billing_user_id is None
    with pytest.raises(Incomplete, match="without 'billing_user_id'"):
        list(usage_of([row], UsageFields()))


@pytest.mark.parametrize(
    "document",
    [
        {"r": [], "n": 1, "s": 0}, {"r": [], "n": 1}, {"r": {}, "n": 1, "s": 1}, {"r": [], "n": "1.0", "s": 1},
        {"r": [], "n": 1, "s": 1, "p": 2}, {"r": [], "n": 1, "s": 1, "p": 0},
    ],
)  # fmt: skip
def test_a_page_whose_numbers_do_not_hold_is_refused(document: dict[str, Any]) -> None:
    envelope = Envelope("r", "n", "", "p" if "p" in document else "", "s")
    with pytest.raises(Incomplete):
        envelope.page(document, 1, "usage")
