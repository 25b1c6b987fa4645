"""The faults of ``known.toml``, and how one is put into a copy of the tree."""

import tomllib
from pathlib import Path

import attrs
import cattrs

ROOT = Path(__file__).resolve().parents[2]
_FILE = Path(__file__).with_name("known.toml")


class DoesNotApply(Exception):
    """The bridge has changed where a fault goes in: ``known.toml`` must follow it."""


@attrs.frozen
class Fault:
    """A fault that some billing system had.

    Attributes:
        name: what goes wrong, as a sentence.
        seen_in: the systems, as projects with the number of the thread.
        file: the file of the bridge that it goes into, from the root.
        old: a piece of that file which stands there once.
        new: what takes its place.
        found_by: the tests that must fail then, as pytest names them.
    """

    name: str
    seen_in: str
    file: str
    old: str
    new: str
    found_by: tuple[str, ...]

    def put_into(self, tree: Path) -> str:
        """The faulty text of the file as it is in ``tree``; nothing is written.

        Raises:
            DoesNotApply: ``old`` is not there, or more than once.
        """
        path = tree / self.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (times := text.count(self.old)) != 1:
            raise DoesNotApply(
                f"{self.name!r} does not apply: {self.file} has its old text {times} times and not once; put what"
                " stands there now into tests/faults/known.toml"
            )
        return text.replace(self.old, self.new)


def known_faults() -> list[Fault]:
    """All of them, in the file's order."""
    document = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return cattrs.Converter(forbid_extra_keys=True).structure(document["fault"], list[Fault])
