"""What an administrator has set up, and what every part of the install shares."""

import datetime as dt

from tollbridge.sandbox import NamedFaults, Simulator
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.quirks import Quirks
from tollbridge_whmcs_like.sandbox.records import Currency, Group, TaxRule

_RATES = {
    "US": "8.25",
    "GB": "20",
    "DE": "19",
    "FR": "20",
    "NL": "21",
    "CA": "5",
    "AU": "10",
    "JP": "10",
    "IN": "18",
    "BR": "17",
}


class Administration(Simulator):
    """The part of the install that owns what an administrator has set up, and the clock.

    Attributes:
        faults: what goes wrong over HTTP; a fault's ``path`` is the name of an action.
        quirks: how this install differs from others.
        configuration: settings as ``GetConfigurationValue`` reads them: "on" and "", or a word.
        tax_rules: what taxes invoices that are created without a rate.
        custom_fields: the names of the client fields there are, by id; values for others are lost, as in WHMCS.
        payment_methods: names that are shown, by the name that is sent.
        allowed_addresses: who may call, unless anybody may or the access key was sent.
    """

    def __init__(self, actions: tuple[str, ...]) -> None:
        super().__init__(NamedFaults(actions))
        self.quirks = Quirks()
        self.configuration = {
            "CompanyName": "Example Hosting",
            "SystemURL": "https://billing.example.com/",
            "CreateInvoiceDaysBefore": "14",
            "TaxEnabled": "on",
            "TaxType": "Exclusive",
            "TaxL2Compound": "",
            "TaxPerLineItem": "",
        }
        self.tax_rules = [
            *(TaxRule(rate, country) for country, rate in _RATES.items()),
            TaxRule("9.975", "CA", "Quebec", level=2),
        ]
        self.custom_fields = {3: "VAT number", 7: "SolusIO user"}
        self.payment_methods = {"mailin": "Mail In Payment", "banktransfer": "Bank Transfer"}
        self.allowed_addresses: set[str] = set()
        self._today: dt.date | None = None
        self._currencies: dict[str, Currency] = {}
        self._groups: dict[int, Group] = {}
        self.add_currency("USD", prefix="$", suffix=" USD")

    @property
    def today(self) -> dt.date:
        """The install's date, which decides what is overdue: the real one until it is set."""
        return self._today or dt.datetime.now(dt.UTC).date()

    @today.setter
    def today(self, day: dt.date | None) -> None:
        self._today = day

    @property
    def now(self) -> dt.datetime:
        """The real time of the install's date, without a zone, as WHMCS writes it."""
        return dt.datetime.combine(self.today, dt.datetime.now(dt.UTC).time())

    @property
    def currencies(self) -> list[Currency]:
        """The currencies; the first is the base."""
        with self.lock:
            return [*self._currencies.values()]

    @property
    def groups(self) -> list[Group]:
        """The client groups."""
        with self.lock:
            return [*self._groups.values()]

    def add_currency(
        self,
        code: str,
        prefix: str = "",
        suffix: str = "",
        format: int = 1,  # noqa: A002 - the name of the field on the wire
        rate: str = "1.00000",
    ) -> int:
        """Add a currency, or change the one with this code; a fresh install has USD, its base."""
        with self.lock:
            present = self._currencies.get(code)
            key = len(self._currencies) + 1 if present is None else present.id
            self._currencies[code] = Currency(key, code, prefix, suffix, format, rate)
            return key

    def currency(self, code: str) -> Currency:
        """The currency with this code."""
        with self.lock:
            if code not in self._currencies:
                raise InstallError(f"There is no currency {code}")
            return self._currencies[code]

    def add_group(self, name: str, discount: str = "0.00") -> int:
        """Add a client group with a discount in percent."""
        with self.lock:
            key = len(self._groups) + 1
            self._groups[key] = Group(key, name, discount)
            return key
