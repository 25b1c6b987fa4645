"""Asking a slow system: several questions at once, and doubts that stay doubts."""

import pytest

from tollbridge import NotFound, OutcomeUnknown, Refused, Unavailable
from tollbridge.asking import each, made_certain, tried, whole_list


def test_each_keeps_the_order_leaves_none_out_and_gives_refusals_on() -> None:
    def read(number: int) -> int | None:
        if number % 10 == 3:
            raise Refused(f"client {number}")
        return None if number % 10 == 5 else number

    found = [str(value) for value in each(read, range(250))]
    assert found == [f"client {n}" if n % 10 == 3 else str(n) for n in range(250) if n % 10 != 5]


def test_one_broken_record_hides_no_others() -> None:
    def read(number: int) -> int:
        if number in {2, 5, 6}:
            raise Unavailable(f"record {number} answers 500")
        if number == 4:
            raise NotFound("gone meanwhile")
        return number

    found = [str(value) for value in each(read, range(8))]
    assert found == ["0", "1", "record 2 answers 500", "3", "record 5 answers 500", "record 6 answers 500", "7"]


def test_each_stops_when_the_system_is_down() -> None:
    def read(_number: int) -> int:
        raise Unavailable("down")

    with pytest.raises(Unavailable):
        list(each(read, range(5)))


@pytest.mark.parametrize("error", [Unavailable("down"), Refused("no"), NotFound("gone")])
def test_what_was_made_and_cannot_be_read_back_is_unknown(error: Exception) -> None:
    def read() -> int:
        raise error

    with pytest.raises(OutcomeUnknown, match=r"TB-1 was made, but .*" + str(error)):
        made_certain(read, "TB-1")
    with pytest.raises(OutcomeUnknown, match="is not found"):
        made_certain(lambda: None, "TB-1")
    assert made_certain(lambda: 5, "TB-1") == 5


def test_a_question_makes_a_check_and_an_outage_stays_one() -> None:
    def refuse() -> str:
        raise Refused("no such field")

    def fail() -> str:
        raise Unavailable("down")

    assert (tried("field", lambda: "there").ok, tried("field", lambda: "there").detail) == (True, "there")
    assert (tried("field", refuse).ok, tried("field", refuse).detail) == (False, "no such field")
    with pytest.raises(Unavailable):
        tried("field", fail)


@pytest.mark.parametrize("kind", [Refused, NotFound])
def test_a_no_to_a_whole_list_is_nobodys(kind: type[Exception]) -> None:
    with pytest.raises(Unavailable, match="no such list"), whole_list():
        raise kind("no such list")
