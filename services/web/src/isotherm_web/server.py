"""uvicorn as this service runs it: its socket, its limits, and an end by the service's own rules."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from isotherm_common.process import ConfigurationError
from isotherm_web.door import Door
from isotherm_web.http_connection import HttpProtocol
from isotherm_web.security import headers
from isotherm_web.transport import LARGEST_MESSAGE_BYTES, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics
    from isotherm_web.settings import ServerSettings

_BACKLOG = 4096
_UNSENT_BYTES = 256 * 1024
"""What the system takes for a client that is slow to read, beyond what is on its way: a map of 10,000 cells.

Without this limit it takes megabytes (net.ipv4.tcp_wmem): states that are old by the time they are read. What it does not take waits in
the hub, where later state merges into it (tcp(7), TCP_NOTSENT_LOWAT; accepted connections have it from the socket that listens).
"""
_HTTP_GRACE_SECONDS = 3


class Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: this service ends by its own rules."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


@contextlib.contextmanager
def listen(settings: ServerSettings) -> Iterator[socket.socket]:
    """Yield the socket that the page is served on.

    Raises:
        ConfigurationError: the port cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        listener.bind(address)
        listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
    except OSError as error:
        message = f"WEB_PORT {settings.port} on {settings.host} cannot be used: {error.strerror}. Choose another."
        raise ConfigurationError(message) from error
    with listener:
        yield listener


def make_server(app: Any, hub: Hub, metrics: Metrics, settings: ServerSettings) -> Server:
    """Return the server of an application and a hub."""
    http: Any = partial(
        HttpProtocol,
        request_seconds=settings.request_timeout_seconds,
        headers=[(name.encode(), value.encode()) for name, value in headers(settings.frame_origins).items()],
        door=Door(hub, metrics, settings) if settings.direct_writer else None,
    )
    config = uvicorn.Config(
        app,
        http=http,
        ws=Connection,
        ws_max_size=LARGEST_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        ws_ping_timeout=None,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_HTTP_GRACE_SECONDS,
    )
    return Server(config)


async def stop(server: Server, serving: asyncio.Task[None]) -> None:
    """End the server; connections that were told so already are given up."""
    server.should_exit = True
    for connection in list(server.server_state.connections):
        if isinstance(connection, Connection) and connection.close_sent:
            connection.shutdown()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
