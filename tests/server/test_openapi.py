"""openapi.yaml is valid, has every address of the server, and each of its answers is one that it tells of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from openapi_spec_validator import validate
from starlette.routing import Route

from tests.server.asking import ADDRESS, WHMCS_ADDRESS, counting, form
from tests.world import World
from tollbridge.server.app import create_app
from tollbridge.server.lookup import PATHS

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parents[2] / "openapi.yaml").read_text("utf-8"))
PAGES = """
[pages]
name = "Example Cloud"
secret = "0123456789abcdef0123456789abcdef"
terms_url = "https://example.com/terms"
"""
FORM = "application/x-www-form-urlencoded"
NOT_TRIED = {"500"}  # nothing that may be asked leads to a fault


@pytest.fixture
def server(world: World) -> Iterator[tuple[str, Any]]:
    """A server with pages, and its billing system."""
    world.more = PAGES
    with counting(world) as found:
        yield found


def schema(of: Any) -> dict[str, Any]:
    """A schema of the document that can be used by itself."""
    return {**of, "components": DOCUMENT["components"]}


def matches(answer: httpx.Response) -> str:
    """Hold an answer against the document; which status it documents."""
    request = answer.request
    told = DOCUMENT["paths"][request.url.path][request.method.lower()]["responses"][str(answer.status_code)]
    kind = answer.headers["content-type"].partition(";")[0]
    [(documented, content)] = told["content"].items()
    assert kind == documented
    body = answer.json() if kind == "application/json" else answer.text
    jsonschema.validate(body, schema(content["schema"]), jsonschema.Draft202012Validator)
    return str(answer.status_code)


def asked(fields: dict[str, str]) -> None:
    """Hold a question against the document."""
    content = DOCUMENT["paths"][ADDRESS]["post"]["requestBody"]["content"][FORM]
    jsonschema.validate(fields, schema(content["schema"]), jsonschema.Draft202012Validator)


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_every_address_of_the_server_is_documented_and_no_other(world: World) -> None:
    with world.parts() as parts:
        routes = [route for route in create_app(parts).routes if isinstance(route, Route)]
    there = {(route.path.rstrip("/"), method) for route in routes for method in route.methods or () if method != "HEAD"}
    documented = {(path.rstrip("/"), method.upper()) for path, item in DOCUMENT["paths"].items() for method in item}
    assert there == documented
    assert {path.rstrip("/") for path in PATHS} <= {path for path, _ in documented}


@pytest.mark.parametrize("address", [ADDRESS, WHMCS_ADDRESS])
def test_each_answer_of_the_endpoint_is_one_that_is_documented(server: tuple[str, Any], address: str) -> None:
    url, adapter = server
    good = [form(), form(action="GetEnrolment"), form(action="CreateSsoToken", destination="solusio")]
    bad = [
        form("x"),
        form(action="Dance"),
        form(token="wrong"),
        form(77001),
        form(action="CreateSsoToken", destination="x"),
    ]
    seen = set()
    for fields in good:
        asked(fields)
        seen.add(matches(httpx.post(url + address, data=fields)))
    assert seen == {"200"}
    for fields in bad:
        seen.add(matches(httpx.post(url + address, data=fields)))
    seen.add(matches(httpx.post(url + address, data=form(more="x" * 20_000))))
    adapter.down = True
    late = httpx.post(url + address, data=form(1043))
    seen.add(matches(late))
    assert late.headers["retry-after"].isdecimal()
    assert DOCUMENT["paths"][address]["post"]["responses"].keys() - seen == NOT_TRIED


@pytest.mark.parametrize("fields", [form("x"), form(action="Dance"), {"action": "GetTokenPricing"}])
def test_what_is_refused_is_no_question_by_the_document_either(fields: dict[str, str]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        asked(fields)


def test_health_and_metrics_answer_as_documented(server: tuple[str, Any]) -> None:
    url, adapter = server
    assert [matches(httpx.get(url + path)) for path in ("/healthz", "/readyz", "/metrics")] == ["200"] * 3
    adapter.down = True
    assert matches(httpx.get(f"{url}/readyz")) == "503"
