"""How often something may be tried: by one browser's network, and about one e-mail address."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, Protocol, TypeVar

from anyio import current_time, sleep_until
from starlette.responses import Response

from tollbridge.ledger.visits import Visits
from tollbridge.server.pages.views import FIELD_LONGEST
from tollbridge.server.pages.visit import Stop, Visit
from tollbridge.server.pages.web import Web

_FAILED = {403, 409}
_GUESSING = timedelta(minutes=15)
_SOONEST = 0.5  # seconds

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def limit(
    web: Web, visit: Visit, bucket: str, most: int, within: timedelta, *, now: datetime | None = None
) -> None:
    """End the request if there were too many of its kind."""
    if not await web.in_ledger(web.visits.allow, bucket, most, within, now or datetime.now(UTC)):
        raise Stop(web.message(visit, "too_many", status=429))


async def guess(
    web: Web, visit: Visit, email: str, attempt: Callable[[], Response], *, by_link: bool = False
) -> Response:
    """What an attempt to prove a password answers, unless too many failed from here or about this address.

    ``by_link``: whoever comes with a mailed link is not kept out by what others tried elsewhere; a link has a limit of
    its own.
    """
    email = email.casefold()[: FIELD_LONGEST["email"]]
    here = f"login-from:{visit.address}"
    limits = {f"{here}:{email}": 10, here: 20} | ({} if by_link else {f"login:{email}": 50})
    return await limited_guess(web, limits, attempt, lambda: web.message(visit, "too_many", status=429))


class Counting(Protocol):
    """Pages that have threads for the ledger, in which attempts are counted."""

    visits: Visits

    async def in_ledger(self, function: Callable[Given, Result], *values: Given.args, **more: Given.kwargs) -> Result:
        """The function's result, from a thread for what waits for the ledger alone."""
        ...

    async def work(self, function: Callable[Given, Result], *values: Given.args, **more: Given.kwargs) -> Result:
        """The function's result, from a thread for what may wait for other systems."""
        ...


async def limited_guess(
    pages: Counting, limits: Mapping[str, int], attempt: Callable[[], Response], too_many: Callable[[], Response]
) -> Response:
    """What an attempt to prove a secret answers, unless too many failed; ``limits``: how many may, by bucket.

    Only what was tried counts, unless it went well. A failure is answered no sooner than after half a second, so that
    its time does not tell what was wrong.
    """
    now, sooner, response = datetime.now(UTC), current_time() + _SOONEST, None
    counted: list[str] = []
    try:
        for bucket, most in limits.items():
            if not await pages.in_ledger(pages.visits.allow, bucket, most, _GUESSING, now):
                raise Stop(too_many())
            counted.append(bucket)
        try:
            response = await pages.work(attempt)
        except Stop as stop:
            response = stop.response
    finally:
        if response is None or response.status_code < 400:
            for bucket in counted:
                await pages.in_ledger(pages.visits.forgive, bucket, now)
    if response.status_code in _FAILED:
        await sleep_until(sooner)
    return response
