"""The HTTP API: the map, and the series and the forecast of one location."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from quart import Blueprint, Response, current_app, request
from quart_schema import document_querystring, document_response, operation_id, tag

from isotherm_web.encoding import encode_json
from isotherm_web.grid import GridCache
from isotherm_web.models import LATEST_TIME, Forecast, Grid, Place, Problem, Series, SeriesQuery
from isotherm_web.rows import LAYERS, SOURCES, unix_seconds

if TYPE_CHECKING:
    from isotherm_web.geometry import Location
    from isotherm_web.hub import Hub
    from isotherm_web.mongo import Mongo

SERIES_LIMIT = 10_000
"""Values of one series at most, the newest."""


class BadQuery(Exception):  # noqa: N818 - it names whose mistake it is
    """A query parameter is wrong; the message says what it must be."""


class NotFound(Exception):  # noqa: N818 - HTTP's word
    """There is no such thing; the message says what."""


class NotLoaded(Exception):  # noqa: N818 - it passes by itself
    """The map has not been loaded yet."""


def api_blueprint(hub: Hub, mongo: Mongo) -> Blueprint:
    """Return the routes below `/api/v1`."""
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    cache = GridCache(hub)

    def place_of(identity: int) -> Location:
        if not hub.loaded:
            raise NotLoaded
        place = hub.state.locations.get(identity)
        if place is None:
            message = f"There is no location {identity}."
            raise NotFound(message)
        return place

    @blueprint.get("/grid")
    @operation_id("grid")
    @tag(["map"])
    @document_response(Grid)
    @document_response(Problem, 503)
    async def grid() -> Response:
        """Return the whole map.

        Its ETag changes with the map only, so If-None-Match is answered with 304 as long as nothing has changed,
        though `server_time` has.
        """
        if not hub.loaded:
            raise NotLoaded
        return _grid(cache)

    @blueprint.get("/locations/<int:location_id>/series")
    @operation_id("series")
    @tag(["locations"])
    @document_querystring(SeriesQuery)
    @document_response(Series)
    @document_response(Problem, 400)
    @document_response(Problem, 404)
    @document_response(Problem, 503)
    async def series(location_id: int) -> Response:
        """Return the past values of a location, ascending.

        `from` and `to` are Unix seconds, both included; the newest 10,000 values are answered at most.
        """
        since, until = _time("from"), _time("to")
        place = place_of(location_id)
        documents = await mongo.history(location_id, since, until, SERIES_LIMIT)
        return _json(
            Series(
                location=_place(place),
                valid_at=[unix_seconds(document.get("valid_at")) for document in documents],
                source=[SOURCES.get(document.get("source", ""), 0) for document in documents],
                **{layer: [document.get(layer) for document in documents] for layer in LAYERS},
            ),
            max_age_seconds=30,
        )

    @blueprint.get("/locations/<int:location_id>/forecast")
    @operation_id("forecast")
    @tag(["locations"])
    @document_response(Forecast)
    @document_response(Problem, 404)
    @document_response(Problem, 503)
    async def forecast(location_id: int) -> Response:
        """Return the hourly series of a location, from a day back to two ahead."""
        place = place_of(location_id)
        document = await mongo.forecast(location_id)
        if document is None:
            message = f"There is no forecast of location {location_id} yet."
            raise NotFound(message)
        return _json(
            Forecast(
                location=_place(place),
                issued_at=unix_seconds(document.get("issued_at")),
                source=SOURCES.get(document.get("source", ""), 0),
                valid_at=document.get("valid_at") or [],
                **{layer: document.get(layer) or [] for layer in LAYERS},
            ),
            max_age_seconds=60,
        )

    return blueprint


def _grid(cache: GridCache) -> Response:
    headers = {"ETag": f'W/"{cache.etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.if_none_match.contains_weak(cache.etag):
        return Response(b"", 304, headers)
    document = cache.get()
    if request.accept_encodings["gzip"]:
        headers["Content-Encoding"] = "gzip"
        return Response(document.compressed, 200, headers, mimetype="application/json")
    return Response(document.body, 200, headers, mimetype="application/json")


def _place(location: Location) -> Place:
    return Place(location.id, location.latitude, location.longitude, location.name, location.elevation)


def _time(name: str) -> dt.datetime | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        seconds = int(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LATEST_TIME:
        message = f"{name} must be a time in Unix seconds, not {text[:40]!r}."
        raise BadQuery(message)
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _json(value: Any, *, max_age_seconds: int) -> Response:
    response: Response = current_app.response_class(
        encode_json(value), 200, {"Cache-Control": f"private, max-age={max_age_seconds}"}, mimetype="application/json"
    )
    return response
