"""Today: what the morning's first look must show."""

from tests.server.operator.office import Office


def test_what_waits_is_named_with_the_command_that_decides_it(office: Office) -> None:
    waiting = {row["who"]: row["what_to_do"] for row in office.operator().table("", "waiting")}
    assert waiting.keys() == {"TB-2026-07-5", "TB-2026-08-5", "user 7 in 2026-06"}
    assert "tollbridge approve TB-2026-07-5 --reason TEXT" in waiting["TB-2026-07-5"]
    assert "tollbridge write-off --user 7 --month 2026-06 --reason TEXT" in waiting["user 7 in 2026-06"]


def test_each_run_is_there_with_how_it_ended(office: Office) -> None:
    runs = office.operator().table("", "runs")
    kept = office.parts.ledger.runs.last(10)
    assert [(row["run"], row["command"], row["outcome"]) for row in runs] == [
        (str(run.id), "run", run.outcome) for run in kept
    ]
    assert [row["failed"] for row in runs] == [str(len((run.report or {})["failures"])) for run in kept]


def test_what_waits_is_not_told_again_as_a_failure(office: Office) -> None:
    assert office.operator().table("", "failures") == []


def test_a_month_that_is_over_and_open_is_stuck(office: Office) -> None:
    stuck = {row["who"]: row["state"] for row in office.operator().table("", "stuck")}
    assert stuck == {"2026-07": "open", "2026-08": "open"}


def test_the_feed_is_what_was_read_last(office: Office) -> None:
    newest = office.parts.ledger.readings.newest()
    assert newest is not None
    facts = office.operator().page().one("section", **{"aria-labelledby": "feed-title"}).text
    assert f"Tokens in it {newest[1].tokens:,}" in facts


def test_the_endpoint_counts_what_it_answered(office: Office) -> None:
    form = {"action": "GetTokenPricing", "userid": "1", "token": "bridge-token"}
    assert office.browser().http.post("/solusio/api/", data=form).status_code == 200
    assert office.browser().http.post("/solusio/api/", data={**form, "token": "wrong"}).status_code == 401
    facts = office.operator().page().one("section", **{"aria-labelledby": "endpoint-title"}).text
    assert "Price look-ups answered 1 Refused 1 Failed 0" in facts
