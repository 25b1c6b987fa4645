"""The operator's pages as text, by the customers' stylesheet and a little more."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup

from tollbridge.server.operator.charts import drawn
from tollbridge.server.operator.sheets import Asked, Chart, Commands, Facts, Note, Overview, Search, Sheet, Table, Told
from tollbridge.server.operator.writing import Writer, cell
from tollbridge.server.pages import renderer as customers
from tollbridge.server.pages.colours import Palette
from tollbridge.server.pages.views import Site
from tollbridge.texts.catalogue import Catalogue, read_texts
from tollbridge.texts.languages import LANGUAGES

PAGES = ("today", "books", "revenue", "owed", "clients", "invoices", "prices")
_HERE = Path(__file__).parent
_KINDS = {
    Table: "table", Facts: "facts", Note: "note", Chart: "chart", Search: "search", Overview: "overview",
}  # fmt: skip

__all__ = ["PAGES", "Asked", "OperatorRenderer"]


class OperatorRenderer:
    """Renders everything the operator sees.

    Args:
        name: whose pages these are.
        colour: of buttons and links; None: the customers' pages' own.
        zone: in which days and moments are shown.

    Attributes:
        style: the stylesheet: the customers', which the operator's own templates do not change, and what is added.
        style_version: changes with it.
    """

    def __init__(self, name: str, colour: str | None, zone: ZoneInfo) -> None:
        site = Site(name, colour) if colour else Site(name)
        theirs = customers.loader(Path(customers.__file__).parent)
        environment = customers.environment_of(jinja2.ChoiceLoader([customers.loader(_HERE), theirs]))
        environment.globals.update(site=site, palette=Palette.of(site.colour), pages=PAGES)
        environment.tests["csv_only"] = lambda column: column.csv_only
        environment.tests["prose"] = lambda value: isinstance(value, Told | Commands)
        styles = ("static/style.css", "static/operator.css")
        self.style = "\n".join(environment.get_template(each).render() for each in styles)
        self.style_version = environment.globals["style_version"] = customers.version_of(self.style)
        self._environment = environment
        texts: dict[str, dict[str, str]] = {}
        for language in LANGUAGES:
            texts[language] = {**texts.get("en", {}), **read_texts(_HERE / "texts" / f"{language}.toml")}
        self._writers: dict[str, Writer] = {
            language: Writer(language, zone, Catalogue(texts[language], {"brand": name})) for language in LANGUAGES
        }

    def page(self, template: str, language: str, **values: object) -> str:
        """A page from a template of its own."""
        writer = self._writers[language]
        found = self._environment.get_template(f"{template}.html")
        return found.render(**{"language": language, "t": writer.catalogue.html, "page": "", **values})

    def sheet(self, sheet: Sheet, language: str, path: str, query: str) -> str:
        """A sheet; ``path`` and ``query`` are its address, below ``/operator/``."""
        writer = self._writers[language]

        def address(**more: str) -> str:
            """The page's own address, with other values in it."""
            values = {**dict(parse_qsl(query)), **more}
            return f"/operator/{path}?{urlencode({name: value for name, value in values.items() if value})}"

        def after(added: str) -> str:
            return address(**dict(parse_qsl(added)))

        def chart(part: Chart) -> Markup:
            return drawn(part, writer)

        return self.page(
            "sheet", language, sheet=sheet, page=sheet.page, is_in=True, write=writer.html, address=address,
            after=after, chart=chart, kind_of=lambda part: _KINDS[type(part)], path=path,
        )  # fmt: skip

    def csv(self, table: Table) -> Iterator[list[str]]:
        """The lines of a table: its header, and each row."""
        yield [column.name for column in table.columns]
        for row in table.rows:
            yield [cell(value, self._writers["en"]) for value in row]
