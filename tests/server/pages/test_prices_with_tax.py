"""Prices on the landing page with the tax of a country: what would be billed to a client there."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.server.pages.site import Cloud, a_cloud
from tests.server.pages.test_account import words
from tollbridge.cli import main
from tollbridge.errors import NotFound
from tollbridge.jobs.pricing import Pricer

GERMANY = 'prices_with_tax = "DE"'


def a_taxed_cloud(folder: Path, *taxes: str, pages: str = GERMANY) -> AbstractContextManager[Cloud]:
    return a_cloud(folder, pages="\n\n".join((pages, *taxes)))


def vat(rate: str, country: str) -> str:
    return f'[[pricing.taxes]]\nlabel = "VAT"\nrate = "{rate}"\ncountry = "{country}"'


def test_plans_cost_what_an_invoice_to_a_client_there_would_come_to(tmp_path: Path) -> None:
    with a_taxed_cloud(tmp_path, vat("19", "DE"), vat("20", "GB")) as cloud:
        shown = words(cloud.browser().get("/cloud?currency=USD").text)
        assert "Per hour $0.00833 At most per month $5.95" in shown
        assert "With VAT 19%, as paid in Germany." in shown
        german = cloud.browser(**{"Accept-Language": "de"}).get("/cloud?currency=USD").text
        assert "Mit VAT 19 %, wie in Deutschland zu zahlen." in words(german)


def test_whoever_chose_no_currency_sees_that_of_the_country(tmp_path: Path) -> None:
    with a_taxed_cloud(tmp_path, vat("19", "DE")) as cloud:
        assert "Per hour €0.007497 At most per month €5.36" in words(cloud.browser().get("/cloud").text)


def test_where_nothing_is_due_that_is_said_and_no_other_countrys_tax_is_added(tmp_path: Path) -> None:
    with a_taxed_cloud(tmp_path, vat("20", "GB")) as cloud:
        shown = words(cloud.browser().get("/cloud?currency=USD").text)
        assert "At most per month $5.00" in shown
        assert "There is no tax to pay in Germany." in shown


def test_without_a_country_prices_are_before_tax_and_say_so(tmp_path: Path) -> None:
    with a_taxed_cloud(tmp_path, vat("19", "DE"), pages="") as cloud:
        shown = words(cloud.browser().get("/cloud?currency=USD").text)
        assert "At most per month $5.00" in shown
        assert "Tax is added where it applies." in shown


def test_taxes_that_cannot_be_told_are_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object) -> object:
        raise NotFound("taxes are told by client only")

    monkeypatch.setattr(Pricer, "price_in", unknown)
    with a_taxed_cloud(tmp_path, vat("19", "DE")) as cloud:
        shown = words(cloud.browser().get("/cloud?currency=USD").text)
        assert "At most per month $5.00" in shown
        assert "Tax is added where it applies." in shown


def test_check_tells_which_taxes_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_taxed_cloud(tmp_path, vat("19", "DE")) as cloud:
        capsys.readouterr()
        main(["--config", str(cloud.config), "check", "--json"])
        checks = {each["name"]: each["detail"] for each in json.loads(capsys.readouterr().out)["checks"]}
        assert checks["pages.prices_with_tax"] == "VAT 19 %"
