"""The websocket's door: handshake and limits; then the direct path, or one task that reads and one that writes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import structlog
from quart import Blueprint, Response, websocket

from isotherm_web.direct import HandshakeConnection
from isotherm_web.problems import problem
from isotherm_web.protocol import CloseCode, Format, choose_format
from isotherm_web.security import origin_allowed
from isotherm_web.transport import connection_of, short_reason
from isotherm_web.writer import Writer

if TYPE_CHECKING:
    from isotherm_web.clients import Client, Closing
    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics
    from isotherm_web.settings import ServerSettings
    from isotherm_web.transport import Connection

_INTERNAL_ERROR = 1011  # RFC 6455


def websocket_blueprint(hub: Hub, metrics: Metrics, settings: ServerSettings) -> Blueprint:
    """Return the route `/ws`."""
    blueprint = Blueprint("websocket", __name__)
    writer = Writer(metrics)

    @blueprint.websocket("/ws")
    async def live() -> Response | None:
        origin, host = websocket.headers.get("Origin"), websocket.host
        if not origin_allowed(origin, host, websocket.scheme, settings.allowed_origins):
            metrics.refused.labels("origin").inc()
            return problem(403, "This origin may not open the websocket.")
        wire = choose_format(websocket.requested_subprotocols)
        await websocket.accept(subprotocol=None if wire is None else wire.value)
        if wire is None:
            offered = " or ".join(member.value for member in Format)
            await websocket.close(CloseCode.PROTOCOL_ERROR, f"ask for the subprotocol {offered}")
            return None
        address = (websocket.scope.get("client") or ("",))[0]
        refusal = hub.refusal(address)
        if refusal is not None:
            metrics.refused.labels("draining" if refusal.code is CloseCode.RESTARTING else "cap").inc()
            await websocket.close(refusal.code, refusal.reason)
            return None
        connection = connection_of(websocket.scope)
        if isinstance(connection, HandshakeConnection):
            connection.hand_over(hub, writer, wire, address)
        else:
            await _serve(hub, wire, address, connection)
        return None

    return blueprint


async def _serve(hub: Hub, wire: Format, address: str, connection: Connection | None) -> None:
    woken = asyncio.Event()
    client = hub.connect(wire, address, woken.set, time.monotonic())
    if connection is not None:
        client.kick = connection.close_now
    reader = asyncio.create_task(_read(hub, client))
    try:
        await _write(hub, client, woken)
        if client.closing is not None and connection is None:
            await _close(client.closing)
    except OSError:
        pass  # the client is gone: uvicorn says so by its ClientDisconnected, which is one
    except Exception:  # noqa: BLE001 - whatever it is, the client hears of it and the log has it
        structlog.get_logger().exception("websocket_failed")
        await websocket.close(_INTERNAL_ERROR, "something went wrong on the server: connect again")
    finally:
        hub.disconnect(client)
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader


async def _read(hub: Hub, client: Client) -> None:
    """Drain the inbound side all the time, so that nothing piles up that a client sends."""
    while True:
        hub.received(client, await websocket.receive(), time.monotonic())


async def _write(hub: Hub, client: Client, woken: asyncio.Event) -> None:
    while client.closing is None:
        await woken.wait()
        woken.clear()
        for message in hub.take(client, time.monotonic()):
            hub.writing(client, time.monotonic())
            await websocket.send(message.payload)
            hub.written(client, message)


async def _close(closing: Closing) -> None:
    await websocket.close(closing.code, short_reason(closing.reason))
