"""The billing system behind the active adapter, as the core calls it: typed, checked, and with honest errors."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

import attrs
import pluggy
import structlog

from tollbridge.adapters.hookspecs import OPTIONAL
from tollbridge.adapters.loading import inabilities
from tollbridge.errors import AdapterFault, NotFound, Refused, TollbridgeError
from tollbridge.model import Attempt, Check, Client, Currency, Invoice, Receipt, Signup, Terms
from tollbridge.rules.calendar import Month
from tollbridge.secret import redact

Value = TypeVar("Value")

_log = structlog.get_logger("tollbridge.adapters")
_DEFAULT_IN_DOUBT = 30.0
_DEFAULT_AT_ONCE = 4


@attrs.define
class LooseAttempt:
    """An attempt whose text is kept in memory only: for whoever creates an invoice outside the ledger, as tests do."""

    kept: str = ""

    def keep(self, text: str) -> None:
        """Keep ``text``."""
        self.kept = text


class BillingSystem:
    """Calls the adapter's hooks. What an adapter returns is checked here, so that the core may rely on it."""

    def __init__(self, name: str, manager: pluggy.PluginManager) -> None:
        self.name = name
        self._manager = manager
        self._adapter = manager.get_plugin(name)

    @property
    def in_doubt_seconds(self) -> float:
        """How long after a request without an answer an invoice may still appear in the billing system.

        An adapter says so by an attribute of the same name; thirty seconds otherwise.
        """
        return float(getattr(self._adapter, "in_doubt_seconds", _DEFAULT_IN_DOUBT))

    @property
    def at_once(self) -> int:
        """How many calls at once the billing system stands: the adapter's attribute of the same name, else four."""
        return int(getattr(self._adapter, "at_once", _DEFAULT_AT_ONCE))

    @property
    def token_price_decimals(self) -> int | None:
        """How many decimals a token's price may have there, if the adapter says so by an attribute of the same name."""
        value: int | None = getattr(self._adapter, "token_price_decimals", None)
        return value

    @property
    def password_url(self) -> str | None:
        """Where a client who forgot the password asks for a new one: the adapter's attribute of the same name."""
        value: str | None = getattr(self._adapter, "password_url", None)
        return value

    @property
    def cannot(self) -> Mapping[str, str]:
        """What the adapter cannot do, with the reasons."""
        return inabilities(self._adapter)

    @property
    def takes_negative_lines(self) -> bool:
        """Whether an invoice may have lines with negative amounts there, among others that come to as much or more."""
        return "negative_lines" not in self.cannot

    def can(self, hook: str) -> bool:
        """Whether the adapter implements the hook, and does not name it in its ``cannot``; nobody is asked for that."""
        if hook in OPTIONAL and hook in getattr(self._adapter, "cannot", {}):
            return False
        return any(impl.plugin is self._adapter for impl in getattr(self._manager.hook, hook).get_hookimpls())

    def client(self, client_id: int) -> Client:
        """The client with this id; NotFound if there is none."""
        client = self._optional("client", Client, client_id=client_id)
        if client is None:
            raise NotFound(f"the billing system has no client {client_id}")
        if client.id != client_id:
            raise AdapterFault(f"{self.name}.client was asked for client {client_id} and gave client {client.id}")
        return client

    def clients(self) -> Iterator[Client | Refused]:
        """Every client; a client that cannot be read comes as its error, and the others still follow."""
        return self._each("clients", Client)

    def unpaid_invoices(self) -> Iterator[Receipt | Refused]:
        """Every unpaid or pending invoice; one that cannot be read comes as its error."""
        return self._each("unpaid_invoices", Receipt)

    def currencies(self) -> dict[str, Currency]:
        """The active currencies by code; empty if the billing system cannot say."""
        return {currency.code: currency for currency in self._all("currencies", Currency)}

    def terms(self, client: Client, month: Month) -> Terms | None:
        """The client's discounts and taxes in a month, as far as the billing system can say."""
        if not self.can("terms"):
            return None
        days = {"month_start": month.first_day, "month_end": month.next.first_day}
        return self._optional("terms", Terms, client=client, **days)

    def create_invoice(self, invoice: Invoice, attempt: Attempt | None = None) -> Receipt:
        """Create an invoice, or go on creating it; the receipt must name the same reference and client."""
        made = self._guarded("create_invoice", invoice=invoice, attempt=attempt or LooseAttempt())
        receipt = self._checked("create_invoice", made, Receipt)
        if (receipt.reference, receipt.client_id) != (invoice.reference, invoice.client_id):
            raise AdapterFault(
                f"{self.name}.create_invoice gave a receipt for {receipt.reference}, not {invoice.reference}"
            )
        return receipt

    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The client's invoice with this reference; None if there is none, however the adapter says so."""
        try:
            receipt = self._optional("find_invoice", Receipt, client_id=client_id, reference=reference)
        except NotFound:
            return None
        if receipt is not None and (receipt.reference, receipt.client_id) != (reference, client_id):
            raise AdapterFault(
                f"{self.name}.find_invoice was asked for {reference} of client {client_id} and gave"
                f" {receipt.reference} of client {receipt.client_id}"
            )
        return receipt

    def invoice(self, client_id: int, invoice_id: str, reference: str) -> Receipt | None:
        """The invoice with this number, whoever's it is now; None if it is gone, however the adapter says so.

        An adapter that cannot look by number looks for the client's invoice with ``reference``.
        """
        if not self.can("invoice"):
            return self.find_invoice(client_id, reference)
        try:
            receipt = self._optional("invoice", Receipt, client_id=client_id, invoice_id=invoice_id)
        except NotFound:
            return None
        if receipt is not None and str(receipt.id) != invoice_id:
            raise AdapterFault(f"{self.name}.invoice was asked for invoice {invoice_id} and gave {receipt.id}")
        return receipt

    def invoices_since(self, day: date) -> Iterator[Receipt | Refused]:
        """Every invoice with a reference of the bridge made since ``day``; one that cannot be read is its error."""
        return self._each("invoices_since", Receipt, day=day)

    def close(self) -> None:
        """Let the adapter close what it holds open; a failure decides nothing any more, and is only logged."""
        if not self.can("close"):
            return
        try:
            self._guarded("close")
        except TollbridgeError as error:
            _log.warning("the adapter did not close", adapter=self.name, error=redact(str(error)))

    def check(self) -> list[Check]:
        """What the adapter finds out about its billing system; without the hook, whether it lists its currencies."""
        if self.can("check"):
            return self._all("check", Check)
        self.currencies()
        return [Check("billing system", ok=True, detail="answers")]

    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        """Tell the billing system which SolusIO user a client has, if it wants to know."""
        if self.can("remember_user"):
            self._guarded("remember_user", client_id=client_id, solus_user_id=solus_user_id)

    def create_client(self, signup: Signup) -> Client:
        """Make a client of somebody who signed up; AddressTaken if the address is a client's already."""
        return self._checked("create_client", self._guarded("create_client", signup=signup), Client)

    def authenticate(self, email: str, password: str) -> Client | None:
        """The client these credentials belong to; None if they are wrong."""
        return self._optional("authenticate", Client, email=email, password=password)

    def portal_login_url(self, client_id: int) -> str | None:
        """A one-time link into the billing system's client area, if there is one."""
        return self._optional("portal_login_url", str, client_id=client_id)

    def invoice_url(self, client_id: int, invoice_id: str) -> str | None:
        """Where the client pays an invoice, if there is such a place."""
        if not self.can("invoice_url"):
            return None
        url = self._optional("invoice_url", str, client_id=client_id, invoice_id=invoice_id)
        if url is not None and not url.startswith(("https://", "http://")):
            raise AdapterFault(f"{self.name}.invoice_url gave {url!r:.40}, where a web address is needed")
        return url

    def is_heard(self, hook: str) -> bool:
        """Whether anybody listens."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def tell(self, hook: str, **facts: Any) -> None:
        """Tell every listener; one that fails is logged and never disturbs the billing."""
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                impl.function(*(facts[name] for name in impl.argnames))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code
                _log.warning("listener failed", hook=hook, plugin=impl.plugin_name, error=redact(str(error)))

    def _optional(self, hook: str, wanted: type[Value], **arguments: Any) -> Value | None:
        value = self._guarded(hook, **arguments)
        return None if value is None else self._checked(hook, value, wanted)

    def _guarded(self, hook: str, **arguments: Any) -> Any:
        try:
            return getattr(self._manager.hook, hook)(**arguments)
        except TollbridgeError:
            raise
        except (Exception, SystemExit) as error:  # a run that ended here would pass for done
            raise self._fault(hook, error) from error

    def _all(self, hook: str, wanted: type[Value]) -> list[Value]:
        """A short list, of which every entry must be right."""
        found = []
        for value in self._each(hook, wanted):
            if isinstance(value, Refused):
                raise value
            found.append(value)
        return found

    def _each(self, hook: str, wanted: type[Value], **arguments: Any) -> Iterator[Value | Refused]:
        """What the hook lists; an entry that it refuses, by raising or by giving the error, comes as that error."""
        found = self._guarded(hook, **arguments)
        if not isinstance(found, Iterable):
            raise AdapterFault(f"{self.name}.{hook} gave {type(found).__name__}, where a list or iterator is needed")
        iterator = iter(found)
        raised = False
        while True:
            try:
                value = next(iterator)
            except StopIteration:
                if raised:  # a generator ends where it raises, and so does what is made of one
                    yield Refused(f"{self.name}.{hook} ended right after that, so what would follow is not known")
                return
            except Refused as error:
                raised = True
                yield error
                continue
            except TollbridgeError:
                raise
            except (Exception, SystemExit) as error:
                raise self._fault(hook, error) from error
            raised = False
            yield value if isinstance(value, Refused) else self._checked(hook, value, wanted)

    def _checked(self, hook: str, value: Any, wanted: type[Value]) -> Value:
        if not isinstance(value, wanted):
            raise AdapterFault(f"{self.name}.{hook} gave {type(value).__name__}, where {wanted.__name__} is needed")
        return value

    def _fault(self, hook: str, error: BaseException) -> AdapterFault:
        words = redact(f"{type(error).__name__}: {error}")
        return AdapterFault(f"{self.name}.{hook} failed by a fault of its own: {words}")
