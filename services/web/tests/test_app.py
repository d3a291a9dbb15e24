"""The HTTP side, without sockets."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
import struct
import threading
import time
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import brotli  # type: ignore[import-untyped]
import pytest

from isotherm_web import app, compression, docs, http_map
from isotherm_web.app import create_app
from isotherm_web.courses import Courses
from isotherm_web.errors import BadQuery, DatabaseUnavailable
from isotherm_web.export import encode_csv
from isotherm_web.frame_cache import FrameCache
from isotherm_web.frames import FrameQuery, frame_query
from isotherm_web.geometry import Location, make_geometry
from isotherm_web.settings import ServerSettings
from isotherm_web.state import GridState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from quart.typing import TestClientProtocol

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics


class FakeMongo:
    """Answers with what the test put in."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.prediction: dict[str, Any] | None = None
        self.away = False
        self.asked: list[int] = []

    async def history(self, *_: Any) -> list[dict[str, Any]]:
        """Return the documents."""
        if self.away:
            raise DatabaseUnavailable
        return self.documents

    async def forecast(self, _: int) -> dict[str, Any] | None:
        """Return the forecast."""
        return self.prediction

    async def forecasts(self, after_seq: int) -> tuple[list[dict[str, Any]], list[int]]:
        """Return the forecast of location 1."""
        if self.away:
            raise DatabaseUnavailable
        self.asked.append(after_seq)
        return ([] if self.prediction is None else [self.prediction]), []

    async def histories(self, *_: Any) -> dict[int, list[dict[str, Any]]]:
        """Return the documents as location 2's."""
        return {2: self.documents}


@pytest.fixture
def mongo() -> FakeMongo:
    """A database of one test."""
    return FakeMongo()


@pytest.fixture
def make_http(
    hub: Hub, metrics: Metrics, mongo: FakeMongo, tmp_path: Path
) -> Callable[[ServerSettings], TestClientProtocol]:
    """Makes clients of the application, whose page lies in the test's directory."""

    def make(settings: ServerSettings) -> TestClientProtocol:
        app = create_app(hub, mongo, metrics, settings, version="0", static=tmp_path)  # type: ignore[arg-type]
        return app.test_client()

    return make


@pytest.fixture
def http(make_http: Callable[[ServerSettings], TestClientProtocol]) -> TestClientProtocol:
    """A client of the application with its default settings."""
    return make_http(ServerSettings())


@pytest.mark.contract("H2")
async def test_grid(http: TestClientProtocol) -> None:
    """The grid has SI units and nulls, and an ETag that saves sending it again."""
    answer = await http.get("/api/v1/grid")
    grid = await answer.get_json()
    assert grid["layers"] == {
        "temperature_2m": [11.3, None],
        "wind_speed_10m": [4.2, None],
        "wind_direction_10m": [231.0, None],
    }
    assert grid["geometry"]["name"] == ["Here", None]
    assert "Open-Meteo" in grid["attribution"]
    again = await http.get("/api/v1/grid", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    for accepted, encoding, decompress in (
        ("gzip", "gzip", gzip.decompress),
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip, br;q=0.5", "gzip", gzip.decompress),
        ("br;q=0, identity", None, bytes),
    ):
        compressed = await http.get("/api/v1/grid", headers={"Accept-Encoding": accepted})
        assert compressed.headers.get("Content-Encoding") == encoding
        assert json.loads(decompress(await compressed.get_data(as_text=False)))["seq"] == 41


@pytest.mark.contract("H2")
async def test_grid_that_was_changed_by_hand(http: TestClientProtocol, hub: Hub) -> None:
    """When the map was loaded anew and differs without a newer seq, who has the old one does not hear that it has not changed."""
    before = await http.get("/api/v1/grid")
    hub.replace(GridState(stream=hub.state.stream, seq=hub.state.seq, locations=hub.state.locations))
    after = await http.get("/api/v1/grid", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert (await after.get_json())["layers"]["temperature_2m"] == [None, None]


@pytest.mark.contract("H3", "H4", "H7")
async def test_unknown_and_unavailable(http: TestClientProtocol, mongo: FakeMongo, hub: Hub) -> None:
    """An unknown id is 404, a wrong time 400, a database that is away 503: each a problem document."""
    mongo.away = True
    for path, status in (
        ("/api/v1/locations/77/series", 404),
        ("/api/v1/locations/1/forecast", 404),
        ("/api/v1/locations/x/series", 404),
        ("/api/v1/locations/1/series?from=noon", 400),
        ("/api/v1/locations/1/series", 503),
        ("/api/v1/frames?layer=temperature_2m", 503),
        ("/api/v1/frames", 400),
        ("/api/v1/frames?layer=humidity", 400),
        ("/api/v1/frames?layer=temperature_2m&step=7", 400),
        ("/api/v1/frames?layer=temperature_2m&from=7200&to=3600", 400),
        ("/api/v1/frames?layer=temperature_2m&from=0&to=36000000&step=900", 400),
        ("/api/v1/export.csv?wind=furlongs", 400),
        ("/api/v1/export.csv?at=1795535100", 503),
        ("/nothing", 404),
        ("/assets/../app.py", 404),
    ):
        answer = await http.get(path)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), path
        document = json.loads(await answer.get_data())
        assert (document["type"], document["status"], document["title"]) == (
            "about:blank",
            status,
            HTTPStatus(status).phrase,
        )
        assert document["detail"].endswith((".", "?")), path
    wrong = await http.post("/api/v1/grid")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]
    hub.loaded = False
    assert (await http.get("/api/v1/grid")).status_code == 503


@pytest.mark.contract("H1")
async def test_page_and_its_headers(http: TestClientProtocol, tmp_path: Path) -> None:
    """The page is never cached, its hashed files for ever and compressed; all under a strict policy."""
    missing = await http.get("/")
    assert missing.status_code == 503
    assert "make up" in await missing.get_data(as_text=True)
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "index-abc.js").write_text("1")
    (tmp_path / "assets" / "index-abc.js.br").write_bytes(b"compressed")
    page = await http.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert policy.endswith("frame-ancestors 'self'")
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-cache"
    asset = await http.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip, br"})
    assert await asset.get_data(as_text=False) == b"compressed"
    assert asset.headers["Content-Encoding"] == "br"
    assert asset.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in asset.headers["Cache-Control"]


@pytest.mark.contract("H5")
async def test_interfaces_are_described(http: TestClientProtocol) -> None:
    """The documents describe every route and message, and their page loads nothing from elsewhere and no script."""
    openapi = await (await http.get("/openapi.json")).get_json()
    assert set(openapi["paths"]) == {
        "/api/v1/grid",
        "/api/v1/frames",
        "/api/v1/export.csv",
        "/api/v1/locations/{location_id}/series",
        "/api/v1/locations/{location_id}/forecast",
    }
    asyncapi = await (await http.get("/asyncapi.json")).get_json()
    assert set(asyncapi["components"]["messages"]) == {
        "resume",
        "subscribe",
        "pong",
        "hello",
        "geometry",
        "snapshot",
        "delta",
        "ping",
    }
    page = await (await http.get("/docs")).get_data(as_text=True)
    assert "<script" not in page
    assert 'src="http' not in page
    assert "4002" in page
    assert (await http.get("/docs/style.css")).status_code == 200


@pytest.mark.contract("H5")
@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/asyncapi.json", "/docs/style.css"])
async def test_descriptions_are_made_once(http: TestClientProtocol, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Anyone may ask for them as often as he likes: they are made and compressed once, and have an ETag."""
    accepting = {"Accept-Encoding": "br"}
    first = await http.get(path, headers=accepting)
    for module in (app, compression, docs):
        for name in {"compress", "render_template", "encode_json"} & vars(module).keys():
            monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("made again"))
    again = await http.get(path, headers=accepting)
    assert (again.status_code, again.headers["Content-Encoding"]) == (200, "br")
    assert await again.get_data() == await first.get_data()
    assert "Accept-Encoding" in again.headers["Vary"]
    known = await http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (known.status_code, await known.get_data()) == (304, b"")


FIRST = 1795449600


def prediction() -> dict[str, Any]:
    """Return three hours of location 1."""
    return {
        "_id": 1,
        "valid_at": [FIRST, FIRST + 3600, FIRST + 7200],
        "temperature_2m": [10.0, 12.0, None],
        "wind_speed_10m": [4.0, 4.0, 4.0],
        "wind_direction_10m": [350.0, 10.0, 10.0],
        "_cdc": {"seq": 39},
    }


@pytest.mark.contract("H8")
async def test_frames(http: TestClientProtocol, mongo: FakeMongo, hub: Hub) -> None:
    """Frames hold the series of all cells, with an ETag, as JSON or as bytes; the history fills in for a series."""
    mongo.prediction = prediction()
    mongo.documents = [
        {"valid_at": dt.datetime.fromtimestamp(FIRST + 3600, dt.UTC), "temperature_2m": -1.5, "wind_speed_10m": 1}
    ]
    path = f"/api/v1/frames?layer=temperature_2m&from={FIRST - 3600}&to={FIRST + 7200}&step=3600"
    answer = await http.get(path)
    document = await answer.get_json()
    assert document == {
        "layer": "temperature_2m",
        "stream": hub.state.stream,
        "seq": 39,
        "geometry": hub.state.geometry.name,
        "step": 3600,
        "valid_at": [FIRST - 3600, FIRST, FIRST + 3600, FIRST + 7200],
        "frames": [[-32768, -32768], [100, -32768], [120, -15], [-32768, -32768]],
    }
    again = await http.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, await again.get_data()) == (304, b"")
    binary = await http.get(path, headers={"Accept": "application/octet-stream"})
    body = await binary.get_data(as_text=False)
    assert struct.unpack_from("<BBHIQ16s8s", body) == (
        3,
        1,
        4,
        2,
        39,
        bytes.fromhex(hub.state.stream),
        bytes.fromhex(hub.state.geometry.name),
    )
    assert struct.unpack_from("<4I", body, 40) == tuple(document["valid_at"])
    assert list(struct.unpack_from("<8h", body, 56)) == [value for frame in document["frames"] for value in frame]
    assert len(body) == 56 + 16
    assert binary.headers["ETag"] != answer.headers["ETag"]


@pytest.mark.contract("H8")
async def test_frames_that_are_kept_are_few(hub: Hub, mongo: FakeMongo) -> None:
    """Who asks for ever other frames does not fill the memory; what was asked for last is kept."""
    cache = FrameCache(hub, Courses(mongo, hub), most_bytes=3000)  # type: ignore[arg-type]
    for number in range(20):
        query = FrameQuery("temperature_2m", FIRST + number, FIRST + number + 72 * 3600, 3600)
        last = await cache.get(query, binary=False)
        assert cache.bytes <= 3000
    assert await cache.get(query, binary=False) is last


@pytest.mark.contract("H7", "H8")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=7200&to=3600", "from must not be after to: the frames would go from 7200 to 3600."),
        ("from=253402300799", "from must not be after to: the frames would go from 253402300799 to 1"),
        ("to=3600", "from must not be after to: the frames would go from 1"),
        ("from=253402300800", "from must be a time in Unix seconds"),
        ("from=-1", "from must be a time in Unix seconds"),
        ("step=60", "step must be one of"),
        ("from=0&to=36000000&step=900", "ask for 289 at most"),
    ],
)
async def test_why_there_are_no_frames(http: TestClientProtocol, query: str, said: str) -> None:
    """The answer names what is wrong with the times, those that were left out included."""
    answer = await http.get(f"/api/v1/frames?layer=temperature_2m&{query}")
    assert answer.status_code == 400
    assert json.loads(await answer.get_data())["detail"].startswith(said) or said in await answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("now", "said"), [(-90_000.0, "begin before 1970"), (253_402_300_799.0, "end after the year 9999")]
)
def test_frames_of_a_clock_that_is_wrong(now: float, said: str) -> None:
    """A span that is not the client's, but follows from the server's clock, is not called the wrong way round."""
    with pytest.raises(BadQuery, match=said):
        frame_query(now, "temperature_2m", None, None, None, 1)


@pytest.mark.contract("H8")
async def test_frames_without_times_span_the_slider(http: TestClientProtocol) -> None:
    """A day back and two ahead, hour by hour."""
    document = await (await http.get("/api/v1/frames?layer=wind_speed_10m")).get_json()
    times = document["valid_at"]
    assert len(times) == len(document["frames"]) == 73
    assert {later - earlier for earlier, later in pairwise(times)} == {3600}
    assert 0 <= time.time() - times[24] < 3700


CSV_HEADER = (
    "location_id,name,latitude,longitude,valid_at,temperature_2m_fahrenheit,wind_speed_10m_beaufort,"
    "wind_direction_10m_degrees,source,fetched_at"
)


@pytest.mark.contract("H9")
async def test_export(http: TestClientProtocol, mongo: FakeMongo) -> None:
    """The file has a line for each location, in the units that are asked for, now or at another time."""
    answer = await http.get("/api/v1/export.csv?temperature=fahrenheit&wind=beaufort")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="isotherm-')
    assert (await answer.get_data(as_text=True)).splitlines() == [
        CSV_HEADER,
        "1,Here,50.0,10.0,2026-11-24T15:45:00Z,52.3,3,231.0,open-meteo,2026-11-24T15:54:22Z",
        "2,,50.0,20.0,,,,,,",
    ]
    mongo.prediction = prediction()
    later = await http.get(f"/api/v1/export.csv?wind=kmh&at={FIRST + 1800}")
    line = (await later.get_data(as_text=True)).splitlines()[1]
    assert line == "1,Here,50.0,10.0,2026-11-23T16:30:00Z,11.0,14.0,0.0,open-meteo,2026-11-24T15:54:22Z"


async def test_large_answers_are_made_beside_the_websockets(
    http: TestClientProtocol, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is written and compressed in a thread, one at a time, however many ask for one at once."""
    busy: list[int] = []

    def write(*arguments: Any) -> bytes:
        assert threading.current_thread() is not threading.main_thread()
        busy.append(len(busy))
        body = encode_csv(*arguments)
        assert busy == [0]
        busy.clear()
        return body

    monkeypatch.setattr(http_map, "encode_csv", write)
    hub.state.locations |= {number: Location(number, 10.0, number / 10) for number in range(3, 200)}
    hub.state.geometry = make_geometry(hub.state.locations.values())
    ask = {"Accept-Encoding": "br"}
    answers = await asyncio.gather(*(http.get("/api/v1/export.csv", headers=ask) for _ in range(5)))
    assert {(answer.status_code, answer.headers["Content-Encoding"]) for answer in answers} == {(200, "br")}


@pytest.mark.contract("H10")
async def test_too_many_requests(make_http: Callable[[ServerSettings], TestClientProtocol]) -> None:
    """An address that asks too often is told when to come back; the page itself is served all the same."""
    http = make_http(ServerSettings(requests_per_second=0.5, request_burst=2))
    assert [(await http.get("/api/v1/grid")).status_code for _ in range(3)] == [200, 200, 429]
    refused = await http.get("/api/v1/grid")
    assert refused.mimetype == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    assert (await http.get("/docs")).status_code == 200


@pytest.mark.contract("H10")
async def test_other_origins(make_http: Callable[[ServerSettings], TestClientProtocol]) -> None:
    """Another origin's pages may read nothing and show no frame unless they are listed."""
    friend = {"Origin": "https://friend.example"}
    closed = await make_http(ServerSettings()).get("/api/v1/grid", headers=friend)
    assert "Access-Control-Allow-Origin" not in closed.headers
    assert closed.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    http = make_http(ServerSettings(cors_origins=(friend["Origin"],), frame_origins=("https://blog.example",)))
    opened = await http.get("/api/v1/grid", headers=friend)
    assert opened.headers["Access-Control-Allow-Origin"] == friend["Origin"]
    assert "Origin" in opened.headers["Vary"]
    assert opened.headers["Content-Security-Policy"].endswith("frame-ancestors 'self' https://blog.example")
    other = await http.get("/api/v1/grid", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert (await http.options("/api/v1/grid", headers=friend)).headers["Access-Control-Allow-Methods"] == "GET, HEAD"
