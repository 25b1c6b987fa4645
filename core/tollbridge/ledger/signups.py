"""Who signs up, step by step, and who has: no step is forgotten, and no password is ever among what is kept."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import enrolments, signups

MAILED, CONFIRMED, CREATING, CREATED, DONE = "mailed", "confirmed", "creating", "created", "done"
_ABANDONED_KEPT, _FINISHED_KEPT = timedelta(days=1), timedelta(days=30)


@attrs.frozen
class Joining:
    """A sign-up under way.

    Attributes:
        state: ``mailed``: the link was sent; ``confirmed``: it was followed, and the address is a client's already, who
            must prove who they are; ``creating``: the terms were accepted, and a client may have been made;
            ``created``: the client is known; ``done``: SolusIO has its user.
    """

    nonce: str
    email: str
    first_name: str
    last_name: str
    company: str
    currency: str
    country: str
    state: str
    client_id: int | None
    expires_at: datetime

    @property
    def is_known(self) -> bool:
        """Whether there is a client already, whose password must be proved before anybody is logged in as it."""
        return self.state == CONFIRMED or self.client_id is not None


class Signups:
    """The ledger's sign-ups and enrolments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, joining: Joining, *, language: str, at: datetime) -> None:
        """Keep a new sign-up."""
        with self._database.write() as connection:
            connection.execute(sa.insert(signups).values(**attrs.asdict(joining), language=language, created_at=at))

    def find(self, nonce: str) -> Joining | None:
        """The sign-up that a link is about."""
        return next(iter(self._where(signups.c.nonce == nonce)), None)

    def unfinished(self) -> list[Joining]:
        """Those whose terms were accepted, and which did not come to their end."""
        return self._where(signups.c.state.in_([CREATING, CREATED]))

    def accepted(self, nonce: str, at: datetime) -> None:
        """The terms were accepted; from now on a client may be made."""
        self._change(nonce, {MAILED, CREATING}, state=CREATING, terms_accepted_at=at)

    def confirmed(self, nonce: str) -> None:
        """The billing system made nobody, since the address is a client's already."""
        self._change(nonce, {CREATING}, state=CONFIRMED)

    def refused(self, nonce: str) -> None:
        """The billing system made nobody, for reasons of its own; another try may find it willing."""
        self._change(nonce, {CREATING}, state=MAILED)

    def created(self, nonce: str, client_id: int) -> None:
        """The client is known."""
        self._change(nonce, {MAILED, CONFIRMED, CREATING, CREATED}, state=CREATED, client_id=client_id)

    def done(self, nonce: str, at: datetime) -> None:
        """SolusIO has the client's user."""
        self._change(nonce, {CREATED}, state=DONE, done_at=at)

    def purge(self, now: datetime) -> None:
        """Forget who never accepted the terms, and who did long ago: the enrolment is what stays."""
        over = sa.or_(
            sa.and_(signups.c.state.in_([MAILED, CONFIRMED]), signups.c.expires_at <= now - _ABANDONED_KEPT),
            signups.c.expires_at <= now - _FINISHED_KEPT,
        )
        with self._database.write() as connection:
            connection.execute(sa.delete(signups).where(over))

    def enrol(
        self, client_id: int, *, at: datetime, terms_url: str, postpay_terms_url: str | None, proved_address: str | None
    ) -> None:
        """Note that a client accepted the terms; the first time counts, and of proved addresses the last."""
        values = {
            "client_id": client_id,
            "accepted_at": at,
            "terms_url": terms_url,
            "postpay_terms_url": postpay_terms_url,
            "proved_address": proved_address,
        }
        with self._database.write() as connection:
            known = ["client_id"]
            statement = self._database.insert(enrolments).values(**values)
            if proved_address:
                statement = statement.on_conflict_do_update(
                    index_elements=known, set_={"proved_address": proved_address}
                )
            else:
                statement = statement.on_conflict_do_nothing(index_elements=known)
            connection.execute(statement)

    def enrolled(self, client_ids: Sequence[int]) -> dict[int, str | None]:
        """Which of these clients have accepted the terms, and the address that each has proved, if any."""
        columns = enrolments.c.client_id, enrolments.c.proved_address
        query = sa.select(*columns).where(enrolments.c.client_id.in_(client_ids))
        with self._database.read() as connection:
            return {row.client_id: row.proved_address for row in connection.execute(query)}

    def _change(self, nonce: str, before: set[str], **values: Any) -> None:
        """Go on from one of the states ``before``; from any other there is no way back, so nothing is changed."""
        found = sa.and_(signups.c.nonce == nonce, signups.c.state.in_(sorted(before)))
        with self._database.write() as connection:
            connection.execute(sa.update(signups).where(found).values(**values))

    def _where(self, condition: sa.ColumnElement[bool]) -> list[Joining]:
        columns = [signups.c[field.name] for field in attrs.fields(Joining)]
        with self._database.read() as connection:
            rows: Iterable[Any] = connection.execute(sa.select(*columns).where(condition).order_by(signups.c.id))
            return [Joining(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's way to a row's columns
