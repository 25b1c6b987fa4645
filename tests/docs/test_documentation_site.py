"""The site that ``make docs`` makes of the pages leads to each of them."""

import runpy
from collections import Counter

from tests.docs.walking import ROOT


def test_each_page_stands_once_in_the_navigation() -> None:
    navigation = runpy.run_path(str(ROOT / "docs/conf.py"))["NAVIGATION"]
    led_to = Counter(f"{page}.md" for pages in navigation.values() for page in pages)
    pages = [str(page.relative_to(ROOT)) for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))]
    assert led_to == Counter(page for page in pages if page != "README.md")
