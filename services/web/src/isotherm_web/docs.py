"""`/docs`, `/openapi.json` and `/asyncapi.json` (contract H5): rendered here, so that nothing comes from elsewhere.

They do not change while the process lives, so each is made and compressed once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart import Blueprint, Response, render_template, request
from quart_schema import hide

from isotherm_web.asyncapi import asyncapi_document
from isotherm_web.compression import Compressible, choose_encoding
from isotherm_web.encoding import encode_json

if TYPE_CHECKING:
    from quart_schema import QuartSchema

_STYLE = Path(__file__).with_name("docs.css")


def docs_blueprint(schema: QuartSchema, version: str) -> Blueprint:
    """Return the routes of the documentation."""
    blueprint = Blueprint("docs", __name__)
    asyncapi = asyncapi_document(version)
    made: dict[str, Compressible] = {}

    def openapi() -> dict[str, Any]:
        document: dict[str, Any] = schema.openapi_provider.schema()
        return document

    @blueprint.get("/docs")
    @hide
    async def page() -> Response:
        if "page" not in made:
            text = await render_template("docs.html", openapi=openapi(), asyncapi=asyncapi)
            made["page"] = Compressible(text.encode())
        return _answer(made["page"], "text/html; charset=utf-8")

    @blueprint.get("/docs/style.css")
    @hide
    async def style() -> Response:
        if "style" not in made:
            made["style"] = Compressible(_STYLE.read_bytes())
        return _answer(made["style"], "text/css; charset=utf-8")

    @blueprint.get("/openapi.json")
    @hide
    async def openapi_json() -> Response:
        if "openapi" not in made:
            made["openapi"] = Compressible(encode_json(openapi()))
        return _answer(made["openapi"], "application/json")

    @blueprint.get("/asyncapi.json")
    @hide
    async def asyncapi_json() -> Response:
        if "asyncapi" not in made:
            made["asyncapi"] = Compressible(encode_json(asyncapi))
        return _answer(made["asyncapi"], "application/json")

    return blueprint


def _answer(body: Compressible, kind: str) -> Response:
    etag = hashlib.sha256(body.plain).hexdigest()[:20]
    headers = {"ETag": f'W/"{etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.if_none_match.contains_weak(etag):
        return Response(b"", 304, headers)
    encoding = choose_encoding(request.accept_encodings.quality)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Response(body.encoded(encoding), 200, headers, content_type=kind)
