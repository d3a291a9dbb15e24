"""`/docs`, `/openapi.json` and `/asyncapi.json` (contract H5): rendered here, so that nothing comes from elsewhere.

They do not change while the process lives, so each is made and compressed once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart import Blueprint, Response, render_template
from quart_schema import hide

from isotherm_web.answers import answer, unchanged
from isotherm_web.asyncapi import asyncapi_document
from isotherm_web.compression import Document
from isotherm_web.encoding import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from quart_schema import QuartSchema

_STYLE = Path(__file__).with_name("docs.css")


def docs_blueprint(schema: QuartSchema, version: str) -> Blueprint:
    """Return the routes of the documentation."""
    blueprint = Blueprint("docs", __name__)
    asyncapi = asyncapi_document(version)
    made: dict[str, Document] = {}

    def openapi() -> dict[str, Any]:
        document: dict[str, Any] = schema.openapi_provider.schema()
        return document

    def made_once(name: str, make: Callable[[], bytes], kind: str) -> Response:
        if name not in made:
            made[name] = Document.of(make())
        document = made[name]
        return unchanged(document.etag) or answer(document.body, document.etag, kind)

    @blueprint.get("/docs")
    @hide
    async def page() -> Response:
        text = "" if "page" in made else await render_template("docs.html", openapi=openapi(), asyncapi=asyncapi)
        return made_once("page", text.encode, "text/html; charset=utf-8")

    @blueprint.get("/docs/style.css")
    @hide
    async def style() -> Response:
        return made_once("style", _STYLE.read_bytes, "text/css; charset=utf-8")

    @blueprint.get("/openapi.json")
    @hide
    async def openapi_json() -> Response:
        return made_once("openapi", lambda: encode_json(openapi()), "application/json")

    @blueprint.get("/asyncapi.json")
    @hide
    async def asyncapi_json() -> Response:
        return made_once("asyncapi", lambda: encode_json(asyncapi), "application/json")

    return blueprint
