"""Rows of the panel's feed as usage, found by the paths of ``[solus.usage.fields]``.

SolusIO names a ``/usage`` endpoint without publishing its shape, so the defaults of these paths declare one (see
docs/solusio.md). A row that lacks anything is refused, and with it the whole answer.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

import attrs

from tollbridge.config import UsageFields
from tollbridge.errors import Incomplete
from tollbridge.model import ServerMeter, UsageItem, UserUsage
from tollbridge.solus import wire

_SERVER = "server"
_METER = 'the bridge\'s own meter needs no feed (source = "meter" in [solus.usage])'
_ADVICE = f"`tollbridge probe` shows which [solus.usage.fields] fit, and where none do, {_METER}"
_BITS = 63  # of a uuid's 128, for what databases keep as an integer


def usage_of(rows: Iterable[wire.Row], fields: UsageFields) -> Iterator[UserUsage]:
    """The users' usage; where each row is an item, the rows of one user are joined, after the last of them.

    Raises:
        Incomplete: a row or an item lacks something, or the rows of one user name several clients.
    """
    reader = _Reader(fields)
    if fields.items:
        return map(reader.user, rows)
    return reader.joined(rows)


@attrs.frozen
class _Reader:
    fields: UsageFields

    def user(self, row: wire.Row) -> UserUsage:
        """A row that has a list of items."""
        try:
            return UserUsage(*self._who(row), tuple(map(self._item, self._items(row))))
        except Incomplete as error:
            raise Incomplete(f"{error}; {_ADVICE}") from None

    def joined(self, rows: Iterable[wire.Row]) -> Iterator[UserUsage]:
        """Rows that are items, by user, in the order in which users first come."""
        clients: dict[int, int | None] = {}
        items: dict[int, list[UsageItem]] = {}
        for row in rows:
            try:
                user_id, billing_id = self._who(row)
                item = self._item(row)
            except Incomplete as error:
                raise Incomplete(f"{error}; {_ADVICE}") from None
            if clients.setdefault(user_id, billing_id) != billing_id:
                raise Incomplete(f"the usage of user {user_id} is of client {clients[user_id]} and of {billing_id}")
            items.setdefault(user_id, []).append(item)
        for user_id, used in items.items():
            yield UserUsage(user_id, clients[user_id], tuple(used))

    def _who(self, row: wire.Row) -> tuple[int, int | None]:
        fields, where = self.fields, "a usage row"
        client = wire.billing_id(row, where, fields.billing_user) if fields.billing_user else None
        return wire.identifier(row, fields.user, where), client

    def _items(self, row: wire.Row) -> list[wire.Row]:
        if not wire.has(row, self.fields.items):
            who = row.get(self.fields.user)
            raise Incomplete(
                f"SolusIO's answer has a usage row without {self.fields.items!r} ({self.fields.user} {who!r:.30}), and"
                " from sums per user nothing is invoiced"
            )
        return wire.rows(row, self.fields.items, "a usage row")

    def _item(self, row: wire.Row) -> UsageItem:
        fields, where = self.fields, "a usage item"
        kind = wire.text(row, fields.type, where) if fields.type else _SERVER
        if not kind:
            raise Incomplete(f"SolusIO's answer has {where} of no type (id {row.get('id')!r:.30})")
        return UsageItem(
            type=kind,
            id=wire.identifier(row, fields.id, where) if fields.id else _number_of(wire.text(row, fields.uuid, where)),
            name=wire.text(row, fields.name, where),
            tokens=wire.whole(row, fields.tokens, where),
            server=self._server(row, where) if kind == _SERVER else None,
        )

    def _server(self, row: wire.Row, where: str) -> ServerMeter | None:
        """What the tokens are computed again from; None if bridge.toml says that a part of it is not in the feed."""
        fields = self.fields
        if not (fields.plan and fields.tokens_per_hour and fields.tokens_per_month and fields.hours):
            return None
        return ServerMeter(
            plan=wire.line(row, fields.plan, where),
            tokens_per_hour=wire.whole(row, fields.tokens_per_hour, where),
            tokens_per_month=wire.whole(row, fields.tokens_per_month, where),
            hours=wire.whole(row, fields.hours, where),
            is_deleted=wire.flag(row, fields.deleted, where) if fields.deleted else False,
        )


def _number_of(uuid: str) -> int:
    """A number for what has only a uuid: the first bits of it, which no two things share."""
    try:
        return UUID(uuid).int >> (128 - _BITS)
    except ValueError:
        raise Incomplete(f"SolusIO's answer has a usage item whose uuid is none: {uuid!r:.60}") from None
