"""The texts of one language: sentences by key, in TOML, with ``{name}`` where a value is filled in.

Texts hold no HTML: in a page both the sentence and its values are escaped, except values that are Markup already.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
from markupsafe import Markup, escape

from tollbridge.errors import ConfigError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@attrs.frozen
class Catalogue:
    """One language's texts.

    Args:
        texts: every sentence by its key, like ``login.title``.
        everywhere: values that any sentence may use.
    """

    texts: Mapping[str, str]
    everywhere: Mapping[str, object]

    def plain(self, key: str, /, **values: object) -> str:
        """The sentence for plain text. LookupError if there is no such key or a value is missing."""
        return _PLACEHOLDER.sub(lambda match: str(self._value(key, match[1], values)), self._sentence(key))

    def html(self, key: str, /, **values: object) -> Markup:
        """The sentence for a page. LookupError as :meth:`plain`."""
        sentence = str(escape(self._sentence(key)))
        filled = _PLACEHOLDER.sub(lambda match: str(escape(self._value(key, match[1], values))), sentence)
        return Markup(filled)  # noqa: S704 - every part of it has been escaped

    def _sentence(self, key: str) -> str:
        try:
            return self.texts[key]
        except KeyError:
            raise LookupError(f"there is no text {key}") from None

    def _value(self, key: str, name: str, values: Mapping[str, object]) -> object:
        if name in values:
            return values[name]
        if name in self.everywhere:
            return self.everywhere[name]
        raise LookupError(f"the text {key} needs a value for {{{name}}}")


def read_texts(file: "Traversable") -> dict[str, str]:
    """The sentences of a file by their dotted keys.

    Raises:
        ConfigError: with everything that is wrong in the file.
    """
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(file), [f"it cannot be read: {error}"]) from None
    found = dict(_flat(tree, ""))
    if wrong := [f"{key}: must be a text" for key, value in found.items() if not isinstance(value, str)]:
        raise ConfigError(str(file), wrong)
    return found


def placeholders(text: str) -> set[str]:
    """The names of the values a sentence takes."""
    return set(_PLACEHOLDER.findall(text))


def _flat(tree: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
