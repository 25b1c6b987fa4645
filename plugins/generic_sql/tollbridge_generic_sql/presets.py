"""The schemas this adapter knows by name."""

from collections.abc import Callable, Mapping

import attrs
import sqlalchemy as sa

from tollbridge import Invoice
from tollbridge_generic_sql import fossbilling, preset
from tollbridge_generic_sql.statements import Queries


@attrs.frozen
class Preset:
    """The statements for a schema that is known.

    Attributes:
        queries: those for its newest version.
        fitted: those for the version that a database has; without it there is one version only.
        fit: an invoice as the schema can hold it; raises Refused if it cannot.
        nothing: why a writing statement may find nothing to do, in the schema's own words.
        dialects: the kinds of database it is for; all of them if empty.
        cannot: what the adapter cannot do there, and why.
        older: what to do where a statement is missing because the database's version is an earlier one.
    """

    queries: Queries
    fitted: Callable[[sa.Connection], Queries] | None = None
    fit: Callable[[Invoice], Invoice] = lambda invoice: invoice
    nothing: Mapping[str, str] = attrs.Factory(dict)
    dialects: frozenset[str] = frozenset()
    cannot: Mapping[str, str] = attrs.Factory(dict)
    older: Mapping[str, str] = attrs.Factory(dict)


_PRESETS: Mapping[str, Preset] = {
    "tollbridge": Preset(preset.QUERIES, preset.fitted, older=preset.OLDER),
    "fossbilling": Preset(
        fossbilling.queries(fossbilling.NEWEST),
        fossbilling.fitted,
        fossbilling.fit,
        fossbilling.NOTHING,
        fossbilling.DIALECTS,
        fossbilling.CANNOT,
    ),
}


def preset_called(name: str | None) -> Preset:
    """The preset of this name; without one, a preset that gives nothing."""
    return _PRESETS[name] if name else Preset(Queries())
