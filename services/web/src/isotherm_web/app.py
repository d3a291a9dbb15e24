"""The Quart application: routes, headers, errors and the counting of requests."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import structlog
from quart import Quart, Response, g, has_request_context, request
from quart_schema import Info, QuartSchema
from werkzeug.exceptions import HTTPException

from isotherm_web.docs import docs_blueprint
from isotherm_web.errors import DatabaseUnavailable
from isotherm_web.http import BadQuery, NotFound, NotLoaded, api_blueprint
from isotherm_web.pages import STATIC, pages_blueprint
from isotherm_web.security import HEADERS
from isotherm_web.websocket import websocket_blueprint

if TYPE_CHECKING:
    from pathlib import Path

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics
    from isotherm_web.mongo import Mongo
    from isotherm_web.settings import ServerSettings

_COMPRESS_FROM_BYTES = 1024
_COMPRESSED_TYPES = frozenset({"application/json", "text/html", "text/css"})
_RETRY_SECONDS = "5"
_LARGEST_BODY_BYTES = 4096
_OK = 200
_METHOD_NOT_ALLOWED = 405


def create_app(
    hub: Hub, mongo: Mongo, metrics: Metrics, settings: ServerSettings, *, version: str, static: Path = STATIC
) -> Quart:
    """Return the application."""
    app = Quart("isotherm_web", static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY_BYTES
    schema = QuartSchema(
        app,
        openapi_path=None,
        info=Info(
            title="Isotherm",
            version=version,
            description="The weather map over HTTP. Live changes come over the websocket, described further below.",
        ),
        conversion_preference="msgspec",
    )
    app.register_blueprint(api_blueprint(hub, mongo))
    app.register_blueprint(docs_blueprint(schema, version))
    app.register_blueprint(websocket_blueprint(hub, metrics, settings))
    app.register_blueprint(pages_blueprint(static))
    _handle_errors(app)
    _finish_responses(app, metrics)
    return app


def _handle_errors(app: Quart) -> None:
    """Answer every error with one sentence of JSON (contract H7)."""

    @app.errorhandler(HTTPException)
    async def http(error: HTTPException) -> tuple[dict[str, str], int, dict[str, str]]:
        code = error.code or 500
        sentence = error.description or error.name
        headers = dict(error.get_headers()) if code == _METHOD_NOT_ALLOWED else {}
        headers.pop("Content-Type", None)
        return {"error": sentence}, code, headers

    @app.errorhandler(BadQuery)
    async def bad_query(error: BadQuery) -> tuple[dict[str, str], int]:
        return {"error": str(error)}, 400

    @app.errorhandler(NotFound)
    async def not_found(error: NotFound) -> tuple[dict[str, str], int]:
        return {"error": str(error)}, 404

    @app.errorhandler(NotLoaded)
    async def not_loaded(_: NotLoaded) -> tuple[dict[str, str], int, dict[str, str]]:
        sentence = "The map has not been loaded from MongoDB yet: try again in a few seconds."
        return {"error": sentence}, 503, {"Retry-After": _RETRY_SECONDS}

    @app.errorhandler(DatabaseUnavailable)
    async def unavailable(error: DatabaseUnavailable) -> tuple[dict[str, str], int, dict[str, str]]:
        structlog.get_logger().warning("request_failed", path=request.path, error=str(error))
        sentence = "MongoDB does not answer: try again in a few seconds."
        return {"error": sentence}, 503, {"Retry-After": _RETRY_SECONDS}

    @app.errorhandler(Exception)
    async def internal(error: Exception) -> tuple[dict[str, str], int]:
        path = request.path if has_request_context() else "/ws"
        structlog.get_logger().error("request_failed", path=path, exc_info=error)
        return {"error": "Something went wrong on the server; its log says what."}, 500


def _finish_responses(app: Quart, metrics: Metrics) -> None:
    """Put the security headers on every response, compress it, and count it."""

    @app.before_request
    async def started() -> None:
        g.started_at = time.monotonic()

    @app.after_request
    async def finish(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        await _compress(response)
        route = request.url_rule.rule if request.url_rule is not None else "none"
        metrics.requests.labels(route, request.method, str(response.status_code)).inc()
        started_at = getattr(g, "started_at", None)
        if started_at is not None:
            metrics.request_seconds.labels(route).observe(time.monotonic() - started_at)
        return response


async def _compress(response: Response) -> None:
    """Compress what is text and not small; files bring their compressed form with them."""
    if (
        response.mimetype not in _COMPRESSED_TYPES
        or "Content-Encoding" in response.headers
        or response.status_code != _OK
    ):
        return
    response.headers.setdefault("Vary", "Accept-Encoding")
    if not request.accept_encodings["gzip"]:
        return
    body = await response.get_data(as_text=False)
    if len(body) >= _COMPRESS_FROM_BYTES:
        response.set_data(gzip.compress(body, 5, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
