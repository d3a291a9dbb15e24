"""Response headers and the check of a websocket's origin (contracts H1 and W11)."""

from __future__ import annotations

from urllib.parse import urlsplit

_DIRECTIVES = (
    "default-src 'self'",
    "img-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)
POLICY = "; ".join(_DIRECTIVES)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), usb=(), geolocation=(self)",
}
"""Sent with every response."""

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
