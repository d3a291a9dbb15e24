from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from isotherm_simulator.app import Simulator, create_app
from isotherm_simulator.faults import GARBAGE, LATE_ERROR, REASONS, Fault, FaultBox
from isotherm_simulator.metrics import Metrics
from isotherm_simulator.quota import Concurrency, Quota
from isotherm_simulator.wire import Wire

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol as Client

    from isotherm_simulator.weather import Weather

ONE = {"latitude": "50", "longitude": "10", "current": "temperature_2m"}
TWO = {"latitude": "50,51", "longitude": "10,11", "current": "temperature_2m"}


@pytest.fixture
def simulator(weather: Weather) -> Simulator:
    return Simulator(
        weather=weather,
        faults=FaultBox(),
        metrics=Metrics(CollectorRegistry()),
        quota=Quota(),
        clock=lambda: 1_795_536_300.0,
    )


@pytest.fixture
def client(simulator: Simulator) -> Client:
    app = create_app(simulator)
    app.asgi_app = Wire(app.asgi_app, "1.2.3")  # type: ignore[method-assign]
    return app.test_client()


async def test_one_location_is_an_object_and_several_a_list(client: Client) -> None:
    """The trap that every client of Open-Meteo falls into once."""
    assert isinstance(await (await client.get("/v1/forecast", query_string=ONE)).get_json(), dict)
    several = await (await client.get("/v1/forecast", query_string=TWO)).get_json()
    assert [answer.get("location_id") for answer in several] == [None, 1]


async def test_get_form_and_json_are_answered_alike(client: Client) -> None:
    """Lists may come as lists or with commas."""
    answers = [
        await client.get("/v1/forecast", query_string=TWO),
        await client.post("/v1/forecast", form=TWO),
        await client.post("/v1/forecast", json=TWO),
        await client.post(
            "/v1/forecast", json={"latitude": [50, 51], "longitude": [10, 11], "current": ["temperature_2m"]}
        ),
    ]
    bodies = [await answer.get_json() for answer in answers]
    for body in bodies:
        for location in body:
            del location["generationtime_ms"]
    assert bodies == [bodies[0]] * 4
    assert {answer.content_type for answer in answers} == {"application/json; charset=utf-8"}


@pytest.mark.contract("E7")
@pytest.mark.parametrize(
    "path", ["/v1/forecast?latitude=1&longitude=1", "/v1/forecast?latitude=99", "/faults", "/nowhere"]
)
async def test_every_answer_says_that_it_is_simulated(client: Client, path: str) -> None:
    """Weather, refusals and strangers' paths alike."""
    assert (await client.get(path)).headers["X-Isotherm-Simulator"] == "1.2.3"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'])
async def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    """With a reason, like everything else."""
    answer = await client.post("/v1/forecast", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert (await answer.get_json())["error"] is True


async def test_other_paths_and_methods_have_reasons_too(client: Client) -> None:
    """In the same shape."""
    for answer, status in ((await client.get("/v1/elevation"), 404), (await client.delete("/v1/forecast"), 405)):
        assert answer.status_code == status
        assert set(await answer.get_json()) == {"error", "reason"}


async def test_the_quota_is_spent_by_weight_and_by_failures(client: Client, simulator: Simulator) -> None:
    """A success costs its weight, a bad request 1, a refusal by the quota nothing."""
    quota = simulator.quota
    assert quota is not None
    await client.get("/v1/forecast", query_string=TWO)
    await client.get("/v1/forecast", query_string={"latitude": "99", "longitude": "0"})
    (ledger,) = quota._spent.values()
    assert {name: weight for name, (_, weight) in ledger.items()} == {"minutely": 3.0, "hourly": 3.0, "daily": 3.0}
    (name,) = quota._spent
    quota.spend(name, 600, simulator.clock())
    refused = await client.get("/v1/forecast", query_string=ONE)
    assert refused.status_code == 429
    assert await refused.get_json() == {"error": True, "reason": REASONS["minutely_limit"]}
    assert "Retry-After" not in refused.headers
    assert {weight for _, weight in ledger.values()} == {603.0}


async def test_a_request_heavier_than_an_hour_is_refused(client: Client, simulator: Simulator) -> None:
    """It could never be answered in full."""
    many = ",".join(["1"] * 1000)
    names = ["temperature_2m", "wind_speed_10m", "wind_direction_10m", "wind_gusts_10m", "is_day", "weather_code"]
    heavy = {"latitude": many, "longitude": many, "hourly": names, "current": names, "past_days": "92"}
    answer = await client.post("/v1/forecast", json=heavy)
    assert answer.status_code == 400
    assert "too much data" in (await answer.get_json())["reason"]


async def test_without_a_quota_nothing_is_counted(client: Client, simulator: Simulator) -> None:
    """Like a host of one's own."""
    simulator.quota = None
    many = ",".join(["1"] * 700)
    for _ in range(2):
        assert (await client.post("/v1/forecast", form={"latitude": many, "longitude": many})).status_code == 200


async def test_one_request_runs_some_wait_and_the_rest_is_refused(client: Client, simulator: Simulator) -> None:
    """All of those that waited are answered."""
    simulator.concurrency = Concurrency(most=3)
    answers = await asyncio.gather(*(client.get("/v1/forecast", query_string=ONE) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 429, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (await refused.get_json())["reason"] == "Too many concurrent requests"


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
async def test_a_refusal_can_be_had_on_demand(client: Client, kind: str, reason: str) -> None:
    """Once, and then the weather again."""
    assert (await client.post("/faults", json={"kind": kind, "count": 1})).status_code == 201
    refused = await client.get("/v1/forecast", query_string=ONE)
    assert refused.status_code == (503 if kind == "overloaded" else 429)
    assert await refused.get_json() == {"error": True, "reason": reason}
    assert (await client.get("/v1/forecast", query_string=ONE)).status_code == 200


async def test_a_stream_can_break_off_late(client: Client) -> None:
    """In a 200 whose body does not parse."""
    await client.post("/faults", json={"kind": "stream_error", "count": 1})
    answer = await client.get("/v1/forecast", query_string=TWO)
    body = (await answer.get_data()).decode()
    assert answer.status_code == 200
    assert body.endswith(LATE_ERROR)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_garbage_and_single_objects_and_nulls(client: Client) -> None:
    """Each in a 200."""
    for kind in ("garbage", "single_object"):
        await client.post("/faults", json={"kind": kind, "count": 1})
    await client.post("/faults", json={"kind": "nulls", "fraction": 1})
    assert (await (await client.get("/v1/forecast", query_string=TWO)).get_data()).decode() == GARBAGE
    single = await (await client.get("/v1/forecast", query_string=TWO)).get_json()
    assert single["current"]["temperature_2m"] is None
    assert isinstance(await (await client.get("/v1/forecast", query_string=TWO)).get_json(), list)


async def test_a_slow_answer_takes_its_time(
    client: Client, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And comes."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("isotherm_simulator.app.asyncio.sleep", sleep)
    simulator.faults.add(Fault("slow", seconds=7.5))
    assert (await client.get("/v1/forecast", query_string=ONE)).status_code == 200
    assert waits == [7.5]


async def test_a_dropped_connection_ends_in_the_middle_of_the_body(simulator: Simulator) -> None:
    """The server under it is never told that the body is whole, so that it must close."""
    simulator.faults.add(Fault("drop"))
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return requests.pop() if requests else await asyncio.Event().wait()

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/v1/forecast", "raw_path": b"/v1/forecast", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"x")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "extensions": {},
    }  # fmt: skip
    await Wire(create_app(simulator), "1")(scope, receive, send)
    start, *bodies = sent
    headers = dict(start["headers"])
    assert b"x-isotherm-drop" not in headers
    assert sum(len(body["body"]) for body in bodies) < int(headers[b"content-length"])
    assert all(body["more_body"] for body in bodies)


async def test_faults_are_listed_and_cleared(client: Client) -> None:
    """One by one or all at once."""
    for kind in ("garbage", "slow"):
        await client.post("/faults", json={"kind": kind})
    listed = await (await client.get("/faults")).get_json()
    assert [fault["kind"] for fault in listed["faults"]] == ["garbage", "slow"]
    number = listed["faults"][0]["id"]
    assert (await client.delete(f"/faults/{number}")).status_code == 200
    assert (await client.delete(f"/faults/{number}")).status_code == 404
    assert (await client.delete("/faults")).status_code == 200
    assert (await (await client.get("/faults")).get_json())["faults"] == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"kind": "x"}'])
async def test_what_is_no_fault_is_refused(client: Client, body: bytes) -> None:
    """With a reason."""
    answer = await client.post("/faults", data=body)
    assert answer.status_code == 400
    assert (await answer.get_json())["error"] is True


async def test_requests_locations_and_faults_are_counted(client: Client, simulator: Simulator) -> None:
    """By status and by kind."""
    simulator.faults.add(Fault("overloaded", count=1))
    for _ in range(3):
        await client.get("/v1/forecast", query_string=TWO)
    value = simulator.metrics.registry.get_sample_value
    assert value("isotherm_simulator_requests_total", {"status": "200"}) == 2
    assert value("isotherm_simulator_requests_total", {"status": "503"}) == 1
    assert value("isotherm_simulator_locations_total") == 4
    assert value("isotherm_simulator_faults_total", {"kind": "overloaded"}) == 1
    assert value("isotherm_simulator_answer_seconds_count") == 2
