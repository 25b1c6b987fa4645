"""What a run does to the world outside itself, counted, so that something can happen just before or after any of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from tollbridge.jobs.daily import Run
from tollbridge.memory import Books

LEDGER = {
    "invoices": ("draft", "note_status", "settle"),
    "corrections": ("add",),
    "claims": ("claim", "take_over", "renew", "redate", "give_back", "record"),
    "months": ("begin", "draft", "close"),
    "price_lists": ("keep",),
    "readings": ("keep", "settle"),
    "leases": ("take", "give_back"),
    "accounts": ("add", "claim", "let_go", "change_email", "hold", "attempt", "set_status", "forget", "explain"),
    "runs": ("end",),
}
PANEL = ("set_status", "link", "ensure_user", "change_email", "delete_user")


class Died(BaseException):
    """The process is gone: nothing catches it, nothing cleans up in its name."""


@contextmanager
def happening(run: Run, books: Books, at: int, what: Callable[[], None], *, after: bool) -> Iterator[None]:
    """Let something happen at the ``at``-th effect, just before or just after it; the dead have no more effects."""
    count, dead = 0, False
    counting = threading.Lock()

    def happen() -> None:
        nonlocal dead
        try:
            what()
        except Died:
            dead = True
            raise

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            if dead:
                raise Died
            with counting:
                count += 1
                number = count
            if number == at and not after:
                happen()
            result = real(*arguments, **named)
            if number == at and after:
                happen()
            return result

        return effect

    with ExitStack() as stack:
        ledger = run.parts.ledger
        owners: list[tuple[Any, tuple[str, ...]]] = [(getattr(ledger, part), names) for part, names in LEDGER.items()]
        for owner, names in [*owners, (run.parts.solus, PANEL)]:
            for name in names:
                stack.enter_context(patch.object(owner, name, watched(getattr(owner, name))))
        stack.enter_context(patch.object(books, "book", watched(books.book)))
        yield
