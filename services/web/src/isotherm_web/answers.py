"""Answers that many ask for: not sent again to who has them, and compressed as the request takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Response, request

from isotherm_web.compression import choose_encoding

if TYPE_CHECKING:
    from isotherm_web.compression import Compressible


def unchanged(etag: str, vary: str = "Accept-Encoding") -> Response | None:
    """Return 304 where the request names this tag, None where the body has to be sent."""
    return Response(b"", 304, _headers(etag, vary)) if request.if_none_match.contains_weak(etag) else None


def answer(body: Compressible, etag: str, kind: str, vary: str = "Accept-Encoding") -> Response:
    """Return a body with its tag.

    Args:
        body: the body.
        etag: stands for it, whatever its encoding.
        kind: its media type.
        vary: which headers of the request choose what is answered.
    """
    headers = _headers(etag, vary)
    encoding = choose_encoding(request.accept_encodings.quality)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Response(body.encoded(encoding), 200, headers, content_type=kind)


def _headers(etag: str, vary: str) -> dict[str, str]:
    return {"ETag": f'W/"{etag}"', "Cache-Control": "no-cache", "Vary": vary}
