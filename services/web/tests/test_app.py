"""The HTTP side, without sockets."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from isotherm_web.app import create_app
from isotherm_web.errors import DatabaseUnavailable
from isotherm_web.settings import ServerSettings

if TYPE_CHECKING:
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

    async def history(self, *_: Any) -> list[dict[str, Any]]:
        """Return the documents."""
        if self.away:
            raise DatabaseUnavailable
        return self.documents

    async def forecast(self, _: int) -> dict[str, Any] | None:
        """Return the forecast."""
        return self.prediction


@pytest.fixture
def mongo() -> FakeMongo:
    """A database of one test."""
    return FakeMongo()


@pytest.fixture
def http(hub: Hub, metrics: Metrics, mongo: FakeMongo, tmp_path: Path) -> TestClientProtocol:
    """A client of the application, whose page lies in the test's directory."""
    app = create_app(hub, mongo, metrics, ServerSettings(), version="0", static=tmp_path)  # type: ignore[arg-type]
    return app.test_client()


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
    compressed = await http.get("/api/v1/grid", headers={"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(await compressed.get_data(as_text=False)))["seq"] == 41


@pytest.mark.contract("H3", "H4", "H7")
async def test_unknown_and_unavailable(http: TestClientProtocol, mongo: FakeMongo, hub: Hub) -> None:
    """An unknown id is 404, a wrong time 400, a database that is away 503: each with one sentence."""
    mongo.away = True
    for path, status in (
        ("/api/v1/locations/77/series", 404),
        ("/api/v1/locations/1/forecast", 404),
        ("/api/v1/locations/x/series", 404),
        ("/api/v1/locations/1/series?from=noon", 400),
        ("/api/v1/locations/1/series", 503),
        ("/nothing", 404),
        ("/assets/../app.py", 404),
    ):
        answer = await http.get(path)
        assert (answer.status_code, list(await answer.get_json())) == (status, ["error"]), path
    assert (await http.post("/api/v1/grid")).status_code == 405
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
    assert "default-src 'self'" in policy
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
        "/api/v1/locations/{location_id}/series",
        "/api/v1/locations/{location_id}/forecast",
    }
    asyncapi = await (await http.get("/asyncapi.json")).get_json()
    assert set(asyncapi["components"]["messages"]) == {
        "resume",
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
