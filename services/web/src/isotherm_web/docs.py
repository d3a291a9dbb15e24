"""`/docs`, `/openapi.json` and `/asyncapi.json` (contract H5): rendered here, so that nothing comes from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart import Blueprint, Response, current_app, render_template
from quart_schema import hide

from isotherm_web.asyncapi import asyncapi_document
from isotherm_web.encoding import encode_json

if TYPE_CHECKING:
    from quart_schema import QuartSchema

_STYLE = Path(__file__).with_name("docs.css")


def docs_blueprint(schema: QuartSchema, version: str) -> Blueprint:
    """Return the routes of the documentation."""
    blueprint = Blueprint("docs", __name__)
    asyncapi = asyncapi_document(version)
    made: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not made:
            made.append(schema.openapi_provider.schema())
        return made[0]

    @blueprint.get("/docs")
    @hide
    async def page() -> str:
        return await render_template("docs.html", openapi=openapi(), asyncapi=asyncapi)

    @blueprint.get("/docs/style.css")
    @hide
    async def style() -> Response:
        return _answer(_STYLE.read_bytes(), "text/css")

    @blueprint.get("/openapi.json")
    @hide
    async def openapi_json() -> Response:
        return _answer(encode_json(openapi()), "application/json")

    @blueprint.get("/asyncapi.json")
    @hide
    async def asyncapi_json() -> Response:
        return _answer(encode_json(asyncapi), "application/json")

    return blueprint


def _answer(body: bytes, kind: str) -> Response:
    response: Response = current_app.response_class(body, 200, {"Cache-Control": "no-cache"}, mimetype=kind)
    return response
