"""What can go wrong, as one tree.

    TollbridgeError                 every error whose message is meant for the person at the terminal
    ├── ConfigError                 bridge.toml cannot be used; lists every problem at once        (exit 2)
    ├── UsageError                  a command was given arguments that make no sense               (exit 2)
    ├── AdapterFault                the adapter broke its contract: a bug of the adapter           (exit 3)
    ├── LedgerError                 the ledger cannot be opened, or somebody else holds it         (exit 3)
    │   └── LedgerNewer             it is a newer Tollbridge's                                     (exit 3, a worker 75)
    ├── Interrupted                 a worker was told to end, or the run it helps has ended        (exit 3)
    ├── ClockWrong                  this machine's clock and SolusIO's differ                      (exit 3)
    ├── PriceMismatch               invoices come out differently from what customers were shown   (exit 3)
    └── ServiceError                another system did not do what was asked                       (exit 3)
        ├── NotFound                it answered that there is no such thing
        ├── Refused                 it understood and said no: asking again will not help
        │   └── AddressTaken        an e-mail address that somebody signs up with is a client's already
        ├── Conflict                two records claim the same person; only a human can decide
        └── Unavailable             it cannot be used just now: try again later
            ├── Incomplete          it answered only a part, and nothing may be decided on a part
            └── OutcomeUnknown      the request was sent and no answer came: it may have been done

The exit codes are those of a command that ends with the error; an error that concerns one client is counted as that
client's failure instead.

Adapters raise ``NotFound``, ``Refused``, ``AddressTaken``, ``Unavailable`` and ``OutcomeUnknown``. Any other exception
that leaves an adapter is shown as an :class:`AdapterFault`.
"""


class TollbridgeError(Exception):
    """Any error that Tollbridge explains to its user; ``str()`` of it is the explanation."""


class ConfigError(TollbridgeError):
    """bridge.toml cannot be used as it stands.

    Attributes:
        problems: one sentence per problem, each beginning with the key it is about.
    """

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        super().__init__("\n".join([f"{source} cannot be used:", *(f"  {problem}" for problem in problems)]))


class UsageError(TollbridgeError):
    """A command was given arguments that make no sense together, or no sense today."""


class AdapterFault(TollbridgeError):
    """The adapter broke its contract: a missing hook, a value of the wrong type, an exception of its own."""


class LedgerError(TollbridgeError):
    """The ledger cannot be opened or migrated, or another run holds it."""


class LedgerNewer(LedgerError):
    """The ledger, or its queue, was brought up to date by a newer Tollbridge than this one."""


class Interrupted(TollbridgeError):
    """The work was ended before it was done, and nothing is wrong: what was not begun is left to the next run."""


class ClockWrong(TollbridgeError):
    """This machine's clock and SolusIO's differ, so it is not known which month has ended and what is overdue."""


class PriceMismatch(TollbridgeError):
    """Several invoices in a row came to another total in the billing system than what the customers were shown."""


class ServiceError(TollbridgeError):
    """Another system (SolusIO or the billing system) did not do what was asked."""


class NotFound(ServiceError):
    """The other system has no such client, user or invoice."""


class Refused(ServiceError):
    """The other system understood the request and said no; repeating it as it is will not help."""


class AddressTaken(Refused):
    """The billing system makes no client with this e-mail address, because it has one: who signs up is asked for it."""


class Conflict(ServiceError):
    """Two records claim the same person, and choosing between them is a human's decision."""


class Unavailable(ServiceError):
    """The other system cannot be used just now.

    Attributes:
        retry_after: seconds the other system asked us to wait, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Incomplete(Unavailable):
    """An answer arrived in part: a page, a row or a field is missing, so nothing is decided on it."""


class OutcomeUnknown(Unavailable):
    """A request that changes something was sent and no answer came: it may or may not have been done."""
