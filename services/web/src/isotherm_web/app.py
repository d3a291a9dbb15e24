"""The Quart application: routes, headers, errors and the counting of requests."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from quart import Quart, Response, g, request
from quart_schema import Info, QuartSchema

from isotherm_web.compression import choose_encoding, compress
from isotherm_web.docs import docs_blueprint
from isotherm_web.errors import TooManyRequests
from isotherm_web.http import api_blueprint
from isotherm_web.openapi import Provider
from isotherm_web.pages import STATIC, pages_blueprint
from isotherm_web.problems import handle_errors
from isotherm_web.ratelimit import RateLimiter
from isotherm_web.security import cross_origin_headers, headers
from isotherm_web.websocket import websocket_blueprint

if TYPE_CHECKING:
    from pathlib import Path

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics
    from isotherm_web.mongo import Mongo
    from isotherm_web.settings import ServerSettings

_COMPRESS_FROM_BYTES = 1024
_COMPRESSED_TYPES = frozenset({"application/json", "text/html", "text/css", "text/csv"})
_API = "/api/"
_LARGEST_BODY_BYTES = 4096
_OK = 200


def create_app(
    hub: Hub, mongo: Mongo, metrics: Metrics, settings: ServerSettings, *, version: str, static: Path = STATIC
) -> Quart:
    """Return the application."""
    app = Quart("isotherm_web", static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY_BYTES
    schema = QuartSchema(
        app,
        openapi_path=None,
        openapi_provider_class=Provider,
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
    handle_errors(app)
    _limit_requests(app, metrics, settings)
    _finish_responses(app, metrics, settings)
    return app


def _limit_requests(app: Quart, metrics: Metrics, settings: ServerSettings) -> None:
    """Refuse an address that asks the API more often than it may."""
    limiter = RateLimiter(settings.requests_per_second, settings.request_burst)

    @app.before_request
    async def limit() -> None:
        if request.path.startswith(_API):
            retry_seconds = limiter.retry_seconds(request.remote_addr or "", time.monotonic())
            if retry_seconds is not None:
                metrics.limited.inc()
                raise TooManyRequests(retry_seconds)


def _finish_responses(app: Quart, metrics: Metrics, settings: ServerSettings) -> None:
    """Put the security headers on every response, compress it, and count it."""
    always = headers(settings.frame_origins)

    @app.before_request
    async def started() -> None:
        g.started_at = time.monotonic()

    @app.after_request
    async def finish(response: Response) -> Response:
        for name, value in always.items():
            response.headers.setdefault(name, value)
        if request.path.startswith(_API):
            origin = request.headers.get("Origin")
            response.headers.update(cross_origin_headers(origin, settings.cors_origins))
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
    encoding = choose_encoding(request.accept_encodings.quality)
    if encoding is None:
        return
    body = await response.get_data(as_text=False)
    if len(body) >= _COMPRESS_FROM_BYTES:
        response.set_data(await asyncio.to_thread(compress, body, encoding))
        response.headers["Content-Encoding"] = encoding
