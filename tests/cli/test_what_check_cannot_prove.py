"""``tollbridge check`` on what nobody can know without writing, and on taxes that nobody pays."""

import json

import attrs
import pytest

from tests.cli.company import Operator
from tollbridge import Check
from tollbridge.adapters.billing import BillingSystem


@pytest.mark.parametrize(("states", "code", "last"), [
    ([True, None], 0, "Nothing was found wrong; 1 of"),
    ([True, None, False], 2, "1 of"),
    ([True], 0, "All is well."),
])  # fmt: skip
def test_what_could_not_be_proved_fails_nothing_and_is_not_called_well(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, states: list[bool | None], code: int, last: str
) -> None:
    checks = [Check(f"right {number}", ok, "to create invoices") for number, ok in enumerate(states)]
    monkeypatch.setattr(BillingSystem, "check", lambda _: checks)
    told = operator("check")
    assert told.code == code
    assert told.out.strip().splitlines()[-1].startswith(last)
    marks = {True: "ok", None: "?", False: "NO"}
    for number, ok in enumerate(states):
        assert [line.split()[0] for line in told.out.splitlines() if f"right {number}" in line] == [marks[ok]]
    document = json.loads(operator("check", "--json").out)
    assert [each["ok"] for each in document["checks"] if each["name"].startswith("right")] == states
    assert document["ok"] is (code == 0)


@pytest.mark.parametrize(("state", "warned"), [("TX", True), ("Texas", False), ("texas", False)])
def test_a_tax_of_a_state_that_is_written_in_another_way_is_told_before_the_first_invoice(
    operator: Operator, state: str, warned: bool
) -> None:
    operator.world.more = f'[[pricing.taxes]]\nlabel = "Sales tax"\nrate = "6.25"\ncountry = "US"\nstate = "{state}"'
    operator.world.add_client(77, country="US", state="Texas")
    told = " ".join(operator("check").out.split())
    assert ("nobody pays Sales tax in US TX: clients live in Texas" in told) is warned


def test_a_check_is_one_of_three() -> None:
    assert [attrs.asdict(Check("x", ok))["ok"] for ok in (True, False, None)] == [True, False, None]
    with pytest.raises(TypeError):
        Check("x", "maybe")  # type: ignore[arg-type]
