"""What all simulators have from one base: counted calls, answers that take their time, and quirks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import httpx
import pytest

from tests.plugins import TLS
from tollbridge import Unavailable
from tollbridge.sandbox import Fault, Simulator, serve, simulator_app
from tollbridge_blesta import sandbox as blesta
from tollbridge_blesta.sandbox.breaking import BlestaBreaker
from tollbridge_hostbill import sandbox as hostbill
from tollbridge_ubersmith import sandbox as ubersmith
from tollbridge_whmcs_like import sandbox as whmcs


@attrs.frozen
class Served:
    """A simulator over HTTP, a call that its API answers, and a change of its quirks."""

    simulator: Simulator
    http: httpx.Client
    name: str
    method: str
    path: str
    fields: dict[str, str]
    quirk: dict[str, str]

    def call(self, _number: int = 0) -> httpx.Response:
        return self.http.request(self.method, self.path, data=self.fields)


@pytest.fixture(params=["whmcs_like", "blesta", "hostbill", "ubersmith"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    if request.param == "blesta":
        install = blesta.Install()
        with (
            blesta.running(install) as url,
            httpx.Client(verify=TLS, base_url=url, auth=(install.user, install.key)) as http,
        ):
            yield Served(
                install,
                http,
                "clients/getListCount",
                "GET",
                "/api/clients/getListCount.json",
                {},
                {"booleans": "digit"},
            )
        return
    if request.param == "hostbill":
        third = hostbill.Install()
        fields = {"api_id": third.api_id, "api_key": third.api_key, "call": "getCurrencies"}
        with hostbill.running(third) as url, httpx.Client(verify=TLS, base_url=url) as http:
            yield Served(third, http, "getCurrencies", "POST", "/admin/api.php", fields, {"errors": "map"})
        return
    if request.param == "ubersmith":
        other = ubersmith.Install()
        with (
            ubersmith.running(other) as url,
            httpx.Client(verify=TLS, base_url=url, auth=(other.user, other.token)) as http,
        ):
            yield Served(
                other, http, "client.count", "POST", "/api/2.0/", {"method": "client.count"}, {"lists": "lists"}
            )
        return
    simulated = whmcs.Install()
    fields = {"identifier": simulated.identifier, "secret": simulated.secret, "action": "getcurrencies"}
    with whmcs.running(simulated) as url, httpx.Client(verify=TLS, base_url=url) as http:
        yield Served(simulated, http, "GetCurrencies", "POST", "/includes/api.php", fields, {"booleans": "text"})


def load(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = served.http.get("/sandbox/load").json()["data"]
    return found


def test_calls_are_counted_by_name_and_by_how_many_there_were_at_once(served: Served) -> None:
    assert load(served) == {"latency": 0.0, "calls": {}, "most_at_once": 0}
    for _ in range(3):
        assert served.call().status_code == 200
    assert load(served) == {"latency": 0.0, "calls": {served.name: 3}, "most_at_once": 1}
    served.simulator.faults.add(Fault("503"))
    assert served.call().status_code == 503
    assert served.simulator.load.calls == {served.name: 4}, "one that goes wrong is a call, too"
    assert served.http.delete("/sandbox/load").status_code == 204
    assert load(served)["calls"] == {}


def test_calls_wait_for_each_other_no_more_than_for_the_latency(served: Served) -> None:
    assert served.http.post("/sandbox/load", json={"latency": 30}).json()["data"]["latency"] == 30
    with ThreadPoolExecutor(4) as pool:
        assert {answer.status_code for answer in pool.map(served.call, range(12))} == {200}
    assert 2 <= served.simulator.load.most_at_once <= 4
    assert load(served)["latency"] == 30


@pytest.mark.parametrize("latency", [-1, "50", True, None, 60_001])
def test_a_latency_that_is_none_is_answered_422(served: Served, latency: object) -> None:
    answer = served.http.post("/sandbox/load", json={"latency": latency})
    assert (answer.status_code, "milliseconds" in answer.json()["message"]) == (422, True)
    assert served.simulator.load.latency == 0


def test_a_quirk_there_is_none_of_is_answered_with_those_there_are(served: Served) -> None:
    before = served.http.get("/sandbox/quirks").json()["data"]
    answer = served.http.post("/sandbox/quirks", json={**served.quirk, "humour": True})
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("there is no quirk humour; there are ")
    assert served.http.get("/sandbox/quirks").json()["data"] == before
    assert served.http.post("/sandbox/quirks", json=served.quirk).json()["data"] == {**before, **served.quirk}


def test_an_address_that_is_taken_is_told_and_nothing_else(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    port = served.http.base_url.port or 0
    app = simulator_app(served.simulator, [], BlestaBreaker)
    with pytest.raises(Unavailable, match=f"http://127.0.0.1:{port} cannot be served: Address already in use"):
        serve(app, host="127.0.0.1", port=port, told="It is at {root}")
    assert capsys.readouterr().err == ""
