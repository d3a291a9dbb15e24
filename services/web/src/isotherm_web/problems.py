"""Every error as an RFC 9457 problem document (contract H7)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from quart import Quart, Response, has_request_context, request
from werkzeug.exceptions import HTTPException

from isotherm_web.encoding import encode_json
from isotherm_web.errors import RETRY_SECONDS, DatabaseUnavailable, RequestError
from isotherm_web.models import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_TYPE = "application/problem+json"


def problem_body(status: int, detail: str) -> bytes:
    """Return the document of an error; `detail` is one sentence that says what is wrong and what to do."""
    return encode_json(Problem(title=HTTPStatus(status).phrase, status=status, detail=detail))


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer for an error."""
    body = problem_body(status, detail)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, content_type=PROBLEM_TYPE)


def handle_errors(app: Quart) -> None:
    """Let every error of the application be answered so."""

    @app.errorhandler(HTTPException)
    async def http(error: HTTPException) -> Response:
        code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        headers = dict(error.get_headers()) if code == HTTPStatus.METHOD_NOT_ALLOWED else {}
        headers.pop("Content-Type", None)
        return problem(code, error.description or error.name, headers)

    @app.errorhandler(RequestError)
    async def refused(error: RequestError) -> Response:
        return problem(error.status, str(error), _retry(error.retry_seconds))

    @app.errorhandler(DatabaseUnavailable)
    async def unavailable(error: DatabaseUnavailable) -> Response:
        structlog.get_logger().warning("request_failed", path=request.path, error=str(error))
        return problem(503, "MongoDB does not answer: try again in a few seconds.", _retry(RETRY_SECONDS))

    @app.errorhandler(Exception)
    async def internal(error: Exception) -> Response:
        path = request.path if has_request_context() else "/ws"
        structlog.get_logger().error("request_failed", path=path, exc_info=error)
        return problem(500, "Something went wrong on the server; its log says what.")


def _retry(seconds: int | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}
