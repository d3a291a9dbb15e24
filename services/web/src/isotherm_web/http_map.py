"""The routes that answer with the whole map: now, at many times, and as a file."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, operation_id, tag

from isotherm_web.answers import answer, unchanged
from isotherm_web.courses import Courses
from isotherm_web.errors import NotLoaded
from isotherm_web.export import encode_csv
from isotherm_web.frame_cache import FrameCache
from isotherm_web.frames import frame_query
from isotherm_web.grid import GridCache
from isotherm_web.models import CsvFile, ExportQuery, Frames, FramesQuery, Grid, Problem
from isotherm_web.openapi import BINARY, CSV, JSON
from isotherm_web.query import integer_parameter, seconds_parameter
from isotherm_web.rows import NO_ROW
from isotherm_web.series import sample
from isotherm_web.units import TEMPERATURE, WIND, choose

if TYPE_CHECKING:
    from isotherm_web.hub import Hub
    from isotherm_web.mongo import Mongo

_LONGEST_STEP = 86_400
_VARY = "Accept, Accept-Encoding"


def add_map_routes(blueprint: Blueprint, hub: Hub, mongo: Mongo) -> None:
    """Add `/grid`, `/frames` and `/export.csv`."""
    grids = GridCache(hub)
    courses = Courses(mongo, hub)
    frame_documents = FrameCache(hub, courses)
    exporting = asyncio.Lock()

    @blueprint.get("/grid")
    @operation_id("grid")
    @tag(["map"])
    @document_response(Grid)
    @document_response(Problem, 429)
    @document_response(Problem, 503)
    async def grid() -> Response:
        """Return the whole map.

        Its ETag changes with the map only, so If-None-Match is answered with 304 as long as nothing has changed,
        though `server_time` has.
        """
        _need_map(hub)
        return unchanged(grids.etag, _VARY) or answer(grids.get().body, grids.etag, JSON, _VARY)

    @blueprint.get("/frames")
    @operation_id("frames")
    @tag(["map"])
    @document_querystring(FramesQuery)
    @document_response(Frames)
    @document_response(Problem, 400)
    @document_response(Problem, 429)
    @document_response(Problem, 503)
    async def frames() -> Response:
        """Return whole maps of one layer at many times: past model values and forecast.

        Without `from` and `to` a day back and two ahead; `step` is 3600 s without it. A cell's values are those of its
        hourly series, between two hours in proportion (wind by its components), and those of its history while it has
        no series; null beyond their ends. With `Accept: application/octet-stream` the same comes as bytes,
        little-endian: u8 kind (3), u8 version (1), u16 number of frames m, u32 number of cells n, u64 seq, 16 bytes
        stream, 8 bytes geometry; u32[m] valid_at; int16[m * n] values, frame after frame.
        """
        _need_map(hub)
        query = frame_query(
            time.time(),
            request.args.get("layer"),
            seconds_parameter("from"),
            seconds_parameter("to"),
            integer_parameter("step", "a number of seconds", _LONGEST_STEP),
            len(hub.state.geometry.locations),
        )
        kind = request.accept_mimetypes.best_match([JSON, BINARY], default=JSON)
        document = await frame_documents.get(query, binary=kind == BINARY)
        return unchanged(document.etag, _VARY) or answer(document.body, document.etag, kind, _VARY)

    @blueprint.get("/export.csv")
    @operation_id("export")
    @tag(["map"])
    @document_querystring(ExportQuery)
    @document_response(CsvFile)
    @document_response(Problem, 400)
    @document_response(Problem, 429)
    @document_response(Problem, 503)
    async def export() -> Response:
        """Return the map as a CSV file: a line for each location, in the units that are asked for.

        Without `at` the latest values as they came; with it the values of the hourly series at that time.
        """
        temperature = choose("temperature", request.args.get("temperature"), TEMPERATURE)
        wind = choose("wind", request.args.get("wind"), WIND)
        at = seconds_parameter("at")
        _need_map(hub)
        rows = {identity: hub.state.row(identity) for identity in hub.state.geometry.ids}
        if at is not None:
            known = await courses.current()
            rows = {
                identity: row._replace(valid_at=at, values=sample(known[identity], at)) if identity in known else NO_ROW
                for identity, row in rows.items()
            }
        lines = [(place, rows.get(place.id, NO_ROW)) for place in hub.state.geometry.locations]
        async with exporting:  # in a thread, so that websockets are served meanwhile, and in one of them
            body = await asyncio.to_thread(encode_csv, lines, temperature, wind)
        moment = dt.datetime.fromtimestamp(time.time() if at is None else at, dt.UTC)
        name = f"isotherm-{moment:%Y%m%dT%H%MZ}.csv"
        headers = {"Cache-Control": "no-cache", "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body, 200, headers, content_type=f"{CSV}; charset=utf-8; header=present")


def _need_map(hub: Hub) -> None:
    if not hub.loaded:
        raise NotLoaded
