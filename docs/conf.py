"""The documentation as a site, made by ``make docs``: README.md, the other pages at the top, and docs/, as they are.

A page that is not in the navigation, and a link or an anchor that leads nowhere, is an error.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NAVIGATION: Mapping[str, list[str]] = {
    "Setting up": ["docs/solusio", "docs/configuration", "docs/pricing", "docs/pages"],
    "Your billing system": [
        "docs/whmcs_like", "docs/blesta", "docs/hostbill", "docs/ubersmith", "docs/fossbilling", "docs/generic_sql",
    ],
    "Running it": [
        "docs/operation", "docs/scaling", "docs/operator", "docs/commands", "docs/audit", "docs/json", "docs/ledger",
    ],
    "Why it can be trusted": ["docs/exactly-once", "docs/proof", "SECURITY", "docs/architecture"],
    "Extending it": ["docs/writing-an-adapter", "docs/adapters", "docs/adapter-helpers", "CONTRIBUTING"],
    "Releases": ["CHANGELOG"],
}  # fmt: skip

project = "Tollbridge"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md"]
exclude_patterns = [".*", "benchmarks", "core", "deploy", "dist", "plugins", "release", "site", "tests"]
myst_heading_anchors = 4  # GitHub's
suppress_warnings = ["misc.highlighting_failure"]  # answers are shown with "…" for what is left out
html_theme = "furo"
html_title = "Tollbridge"
html_copy_source = False
html_show_sphinx = False
templates_path = ["templates"]
html_additional_pages = {"index": "index.html"}


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _with_navigation)
    app.connect("doctree-read", _without_folders)


def _with_navigation(_app: Any, page: str, source: list[str]) -> None:
    """README.md is the first page, and for readers of the repository it has a table in place of this."""
    if page == root_doc:
        for caption, pages in NAVIGATION.items():
            lines = [":hidden:", f":caption: {caption}", "", *(f"/{each}" for each in pages)]
            source[0] += "\n".join(["", "```{toctree}", *lines, "```", ""])


def _without_folders(app: Any, document: Any) -> None:
    """A link to a folder of the repository, which the site does not have, becomes its text alone."""
    here = (ROOT / app.env.docname).parent
    for link in list(document.findall(lambda node: node.tagname == "pending_xref")):
        if (here / link["reftarget"]).is_dir():
            link.replace_self(link.children)
