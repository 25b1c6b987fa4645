"""What an audit comes to."""

from typing import Any

import attrs

from tollbridge.ledger.runs import Outcome
from tollbridge.reference import reference
from tollbridge.rules.calendar import Month


@attrs.frozen
class Finding:
    """One difference.

    Attributes:
        check: its name, such as ``tokens``.
        who: a reference, ``client N``, ``user N``, or a month.
        expected: what would be right.
        found: what is there.
    """

    check: str
    who: str
    expected: str
    found: str
    what_to_do: str


@attrs.define
class Tally:
    """What one check has come to so far.

    Attributes:
        checked: how many things it has looked at.
        told: what differs and is no difference of the books: it is to come, or stays as it was billed.
    """

    check: str
    checked: int = 0
    findings: list[Finding] = attrs.Factory(list)
    told: list[str] = attrs.Factory(list)

    def find(self, who: str, expected: str, found: str, what_to_do: str) -> None:
        """Add a difference."""
        self.findings.append(Finding(self.check, who, expected, found, what_to_do))


@attrs.frozen
class Audit:
    """All that was checked, and what was found.

    Attributes:
        checked: by check, how many things were looked at; a check that could not be made is not among them.
        told: what differs and is no finding.
        not_made: by check, why it could not be made.
    """

    months: tuple[Month, ...]
    checked: dict[str, int]
    findings: tuple[Finding, ...]
    told: tuple[str, ...]
    not_made: dict[str, str]

    @property
    def holds(self) -> bool:
        """Whether every check was made, and nothing was found."""
        return not self.findings and not self.not_made

    @property
    def outcome(self) -> Outcome:
        """How it ended, as the ledger keeps it."""
        return "stopped" if self.not_made else "failures" if self.findings else "done"

    def kept(self) -> dict[str, Any]:
        """What the ledger keeps of it: its document, what it told, and the checks that could not be made."""
        return {**self.json(), "told": self.told, "not_made": self.not_made}

    def json(self) -> dict[str, Any]:
        """The document of ``tollbridge audit --json``."""
        return {
            "months": [str(month) for month in self.months],
            "holds": self.holds,
            "checked": self.checked,
            "findings": [attrs.asdict(finding) for finding in self.findings],
        }


def client(client_id: int) -> str:
    """A client, as findings name it."""
    return f"client {client_id}"


def entry_name(month: Month | str, client_id: int) -> str:
    """An entry, as findings name it."""
    return reference(month, client_id)
