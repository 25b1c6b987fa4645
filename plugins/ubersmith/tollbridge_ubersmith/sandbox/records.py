"""What an install keeps, as frozen values: a change makes a new one, so a snapshot stays as it was."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import attrs

CENT = Decimal("0.01")


class Rejected(Exception):
    """What an install answers with ``status`` false."""

    def __init__(self, message: str, code: int = 1) -> None:
        self.code = code
        super().__init__(message)


@attrs.frozen
class Client:
    """A client; ``active`` is 1, 2 for a lead, or 0 for one that was deactivated."""

    id: int
    email: str
    login: str
    first: str = ""
    last: str = ""
    company: str = ""
    country: str = ""
    state: str = ""
    active: int = 1
    discount: Decimal = attrs.field(default=Decimal(0), converter=Decimal)
    discount_type: int = 0
    brand_id: int = 1
    password: str = attrs.field(default="", repr=False)
    two_factor: bool = False
    metadata: dict[str, str] = attrs.field(factory=dict)
    storage: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Contact:
    """Another person of a client, with a log-in of its own."""

    id: int
    client_id: int
    email: str
    login: str
    password: str = attrs.field(repr=False)
    two_factor: bool = False


@attrs.frozen
class Rate:
    """A tax rate as a fraction; ``include_other``: its base has the other taxes in it."""

    id: int
    name: str
    rate: Decimal = attrs.field(converter=Decimal)
    include_other: bool = False
    active: bool = True
    brand_id: int = 1


@attrs.frozen
class Exemption:
    """A client's tax exemption: ``status`` 1 is active, 0 deactivated, -1 not approved yet."""

    id: int
    client_id: int
    status: int = 1


@attrs.frozen
class Service:
    """A service, also called pack; ``period`` 0 is charged once, and ``active`` 0 was deactivated."""

    id: int
    client_id: int
    description: str
    price: Decimal
    created: datetime
    period: int = 1
    quantity: Decimal = Decimal(1)
    discount: Decimal = Decimal(0)
    discount_type: int = 0
    taxes: tuple[int, ...] = ()
    active: int = 1
    billed: int = 0
    metadata: dict[str, str] = attrs.field(factory=dict)

    @property
    def cost(self) -> Decimal:
        """What it charges, less its discount."""
        entered = self.price * self.quantity
        off = self.discount if self.discount_type else entered * self.discount / 100
        return (entered - off).quantize(CENT, ROUND_HALF_UP)


@attrs.frozen
class Pack:
    """A service on an invoice, as it was then."""

    service_id: int
    description: str
    unit_price: Decimal
    quantity: Decimal
    cost: Decimal


@attrs.frozen
class Invoice:
    """An invoice; ``paid`` is 0, 1, or 2 for a disregarded one, whose amounts stay as they are."""

    id: int
    client_id: int
    packs: tuple[Pack, ...]
    date: datetime
    due: datetime
    tax: Decimal = Decimal(0)
    credits: Decimal = Decimal(0)
    paid: int = 0
    received: Decimal = Decimal(0)
    mailed: bool = False

    @property
    def amount(self) -> Decimal:
        """What it comes to."""
        return sum((pack.cost for pack in self.packs), self.tax) - self.credits

    @property
    def unpaid(self) -> Decimal:
        """What is still to be paid."""
        return self.amount - self.received


def taxed(services: tuple[Service, ...], rates: dict[int, Rate], *, by_line: bool) -> Decimal:
    """The tax on services, each rate rounded half up, once for each line or once for all."""
    total: dict[int, Decimal] = {}
    for service in services:
        own = [rates[number] for number in service.taxes]
        others = sum((rate.rate for rate in own if not rate.include_other), Decimal(0))
        for rate in own:
            base = service.cost * (1 + others) if rate.include_other else service.cost
            amount = base * rate.rate
            step = amount.quantize(CENT, ROUND_HALF_UP) if by_line else amount
            total[rate.id] = total.get(rate.id, Decimal(0)) + step
    return sum((amount.quantize(CENT, ROUND_HALF_UP) for amount in total.values()), Decimal(0))
