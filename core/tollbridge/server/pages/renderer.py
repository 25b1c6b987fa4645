"""The customers' pages and e-mails as text, in the visitor's language, from our templates or the operator's.

The operator's folder comes first: a file there replaces ours of the same name, whether page, e-mail (``mail/…``),
stylesheet (``static/style.css``) or texts (``texts/en.toml``, which need only hold the sentences that differ). Ours
stays within reach as ``ours/<name>``, to extend or include. All of it is read and tried when the server starts.
"""

import hashlib
from pathlib import Path

import jinja2
from babel import Locale

from tollbridge.errors import ConfigError
from tollbridge.ledger.outbox import Mail
from tollbridge.server.pages import samples
from tollbridge.server.pages.colours import Palette, is_colour
from tollbridge.server.pages.own_folder import OwnFolder
from tollbridge.server.pages.signatures import SIGNUP_SECONDS
from tollbridge.server.pages.views import FIELD_LONGEST, PASSWORD_LONGEST, PASSWORD_SHORTEST, Site
from tollbridge.texts.catalogue import Catalogue, read_texts
from tollbridge.texts.languages import LANGUAGES, Language

_HERE = Path(__file__).parent
_STYLE = "static/style.css"
_LONGEST_HEADER = 1000


class Renderer:
    """Renders everything a customer sees.

    Args:
        site: the operator's branding.
        own_templates: the operator's folder, if there is one.

    Attributes:
        style: the stylesheet, in the operator's colour.
        style_version: changes with it.

    Raises:
        ConfigError: with everything that is wrong in the operator's folder, by file and line.
    """

    def __init__(self, site: Site, own_templates: Path | None) -> None:
        if not is_colour(site.colour):
            raise ConfigError("bridge.toml", [f'pages.colour: must be a colour like "#1a5fb4", not "{site.colour}"'])
        own = OwnFolder(own_templates) if own_templates else None
        self._catalogues = _catalogues(site, own)
        self._environment = _environment(site, own_templates)
        if own:
            own.check_names(_our_names())
            own.check_syntax(self._environment)
            own.attempt(_STYLE, self._rendered_style)
            own.refuse()
        self.style = self._rendered_style()
        self.style_version = version_of(self.style)
        self._environment.globals["style_version"] = self.style_version
        if own:
            self._try_all(own)
            own.refuse()

    def page(
        self, name: str, language: str, view: object, *, csrf: str = "", logged_in: bool = False, here: str = "/cloud"
    ) -> str:
        """A whole page.

        Args:
            name: the template's, without ``.html``.
            language: one of ``LANGUAGES``.
            view: what the page shows; None for a page that takes nothing.
            csrf: what its forms send back; a page with a form cannot be rendered without.
            logged_in: whether the visitor has a session, and with it a form to log out.
            here: the page's own address, where it is shown in another language.
        """
        protection = {"csrf": csrf} if csrf else {}
        return self._environment.get_template(f"{name}.html").render(
            page=name,
            language=language,
            t=self._catalogues[language].html,
            view=view,
            logged_in=logged_in,
            here=here,
            **protection,
        )

    def plain(self, key: str, language: str) -> str:
        """One sentence, as it is."""
        return self._catalogues[language].plain(key)

    def mail(self, name: str, language: str, **values: object) -> Mail:
        """An e-mail from its three templates; ``signup`` takes ``link``."""
        catalogue = self._catalogues[language]

        def rendered(kind: str) -> str:
            t = catalogue.html if kind == "html" else catalogue.plain
            return self._environment.get_template(f"mail/{name}.{kind}").render(language=language, t=t, **values)

        return Mail(_one_line(rendered("subject.txt")), rendered("txt"), rendered("html"))

    def _rendered_style(self) -> str:
        return self._environment.get_template(_STYLE).render()

    def _try_all(self, own: OwnFolder) -> None:
        """Render every sample, so that a fault in the operator's templates shows now."""
        for language in LANGUAGES:
            for name, views in samples.PAGES.items():
                for view in views:
                    for logged_in in (False, True):
                        own.attempt(
                            f"{name}.html",
                            lambda: self.page(name, language, view, csrf="sample", logged_in=logged_in),  # noqa: B023
                        )
            for name, values in samples.MAILS.items():
                own.attempt(f"mail/{name}.txt", lambda: self.mail(name, language, **values))  # noqa: B023


def language_of(accept_language: str, default: Language = LANGUAGES[0]) -> Language:
    """The visitor's language by the header Accept-Language (RFC 9110, 12.5.4): the best of ours, or ``default``.

    A dialect is answered in its language; what cannot be read is passed over.
    """
    wishes: dict[str, float] = {}
    for member in accept_language[:_LONGEST_HEADER].split(","):
        name, _, parameter = member.partition(";")
        language = name.strip().lower().partition("-")[0]
        wishes[language] = max(_quality(parameter), wishes.get(language, 0.0))
    others = wishes.pop("*", 0.0)
    asked = sorted((language for language in LANGUAGES if language in wishes), key=[*wishes].index)
    ours: dict[Language, float] = {language: wishes[language] for language in asked}
    ours |= {language: others for language in (default, *LANGUAGES) if language not in ours}
    best = max(ours, key=ours.__getitem__)
    return best if ours[best] > 0 else default


def _quality(parameter: str) -> float:
    """A q-value: 1 if there is none, 0 if it cannot be read."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip().lower() == "q" and 0 <= quality <= 1 else 0.0


def _environment(site: Site, own: Path | None) -> jinja2.Environment:
    ours = loader(_HERE)
    first = [jinja2.FileSystemLoader(own)] if own else []
    environment = environment_of(jinja2.ChoiceLoader([*first, ours, jinja2.PrefixLoader({"ours": ours})]))
    palette = Palette.of(site.colour)
    environment.globals.update(site=site, palette=palette, field_longest=FIELD_LONGEST, shortest=PASSWORD_SHORTEST)
    environment.globals["languages"] = {each: _own_name(each) for each in LANGUAGES}
    return environment


def loader(folder: Path) -> jinja2.BaseLoader:
    """The templates of a folder, and as ``static/…`` what else it has."""
    static = jinja2.FileSystemLoader(folder / "static")
    return jinja2.ChoiceLoader([
        jinja2.FileSystemLoader(folder / "templates"), jinja2.PrefixLoader({"static": static})
    ])  # fmt: skip


def environment_of(templates: jinja2.BaseLoader) -> jinja2.Environment:
    """Templates as all pages are written: HTML is escaped, and a value that is not there is a fault."""
    return jinja2.Environment(
        loader=templates,
        autoescape=jinja2.select_autoescape(["html"], default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def version_of(style: str) -> str:
    """What changes with a stylesheet, for its address."""
    return hashlib.sha256(style.encode()).hexdigest()[:8]


def _catalogues(site: Site, own: OwnFolder | None) -> dict[str, Catalogue]:
    """A catalogue per language; what a language lacks is said in English."""
    everywhere: dict[str, object] = {
        "brand": site.name,
        "shortest": PASSWORD_SHORTEST,
        "longest": PASSWORD_LONGEST,
        "hours": SIGNUP_SECONDS // 3600,
    }
    default: dict[str, str] = {}
    catalogues: dict[str, Catalogue] = {}
    for language in LANGUAGES:
        ours = read_texts(_HERE / "texts" / f"{language}.toml")
        texts = {**default, **ours, **(own.texts(language, ours, everywhere) if own else {})}
        default = default or texts
        catalogues[language] = Catalogue(texts, everywhere)
    return catalogues


def _our_names() -> list[str]:
    templates = _HERE / "templates"
    names = [file.relative_to(templates).as_posix() for file in templates.rglob("*") if file.is_file()]
    return [*names, _STYLE, *(f"texts/{language}.toml" for language in LANGUAGES)]


def _own_name(language: Language) -> str:
    """What a language calls itself."""
    return (Locale(language).get_language_name() or language).capitalize()


def _one_line(text: str) -> str:
    """No line break or control character of a value may become a header of its own."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
