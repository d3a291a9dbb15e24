"""The HTTP API below `/api/v1`: what there is of one location; the whole map is in `http_map`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart import Blueprint, Response, current_app
from quart_schema import document_querystring, document_response, operation_id, tag

from isotherm_web.encoding import encode_json
from isotherm_web.errors import NotFound, NotLoaded
from isotherm_web.http_map import add_map_routes
from isotherm_web.models import Forecast, Place, Problem, Series, SeriesQuery
from isotherm_web.query import time_parameter
from isotherm_web.rows import LAYERS, SOURCES, unix_seconds

if TYPE_CHECKING:
    from isotherm_web.geometry import Location
    from isotherm_web.hub import Hub
    from isotherm_web.mongo import Mongo

SERIES_LIMIT = 10_000
"""Values of one series at most, the newest."""


def api_blueprint(hub: Hub, mongo: Mongo) -> Blueprint:
    """Return the routes below `/api/v1`."""
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    add_map_routes(blueprint, hub, mongo)

    def place_of(identity: int) -> Location:
        if not hub.loaded:
            raise NotLoaded
        place = hub.state.locations.get(identity)
        if place is None:
            message = f"There is no location {identity}."
            raise NotFound(message)
        return place

    @blueprint.get("/locations/<int:location_id>/series")
    @operation_id("series")
    @tag(["locations"])
    @document_querystring(SeriesQuery)
    @document_response(Series)
    @document_response(Problem, 400)
    @document_response(Problem, 404)
    @document_response(Problem, 429)
    @document_response(Problem, 503)
    async def series(location_id: int) -> Response:
        """Return the past values of a location, ascending.

        `from` and `to` are Unix seconds, both included; the newest 10,000 values are answered at most.
        """
        since, until = time_parameter("from"), time_parameter("to")
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
    @document_response(Problem, 429)
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


def _place(location: Location) -> Place:
    return Place(location.id, location.latitude, location.longitude, location.name, location.elevation)


def _json(value: Any, *, max_age_seconds: int) -> Response:
    response: Response = current_app.response_class(
        encode_json(value), 200, {"Cache-Control": f"private, max-age={max_age_seconds}"}, mimetype="application/json"
    )
    return response
