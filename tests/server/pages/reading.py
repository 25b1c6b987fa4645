"""A page read as strictly as HTML's grammar asks of its author, and questions about its elements."""

from collections.abc import Iterator
from html.parser import HTMLParser

import attrs

_VOID = {"br", "img", "input", "link", "meta"}
_PHRASES_ONLY = {"p", "h1", "h2", "h3", "button", "label"}
_BLOCKS = {"div", "dl", "form", "h1", "h2", "h3", "ol", "p", "section", "table", "ul"}

Attributes = dict[str, str | None]


@attrs.define
class Element:
    """An element, and everything within it."""

    tag: str
    attributes: Attributes
    inside: list["Element"] = attrs.field(factory=list)
    words: list[str] = attrs.field(factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name] or ""

    def get(self, name: str) -> str:
        return self.attributes.get(name) or ""

    def has(self, name: str) -> bool:
        return name in self.attributes

    def all(self, tag: str = "", **attributes: str) -> list["Element"]:
        return [
            each
            for each in self.walk()
            if (not tag or each.tag == tag) and all(each.get(name) == value for name, value in attributes.items())
        ]

    def one(self, tag: str = "", **attributes: str) -> "Element":
        (found,) = self.all(tag, **attributes)
        return found

    def walk(self) -> Iterator["Element"]:
        for each in self.inside:
            yield each
            yield from each.walk()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        """Its elements and the names of their attributes, without anything they say."""
        return [(each.tag, tuple(each.attributes)) for each in self.walk()]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> has an attribute twice: {names}"
        if tag in _BLOCKS:
            assert not [each.tag for each in self.open if each.tag in _PHRASES_ONLY], f"<{tag}> in {self._path()}"
        element = Element(tag, dict(attrs))
        self.open[-1].inside.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> in {self._path()}"
        self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"<{tag}/> is not how HTML is written: {attrs}")

    def handle_data(self, data: str) -> None:
        for each in self.open:
            each.words.append(data)

    def _path(self) -> str:
        return " > ".join(each.tag for each in self.open[1:])


def read(html: str) -> Element:
    """The page's elements. AssertionError if a tag is left open, misclosed or misplaced, or an id is used twice."""
    assert html.startswith("<!doctype html>")
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root], "a tag is left open"
    ids = [element["id"] for element in reader.root.walk() if element.has("id")]
    assert len(set(ids)) == len(ids), f"an id is not unique: {ids}"
    return reader.root
