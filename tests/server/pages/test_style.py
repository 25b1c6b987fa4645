"""The stylesheet in any brand colour: readable, small and all our own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.pages.reading import read
from tests.server.pages.rendered import renderer
from tollbridge.errors import ConfigError
from tollbridge.server.pages import views as v
from tollbridge.server.pages.colours import contrast, text_on
from tollbridge.server.pages.renderer import Renderer


def schemes(style: str) -> tuple[dict[str, str], dict[str, str]]:
    """The colours by name, in the light and in the dark."""
    light, dark = (dict(re.findall(r"--([a-z-]+): (#\w{6});", part)) for part in style.split("@media", 2)[:2])
    return light, {**light, **dark}


@pytest.mark.parametrize("colour", ["#1a5fb4", "#ffffff", "#000000", "#ffd500", "#808080", "#14171b"])
def test_everything_can_be_read_in_the_light_and_in_the_dark(colour: str) -> None:
    for scheme in schemes(Renderer(v.Site("Example", colour), None).style):
        for ground in (scheme["page"], scheme["panel"]):
            for ink in ("text", "quiet", "accent", "bad", "good", "wait"):
                assert contrast(scheme[ink], ground) >= 4.5, f"{ink} on {ground}"
            assert contrast(scheme["edge"], ground) >= 3, f"a field's edge on {ground}"
        assert contrast(scheme["on-brand"], scheme["brand"]) >= 4.5


def test_contrast_is_what_wcag_defines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#333333", "#ffffff") == pytest.approx(12.63, abs=0.01)
    assert contrast("#1a5fb4", "#ffffff") == contrast("#ffffff", "#1a5fb4")


@given(st.integers(0, 0xFFFFFF))
def test_black_or_white_can_be_read_on_every_brand_colour(number: int) -> None:
    colour = f"#{number:06x}"
    assert contrast(text_on(colour), colour) >= 4.5


def test_the_stylesheet_is_small_and_fetches_nothing() -> None:
    style = renderer().style
    assert len(style.encode()) < 16_000
    assert "url(" not in style
    assert "@import" not in style


def test_the_stylesheets_address_changes_with_its_content() -> None:
    one, other = (
        read(Renderer(v.Site("Example", colour), None).page("signup_sent", "en", None)).one("link", rel="stylesheet")
        for colour in ("#1a5fb4", "#1a5fb5")
    )
    assert one["href"].startswith("/cloud/static/style.css?v=")
    assert one["href"] != other["href"]


@pytest.mark.parametrize("colour", ["red", "#fff", "#1a5fb4;} body { display: none", "#1a5fb4\n", ""])
def test_a_colour_that_is_none_is_refused(colour: str) -> None:
    with pytest.raises(ConfigError, match=r"pages\.colour: must be a colour like"):
        Renderer(v.Site("Example", colour), None)
