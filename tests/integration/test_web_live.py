"""The websocket of a real web process over a real MongoDB server, with a stand-in for the CDC."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import socket
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient
from websockets.exceptions import ConnectionClosed, InvalidStatus

from isotherm_web.client import connect
from isotherm_web.mirror import Mirror
from isotherm_web.protocol import Format
from web_support.fake_cdc import FakeCdc, forecast, history, location, weather
from web_support.stalled import stalled_client
from web_support.web_process import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from isotherm_local.harness import Mongodb


FIRST = 1795449600
CELLS = range(1, 6)


@pytest.fixture
def cdc(mongodb: Mongodb) -> Iterator[Any]:
    """A pipeline that has written five locations and the weather of four (seq 1 and 2)."""
    database = f"web_{secrets.token_hex(4)}"
    with MongoClient(mongodb.uri) as client:
        made = FakeCdc(client, database).create()
        made.commit({"locations": [location(number, 10.0, number) for number in CELLS]}, snapshot=True)
        made.commit({"weather_data": [weather(number, float(number)) for number in CELLS if number != 5]})
        yield made
        client.drop_database(database)


def temperatures(mirror: Mirror) -> dict[int, int]:
    """Return what a client shows, scaled by ten."""
    return {identity: cell.values[0] for identity, cell in mirror.by_id().items()}


async def until(client: Any, seq: int) -> None:
    """Receive until the map stands at `seq`, for 20 s at most."""
    async with asyncio.timeout(20):
        await client.until(seq)


async def closed(client: Any) -> int:
    """Receive until the server closes, and return its code."""
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.receive()
    return int(client.socket.close_code)


async def _frames(client: Any) -> AsyncIterator[Any]:
    """Yield what the server sends, without answering, until it closes."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            yield await client.socket.recv()


@pytest.mark.contract("W1", "W2", "W3", "W5", "D1")
@pytest.mark.parametrize("wire", list(Format))
async def test_changes_arrive(cdc: Any, make_web: Callable[..., Any], wire: Format) -> None:
    """A client gets the map, then each change and delete as it happens, in both formats."""
    web = make_web().start()
    async with connect(web.websocket, wire=wire) as client:
        await until(client, 2)
        assert temperatures(client.mirror) == {1: 10, 2: 20, 3: 30, 4: 40, 5: -32768}
        await until(client, cdc.commit({"weather_data": [weather(5, -7.5), weather(1, 1.5)]}))
        await until(client, cdc.commit({}, {"weather_data": [2]}))
        assert temperatures(client.mirror) == {1: 15, 2: -32768, 3: 30, 4: 40, 5: -75}
        assert client.received["snapshot"] == 1


@pytest.mark.contract("W3", "W12")
async def test_resume_gets_exactly_what_was_missed(cdc: Any, make_web: Callable[..., Any]) -> None:
    """A client that comes back to another process gets the missed changes and deletes, and no snapshot."""
    first, second = make_web().start(), make_web()
    mirror = Mirror()
    async with connect(first.websocket, mirror=mirror) as client:
        await until(client, 2)
    cdc.commit({"weather_data": [weather(1, 11.0)]})
    last = cdc.commit({}, {"weather_data": [3]})
    second.start()
    async with connect(second.websocket, mirror=mirror) as client:
        await until(client, last)
        assert client.received == {"hello": 1, "delta": 1}
        assert temperatures(mirror) == {1: 110, 2: 20, 3: -32768, 4: 40, 5: -32768}


@pytest.mark.contract("K5", "W12")
async def test_below_the_floor_and_of_another_stream(cdc: Any, make_web: Callable[..., Any]) -> None:
    """Who has less than the floor, and who comes from a history that is gone, gets a snapshot."""
    web = make_web().start()
    mirror = Mirror()
    async with connect(web.websocket, mirror=mirror) as client:
        await until(client, 2)
    cdc.commit({}, {"weather_data": [1]})
    last = cdc.commit({"weather_data": [weather(2, 9.0)]}, resume_floor=3)
    async with connect(web.websocket) as other:
        await until(other, last)
    async with connect(web.websocket, mirror=mirror) as client:
        await until(client, last)
        assert client.received["snapshot"] == 1
        assert temperatures(mirror)[1] == -32768
        cdc.begin()
        cdc.commit({"weather_data": [weather(4, -1.0)]})
        async with asyncio.timeout(20):
            while mirror.stream != cdc.stream or mirror.seq < cdc.seq:
                await client.receive()
        assert temperatures(mirror)[4] == -10


@pytest.mark.contract("W12")
async def test_client_ahead_of_a_process_that_is_behind(cdc: Any, make_web: Callable[..., Any]) -> None:
    """A client that claims a seq which the checkpoint does not have gets a snapshot of what there is."""
    web = make_web().start()
    mirror = Mirror()
    async with connect(web.websocket, mirror=mirror) as client:
        await until(client, 2)
    mirror.seq = 999
    async with connect(web.websocket, mirror=mirror) as client:
        async with asyncio.timeout(20):
            while "snapshot" not in client.received:
                await client.receive()
        assert mirror.seq == cdc.seq


@pytest.mark.contract("W8")
async def test_changed_geometry(cdc: Any, make_web: Callable[..., Any]) -> None:
    """A location that comes or goes sends everything anew to every client."""
    web = make_web().start()
    async with connect(web.websocket) as client:
        await until(client, 2)
        await until(client, cdc.commit({"locations": [location(3, 10.0, 3, active=False), location(9, 1.0, 1.0)]}))
        assert client.mirror.ids == [1, 2, 4, 5, 9]
        assert client.received["snapshot"] == 2


async def test_documents_written_by_hand(cdc: Any, make_web: Callable[..., Any]) -> None:
    """What another hand writes and deletes beside the CDC's documents keeps no process from starting or going on."""
    for collection in ("weather_data", "locations"):
        cdc.db[collection].insert_one({"_id": "before", "temperature_2m": "hot"})
    web = make_web().start()
    async with connect(web.websocket) as client:
        await until(client, 2)
        for collection in ("weather_data", "locations"):
            cdc.db[collection].insert_one({"_id": "while"})
            cdc.db[collection].delete_many({"_id": {"$in": ["before", "while"]}})
        await until(client, cdc.commit({"weather_data": [weather(1, 21.0)]}))
        assert temperatures(client.mirror) == {1: 210, 2: 20, 3: 30, 4: 40, 5: -32768}
        assert web.process.poll() is None


@pytest.mark.contract("W3")
async def test_mongodb_restarts(mongodb: Mongodb, cdc: Any, make_web: Callable[..., Any]) -> None:
    """While MongoDB is away the map is served and the process stays ready; after it, clients go on with deltas."""
    web = make_web().start()
    async with connect(web.websocket) as client:
        await until(client, 2)
        mongodb.stop()
        assert web.status("/readyz", web.metrics_port) == 200
        assert web.status("/api/v1/grid") == 200
        assert web.status("/api/v1/locations/1/series") == 503
        mongodb.start().wait_ready()
        last = cdc.commit({"weather_data": [weather(1, 21.0)]}, {"weather_data": [2]})
        async with asyncio.timeout(60):
            await client.until(last)
        assert client.received["snapshot"] == 1
        assert temperatures(client.mirror) == {1: 210, 2: -32768, 3: 30, 4: 40, 5: -32768}


@pytest.mark.contract("W10", "E5")
async def test_sigterm_drains(make_web: Callable[..., Any]) -> None:
    """On SIGTERM every client is closed with 1012 and the process exits 0 in time, stalled clients or not."""
    web = make_web().start()
    stalled = socket.create_connection(("127.0.0.1", web.port))
    with stalled:
        stalled.sendall(b"GET /ws HTTP/1.1\r\n")
        async with connect(web.websocket) as one, connect(web.websocket, wire=Format.JSON) as two:
            await until(one, 2)
            await until(two, 2)
            web.signal(signal.SIGTERM)
            assert [await closed(one), await closed(two)] == [1012, 1012]
            assert await asyncio.to_thread(web.wait) == 0


@pytest.mark.contract("W10")
async def test_caps_and_missing_resume(make_web: Callable[..., Any]) -> None:
    """Over the cap of an address the code is 4003; without a resume in time 4001."""
    web = make_web(WEB_MAX_CONNECTIONS_PER_ADDRESS="1", WEB_RESUME_TIMEOUT_SECONDS="0.5").start()
    async with connect(web.websocket, resume=False) as client:
        async with connect(web.websocket, resume=False) as second:
            assert await closed(second) == 4003
        assert await closed(client) == 4001


@pytest.mark.contract("W10")
async def test_silent_client(make_web: Callable[..., Any]) -> None:
    """A client that does not answer pings is closed with 4005."""
    web = make_web(WEB_SILENT_AFTER_SECONDS="1", WEB_PING_INTERVAL_SECONDS="0.3").start()
    async with connect(web.websocket, wire=Format.JSON) as client:
        async with asyncio.timeout(20):
            async for _ in _frames(client):
                pass
        assert client.socket.close_code == 4005


@pytest.mark.contract("W10")
async def test_slow_client_is_closed_though_it_does_not_read(
    cdc: Any, make_web: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """A client that stops reading is dropped after a while, has little waiting for it meanwhile, and is no error in the log."""
    long = "x" * 100
    cdc.commit({"locations": [location(number, -20.0, number / 100, name=long) for number in range(100, 600)]})
    web = make_web(WEB_SLOW_AFTER_SECONDS="1").start()
    async with connect(web.websocket, wire=Format.BINARY) as watcher:
        await until(watcher, cdc.seq)
        with stalled_client(web.port):

            def write() -> bool:
                west = cdc.seq / 1000
                places = [location(number, -20.0, number / 100 + west, name=long) for number in range(100, 600)]
                cdc.commit({"locations": places})
                return bool(web.metric("isotherm_web_slow_clients_closed_total"))

            await asyncio.to_thread(wait_for, write, "the slow client to be closed")
            closed_at = 'isotherm_web_closes_total{code="4002"}'
            assert web.metric(closed_at) == 1
            assert 0 < web.metric('isotherm_web_sent_bytes_total{format="isotherm.v1.json"}') < 1_000_000
    web.stop()
    assert '"level": "error"' not in capfd.readouterr().err


@pytest.mark.contract("W11")
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:1"])
async def test_origin(make_web: Callable[..., Any], origin: str) -> None:
    """A page of another origin is refused with 403 unless it is listed."""
    web = make_web(WEB_ALLOWED_ORIGINS="https://friend.example").start()
    with pytest.raises(InvalidStatus) as refused:
        async with connect(web.websocket, origin=origin):
            pass
    assert refused.value.response.status_code == 403
    async with connect(web.websocket, origin="https://friend.example") as client:
        await until(client, 2)


@pytest.mark.contract("H2", "H3", "H4", "H6")
def test_http(cdc: Any, make_web: Callable[..., Any]) -> None:
    """The map, a series and a forecast over HTTP; health on its own port only."""
    past = [history(1, FIRST + hour * 3600, float(hour)) for hour in range(5)]
    cdc.commit({"weather_history": [*past, history(2, FIRST)], "weather_forecast": [forecast(1, FIRST, hours=3)]})
    web = make_web().start()

    def get(path: str) -> Any:
        with urllib.request.urlopen(web.url + path, timeout=5) as answer:
            return json.load(answer)

    grid = get("/api/v1/grid")
    assert grid["geometry"]["ids"] == list(CELLS)
    assert grid["layers"]["temperature_2m"] == [1.0, 2.0, 3.0, 4.0, None]
    series = get(f"/api/v1/locations/1/series?from={FIRST + 3600}&to={FIRST + 3 * 3600}")
    assert series["valid_at"] == [FIRST + hour * 3600 for hour in (1, 2, 3)]
    assert series["temperature_2m"] == [1.0, 2.0, 3.0]
    assert get("/api/v1/locations/1/forecast")["valid_at"] == [FIRST, FIRST + 3600, FIRST + 7200]
    assert [web.status(path) for path in ("/api/v1/locations/2/forecast", "/api/v1/locations/77/series")] == [404, 404]
    assert [web.status(path) for path in ("/metrics", "/readyz", "/healthz")] == [404, 404, 404]
    assert web.status("/healthz", web.metrics_port) == 200
