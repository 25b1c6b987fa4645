"""Several clients at once: work on a slow system, never more of it under way than the system stands."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import TypeVar

import attrs

from tollbridge.errors import AdapterFault, LedgerError, ServiceError, TollbridgeError

Item = TypeVar("Item")
Value = TypeVar("Value")

Slot = Callable[[], AbstractContextManager[object]]


@attrs.frozen
class AtOnce:
    """How much is done at once.

    Attributes:
        most: how many pieces of work may be under way in this run.
        slot: what each holds while it is under way; runs that share a system share its slots.
    """

    most: int
    slot: Slot = nullcontext

    def each(
        self, work: Callable[[Item], Value], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Value | TollbridgeError]]:
        """What becomes of each item, in the order in which they end; an error that is one client's comes as itself.

        Items are taken one by one, as there is room, in the caller's thread. What is not one client's error (a lost
        ledger, a bug) is raised once all that is under way has ended; nothing more is begun then.
        """
        if self.most == 1:
            for item in items:
                with self.slot():
                    result = tried(work, item)
                yield item, result
            return
        with ThreadPoolExecutor(self.most, thread_name_prefix="tollbridge-run") as pool:
            under_way: dict[Future[Value | TollbridgeError], Item] = {}
            waiting = iter(items)

            def begin() -> None:
                for item in islice(waiting, self.most - len(under_way)):
                    under_way[pool.submit(self._one, work, item)] = item

            raised: BaseException | None = None
            try:
                begin()
                while under_way:
                    ended = wait(under_way, return_when=FIRST_COMPLETED).done
                    raised = raised or next(filter(None, (future.exception() for future in ended)), None)
                    results = [(under_way.pop(future), future) for future in ended]
                    if raised is None:
                        begin()  # before the caller hears of the results, so that nobody idles meanwhile
                    yield from ((item, future.result()) for item, future in results if future.exception() is None)
                if raised is not None:
                    raise raised
            finally:
                for future in under_way:
                    future.cancel()

    def _one(self, work: Callable[[Item], Value], item: Item) -> Value | TollbridgeError:
        with self.slot():
            return tried(work, item)


def tried(work: Callable[[Item], Value], item: Item) -> Value | TollbridgeError:
    """``work(item)``, or the error that is this item's alone."""
    try:
        return work(item)
    except LedgerError:
        raise
    except (ServiceError, AdapterFault) as error:
        return error
