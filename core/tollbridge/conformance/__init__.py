"""The conformance kit: tests that every adapter should pass, to be inherited.

An author subclasses :class:`OtherSide`, to set the billing system up, look at it and break it, and
:class:`AdapterTests`, to say where the other side comes from::

    class TestAcme(AdapterTests):
        @pytest.fixture
        def side(self) -> Iterator[OtherSide]:
            with acme_server() as url:
                yield AcmeSide(url)

Run by pytest. What the adapter declares in ``cannot`` is tested to fail cleanly. New tests come with minor versions
only.
"""

from collections.abc import Iterator

import pytest

_TESTS = "reading invoicing receipts humans attempts cuts costs failing people lifetime months"
for _name in _TESTS.split():
    pytest.register_assert_rewrite(f"tollbridge.conformance.{_name}")

from tollbridge.conformance.attempts import AttemptTests  # noqa: E402 - after its assertions are prepared
from tollbridge.conformance.costs import CostTests  # noqa: E402
from tollbridge.conformance.cuts import CutTests  # noqa: E402
from tollbridge.conformance.failing import FailureTests  # noqa: E402
from tollbridge.conformance.humans import HumanTests  # noqa: E402
from tollbridge.conformance.invoicing import InvoiceTests  # noqa: E402
from tollbridge.conformance.lifetime import LifetimeTests  # noqa: E402
from tollbridge.conformance.months import MonthTests  # noqa: E402
from tollbridge.conformance.people import PeopleTests  # noqa: E402
from tollbridge.conformance.reading import ReadingTests  # noqa: E402
from tollbridge.conformance.receipts import ReceiptTests  # noqa: E402
from tollbridge.conformance.side import Held, HeldLine, OtherSide, a_client, an_invoice  # noqa: E402
from tollbridge.conformance.summary import Summary  # noqa: E402


class AdapterTests(  # pytest begins with the last one
    MonthTests,
    LifetimeTests,
    PeopleTests,
    FailureTests,
    CostTests,
    CutTests,
    AttemptTests,
    HumanTests,
    ReceiptTests,
    InvoiceTests,
    ReadingTests,
):
    """Everything; a subclass whose name begins with ``Test`` gives the fixture ``side``."""

    @pytest.fixture(autouse=True)
    def every_adapter_is_closed(self, side: OtherSide, request: pytest.FixtureRequest) -> Iterator[None]:
        """What a test opened is closed before the other side goes away, and what it cost is told at the end."""
        summary, tests = Summary.of(request.config), type(self).__name__
        if not summary.knows(tests):
            summary.begin(tests, side.cannot())
        yield
        for hook, calls in side.counted():
            summary.add(tests, hook, calls)
        side.close_adapters()


__all__ = ["AdapterTests", "Held", "HeldLine", "OtherSide", "a_client", "an_invoice"]
