"""A value that is slow to read is read by one thread at a time, kept for a while, and outlives an outage."""

import queue
import threading
import time
from collections.abc import Callable

import pytest

from tollbridge import NotFound, Refused, Unavailable
from tollbridge.kept import Freshness, Kept, aside


def test_an_answer_is_kept_for_a_minute_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    answers = iter([1, 2, 3])
    kept = Kept(lambda: next(answers))
    assert (kept.get(), kept.get()) == (1, 1)
    assert kept.get(fresh=True) == 2
    now += 59
    assert kept.get() == 2
    now += 2
    assert kept.get() == 3


def test_an_error_is_not_kept() -> None:
    answers = iter([Unavailable("down"), "up"])

    def read() -> str:
        answer = next(answers)
        if isinstance(answer, Unavailable):
            raise answer
        return str(answer)

    kept = Kept(read)
    with pytest.raises(Unavailable):
        kept.get()
    assert kept.get() == "up"


def test_threads_that_wait_for_a_fresh_answer_share_it() -> None:
    asked: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def read() -> int:
        asked.append(1)
        begun.set()
        go_on.wait()
        return len(asked)

    kept = Kept(read)
    threads = [threading.Thread(target=lambda: kept.get(fresh=True)) for _ in range(6)]
    threads[0].start()
    begun.wait()
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(asked) <= 2


def test_threads_ask_once() -> None:
    asked: list[int] = []
    kept = Kept(lambda: asked.append(1))
    threads = [threading.Thread(target=kept.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [1]


class Slow:
    """A system that answers when it is told to, from threads of its own."""

    def __init__(self, freshness: Freshness) -> None:
        self.asked = 0
        self.answers: queue.Queue[object] = queue.Queue()
        self.kept = Kept(self.read, freshness, aside)

    def read(self) -> object:
        self.asked += 1
        answer = self.answers.get(timeout=30)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_while_it_is_read_anew_the_older_value_is_given() -> None:
    slow = Slow(Freshness(0, stale_seconds=3600, most_seconds=30))
    slow.answers.put("first")
    assert slow.kept.get() == "first"
    assert [slow.kept.get() for _ in range(5)] == ["first"] * 5
    assert slow.asked == 2, "one reading at a time"
    slow.answers.put("second")
    while slow.kept.get() != "second":
        pass
    slow.answers.put("third")


def test_who_has_nothing_older_waits_no_longer_than_the_most_and_the_reading_goes_on() -> None:
    slow = Slow(Freshness(60, most_seconds=0.01))
    with pytest.raises(Unavailable, match="no answer yet"):
        slow.kept.get()
    slow.answers.put("late")
    while slow.kept.remembered() is None:
        pass
    assert (slow.kept.get(), slow.asked) == ("late", 1)


@pytest.mark.parametrize(
    ("error", "given"),
    [(Unavailable("down"), True), (Refused("no"), True), (NotFound("gone"), False), (KeyError(), False)],
)
def test_an_older_value_outlives_an_outage_but_not_that_the_thing_is_gone(error: Exception, given: bool) -> None:
    answers: list[object] = ["old", error, Unavailable("down")]

    def read() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = Kept(read, Freshness(0, stale_seconds=3600))
    assert kept.get() == "old"
    if given:
        assert kept.get() == "old"
        return
    with pytest.raises(type(error)):
        kept.get()
    if isinstance(error, NotFound):
        with pytest.raises(Unavailable):
            kept.get()


def test_an_older_value_is_not_given_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    answers = iter(["old"])

    def read() -> str:
        try:
            return next(answers)
        except StopIteration:
            raise Unavailable("down") from None

    kept = Kept(read, Freshness(10, stale_seconds=50))
    assert kept.get() == "old"
    now += 49
    assert kept.get() == "old"
    now += 2
    with pytest.raises(Unavailable, match="down"):
        kept.get()


def test_where_a_reading_is_not_even_begun_the_reason_reaches_who_asked() -> None:
    def refuse(_read: Callable[[], None]) -> None:
        raise Unavailable("too many")

    kept = Kept(lambda: 1, start=refuse)
    for _ in range(2):
        with pytest.raises(Unavailable, match="too many"):
            kept.get()
