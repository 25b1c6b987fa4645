"""What a month that was billed has to have added or taken back, when its usage is reported otherwise later.

An issued invoice is never edited: the difference of each item becomes a line of its own on the client's next invoice,
at the price of its own month.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import reduce

import attrs

from tollbridge.model import EXACT, Client, ClientStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Line, UserItem
from tollbridge.rules.lines import correction_line
from tollbridge.rules.pricing import TokenPrice, line_amount
from tollbridge.texts.invoice_words import InvoiceWords, invoice_words
from tollbridge.texts.languages import Language, language_called

ItemKey = tuple[int, str, int]
"""The user, the type and the number of an item."""


class CorrectionState(StrEnum):
    """How far a correction is.

    open: it goes on the client's next invoice, or is on one. waiting: a human must approve of it first. credit: it is
    the client's, and no invoice can give it back: to be settled by hand. refused: written off.
    """

    OPEN = "open"
    WAITING = "waiting"
    CREDIT = "credit"
    REFUSED = "refused"


@attrs.frozen
class Correction:
    """One item's difference, as a line.

    Attributes:
        month: whose usage it is.
        stands_on: the month whose invoice it was found for.
        line: signed; its amount is at the price of ``month``.
        taken_into: the month whose invoice has it.
        id: the ledger's number.
    """

    client_id: int
    month: Month
    stands_on: Month
    currency: str
    line: Line
    state: CorrectionState
    taken_into: str | None = None
    id: int | None = None

    @property
    def key(self) -> ItemKey:
        """Which item it is of."""
        return self.line.user_id or 0, self.line.item_type, self.line.item_id


@attrs.frozen
class BilledItem:
    """What is billed of an item so far, to whom and in what currencies; corrections are counted."""

    name: str
    tokens: int
    client_ids: frozenset[int]
    currencies: frozenset[str]

    def __add__(self, other: "BilledItem") -> "BilledItem":
        """The same item on several entries."""
        return BilledItem(
            self.name or other.name,
            self.tokens + other.tokens,
            self.client_ids | other.client_ids,
            self.currencies | other.currencies,
        )


@attrs.frozen
class Difference:
    """An item that is reported otherwise than it was billed.

    Attributes:
        tokens: how many more, or, negative, fewer.
        stays: why it stays as it was billed, and is only told; empty if it is to be corrected.
    """

    used: UserItem
    tokens: int
    stays: str = ""


def differences(client: Client, used: Iterable[UserItem], billed: Mapping[ItemKey, BilledItem]) -> list[Difference]:
    """What is to be corrected, or told, of one client's items as they are reported now.

    More is the present client's. Less is taken back only from whoever was billed, and in the currency it was billed in.
    """
    found = []
    for each in used:
        was = billed.get((each.user_id, each.item.type, each.item.id), BilledItem("", 0, frozenset(), frozenset()))
        tokens = each.item.tokens - was.tokens
        stays = ""
        if tokens < 0 and was.client_ids - {client.id}:
            stays = "it was another client's when it was billed"
        elif tokens < 0 and was.currencies - {client.currency}:
            stays = f"it was billed in {', '.join(sorted(was.currencies))}, and the client pays in {client.currency}"
        if tokens:
            found.append(Difference(each, tokens, stays))
    return found


@attrs.frozen
class CorrectionRules:
    """What bridge.toml and the adapter say of corrections.

    Attributes:
        most: which share of what was invoiced for a client and month may be corrected before a human approves of it.
        takes_negative_lines: whether the billing system can take anything back on an invoice.
    """

    most: Decimal
    takes_negative_lines: bool


def corrections(
    month: Month,
    stands_on: Month,
    client: Client,
    found: Sequence[Difference],
    *,
    price: TokenPrice,
    invoiced: Decimal,
    so_far: Decimal,
    rules: CorrectionRules,
    language: Language,
) -> list[Correction]:
    """The lines that correct one client's ``month``, for which ``invoiced`` was asked.

    All of them wait if, with what it was corrected by ``so_far``, they come to more than the rules' share of that; of
    nothing, any does.
    """
    words = invoice_words(language_called(client.language) or language)
    lines = [_line(month, each, price, words, taxed=not client.tax_exempt) for each in found if not each.stays]
    total = reduce(EXACT.add, (line.amount for line in lines), Decimal(0))
    waits = abs(EXACT.add(so_far, total)) > EXACT.multiply(rules.most, max(invoiced, Decimal(0)))
    gives_back = rules.takes_negative_lines and not (client.status is ClientStatus.CLOSED and total < 0)
    made = []
    for line in lines:
        if line.tokens < 0 and not gives_back:
            state = CorrectionState.CREDIT
        else:
            state = CorrectionState.WAITING if waits else CorrectionState.OPEN
        made.append(Correction(client.id, month, stands_on, client.currency, line, state))
    return made


def _line(month: Month, difference: Difference, price: TokenPrice, words: InvoiceWords, *, taxed: bool) -> Line:
    item = difference.used.item
    return Line(
        description=correction_line(words, month, item.name, difference.tokens),
        tokens=difference.tokens,
        amount=line_amount(difference.tokens, price),
        taxed=taxed,
        month=str(month),
        item_type=item.type,
        item_id=item.id,
        item_name=item.name,
        user_id=difference.used.user_id,
        plan=item.server.plan if item.server else "",
    )


def fits(correction: Correction, currency: str) -> bool:
    """Whether it can stand on an invoice in this currency: what is taken back is worth what was paid, and no less."""
    return correction.currency == currency or correction.line.tokens > 0
