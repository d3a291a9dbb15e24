"""Response headers and the check of a websocket's origin (contracts H1, H7 and W11)."""

from __future__ import annotations

from urllib.parse import urlsplit

_DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), usb=(), geolocation=(self)",
}


def headers(frame_origins: tuple[str, ...]) -> dict[str, str]:
    """Return what is sent with every response.

    Args:
        frame_origins: whose pages may show this one in a frame, besides its own.
    """
    policy = "; ".join((*_DIRECTIVES, " ".join(("frame-ancestors 'self'", *frame_origins))))
    return {"Content-Security-Policy": policy, **_HEADERS}


def cross_origin_headers(origin: str | None, allowed: tuple[str, ...]) -> dict[str, str]:
    """Return what lets the pages of another origin read an answer of the API; nothing unless it is listed."""
    if not allowed:
        return {}
    vary = {"Vary": "Accept, Accept-Encoding, Origin"}
    if origin is None or origin.lower() not in {entry.lower() for entry in allowed}:
        return vary
    return {
        **vary,
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "If-None-Match",
        "Access-Control-Expose-Headers": "ETag, Retry-After",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def origin_allowed(origin: str | None, host: str, scheme: str, allowed: tuple[str, ...]) -> bool:
    """Answer whether a page of `origin` may open the websocket.

    Browsers do not apply the same-origin policy to websockets: without this check any page could open one. Whether the
    page came by https does not matter here: a proxy that ends TLS may not say so.

    Args:
        origin: the Origin header.
        host: the Host header.
        scheme: of the request, for the port that goes without saying.
        allowed: further origins.
    """
    if not origin:
        return False
    if origin.lower() in {entry.lower() for entry in allowed}:
        return True
    try:
        page, own = urlsplit(origin), urlsplit(f"{scheme}://{host}")
        if page.scheme not in {"http", "https"} or not page.hostname or page.hostname != own.hostname:
            return False
        ports = {own.port} if own.port is not None else {_DEFAULT_PORTS.get(scheme), _DEFAULT_PORTS.get(page.scheme)}
        return (page.port or _DEFAULT_PORTS[page.scheme]) in ports
    except ValueError:
        return False
