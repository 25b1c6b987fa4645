"""Prices: the list that each month is billed with, and what comes."""

from collections.abc import Iterator

from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import another_list, running_month, shown_prices
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import PriceList, plain
from tollbridge.server.operator.sheets import (
    Asked,
    Column,
    Commands,
    Note,
    Part,
    Section,
    Sheet,
    Table,
    Told,
    Value,
    Words,
    rows_shown,
)
from tollbridge.server.operator.writing import commands_in

_MOST = 60


class PricesPage:
    """The seventh page."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def sheet(self, asked: Asked) -> Sheet:
        """The page as of now."""
        month = running_month(self._parts, asked.now)
        return Sheet("prices", Words("prices.title"), (
            Section("now", Words("prices.now", {"month": month}), tuple(self._now(month))),
            Section("coming-part", Words("prices.coming"), (self._coming(month), Note(Words("prices.coming_told")))),
            Section("kept-part", Words("prices.kept"), (self._kept(asked),)),
        ))  # fmt: skip

    def _now(self, month: Month) -> Iterator[Part]:
        prices = shown_prices(self._parts, month).prices
        if words := another_list(self._parts, month):
            yield Note(Told(words), "wait")
            yield Note(Commands(commands_in(words)))
        rows = [(code, plain(price)) for code, price in prices.tokens.items()]
        yield Table("now", (Column("currency"), Column("token_price", right=True)), rows)
        if terms := _terms(prices):
            yield Note(Words("prices.terms", {"terms": terms}))

    def _coming(self, month: Month) -> Table:
        """Every price that changes from a later month on, as bridge.toml has it since the server started."""
        pricing = self._parts.settings.pricing
        rows: list[tuple[Value, ...]] = []
        for change in pricing.changes:
            if change.from_ > month:
                before = pricing.price_list(change.from_.previous).tokens
                rows += [
                    (change.from_, code, plain(before[code]) if code in before else None, plain(price))
                    for code, price in change.tokens.items()
                ]
        columns = (
            Column("from"), Column("currency"), Column("price_before", right=True), Column("price_then", right=True),
        )  # fmt: skip
        return Table("coming", columns, rows, "prices.nothing_comes")

    def _kept(self, asked: Asked) -> Table:
        rows = [
            (month, str(kept.prices), kept.kept_at, kept.file) for month, kept in self._parts.ledger.price_lists.all()
        ]
        shown, more = rows_shown(asked, rows, _MOST)
        columns = (Column("month"), Column("prices"), Column("kept_at"), Column("file"))
        return Table("lists", columns, shown, "prices.none_kept", more=more)


def _terms(prices: PriceList) -> str:
    """What a list has beside its prices."""
    return str(PriceList({}, prices.prices_include_tax, prices.compound_tax, prices.discounts, prices.taxes))
