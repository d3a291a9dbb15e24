"""The direct path's door: usual handshakes are answered where uvicorn has read them, without Quart and ASGI.

Whoever is admitted gets a `Line`. Everyone else, and every handshake that is unusual in any way, goes on to Quart's
`@app.websocket`, which judges by the same `Admission` and says why it refuses.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from werkzeug.sansio.utils import get_host

from isotherm_web.admission import PATH, Admission, Admitted, Knock
from isotherm_web.direct import Line
from isotherm_web.handshake import answer_upgrade, read_upgrade
from isotherm_web.writer import Writer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics
    from isotherm_web.settings import ServerSettings

_REMEMBERED_HOSTS = 1024
_SCHEMES = {"http": "ws", "https": "wss"}


class Door:
    """Lets clients in, to lines of the hub."""

    def __init__(self, hub: Hub, metrics: Metrics, settings: ServerSettings) -> None:
        self._hub = hub
        self._writer = Writer(metrics)
        self._admission = Admission(hub, settings)
        # uvicorn's own middleware, so that both paths believe the same proxies; it waits for nothing but its application.
        self._forwarded = ProxyHeadersMiddleware(_nothing, list(settings.trusted_proxies))
        self._behind_proxies = bool(settings.trusted_proxies)

    def let_in(
        self,
        request: dict[str, Any],
        url: bytes,
        transport: asyncio.Transport,
        headers: list[tuple[bytes, bytes]],
        left: Callable[[object], None],
    ) -> Line | None:
        """Answer a handshake and return the line that the client has now; None: nothing was said, it is not for this door.

        Args:
            request: the ASGI scope of the request.
            url: what it asks for.
            transport: of its connection.
            headers: what the server says with every response.
            left: called with the line when it is gone.
        """
        if url.partition(b"?")[0] != PATH.encode() or request["method"] != "GET" or request["http_version"] != "1.1":
            return None
        upgrade = read_upgrade(request["headers"])
        if upgrade is None:
            return None
        address, scheme = self._peer(request)
        host = _host(scheme, upgrade.host)
        verdict = self._admission.judge(Knock(upgrade.origin, host, scheme, upgrade.offered, address))
        if not isinstance(verdict, Admitted):
            return None
        transport.write(answer_upgrade(upgrade, verdict.wire, headers))
        line = Line(transport, self._hub, self._writer, left, deflate=upgrade.deflate)
        transport.set_protocol(line)
        line.open(verdict.wire, address)
        return line

    def _peer(self, request: dict[str, Any]) -> tuple[str, str]:
        """Return a client's address and scheme, as a trusted proxy says them."""
        client, scheme = request["client"], _SCHEMES[request["scheme"]]
        if self._behind_proxies:
            scope = {"type": "websocket", "client": client, "scheme": scheme, "headers": request["headers"]}
            with contextlib.suppress(StopIteration):
                self._forwarded(scope, None, None).send(None)  # type: ignore[arg-type]
            client, scheme = scope["client"], scope["scheme"]
        return (client or ("",))[0], scheme


async def _nothing(*_: object) -> None:
    """Stand for the application behind the middleware."""


_host = lru_cache(_REMEMBERED_HOSTS)(get_host)
