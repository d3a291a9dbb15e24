"""The websocket through Quart: handshake and refusals; then one task that reads and one that writes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import structlog
from quart import Blueprint, Response, websocket
from quart_schema import hide

from isotherm_web.admission import PATH, Admission, Knock, Refused
from isotherm_web.problems import problem
from isotherm_web.protocol import CloseCode
from isotherm_web.transport import connection_of, nothing, short_reason

if TYPE_CHECKING:
    from isotherm_web.clients import Client, Closing
    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics
    from isotherm_web.protocol import Format
    from isotherm_web.settings import ServerSettings
    from isotherm_web.transport import Connection

_INTERNAL_ERROR = 1011  # RFC 6455


def websocket_blueprint(hub: Hub, metrics: Metrics, settings: ServerSettings) -> Blueprint:
    """Return the route `/ws`."""
    blueprint = Blueprint("websocket", __name__)
    admission = Admission(hub, settings)

    @blueprint.websocket(PATH)
    async def live() -> Response | None:
        address = (websocket.scope.get("client") or ("",))[0]
        origin, offered = websocket.headers.get("Origin"), websocket.requested_subprotocols
        verdict = admission.judge(Knock(origin, websocket.host, websocket.scheme, offered, address))
        try:
            if isinstance(verdict, Refused):
                if verdict.counted_as is not None:
                    metrics.refused.labels(verdict.counted_as).inc()
                return await _refuse(verdict)
            await websocket.accept(subprotocol=verdict.wire.value)
        except OSError:
            return None  # the client is gone: uvicorn says so by its ClientDisconnected, which is one
        await _serve(hub, verdict.wire, address, connection_of(websocket.scope))
        return None

    @blueprint.get(PATH)
    @hide
    async def no_upgrade() -> Response:
        detail = f"{PATH} is a websocket: connect to it with ws: or wss: and a subprotocol that /docs names."
        return problem(426, detail, {"Upgrade": "websocket", "Connection": "Upgrade"})

    return blueprint


async def _refuse(verdict: Refused) -> Response | None:
    """Say why, before the handshake is done or, where browsers are to know the code, after it."""
    if verdict.closing is None:
        return problem(403, "This origin may not open the websocket.")
    await websocket.accept(subprotocol=None if verdict.wire is None else verdict.wire.value)
    await websocket.close(verdict.closing.code, verdict.closing.reason)
    return None


async def _serve(hub: Hub, wire: Format, address: str, connection: Connection | None) -> None:
    woken = asyncio.Event()
    client = hub.connect(wire, address, woken.set, time.monotonic())
    if connection is not None:
        client.kick = connection.close_now
        connection.heard = lambda: hub.heard(client, time.monotonic())
        connection.overfilled = lambda: hub.close(client, CloseCode.TOO_MANY_MESSAGES, "too many fragments")
    reader = asyncio.create_task(_read(hub, client))
    try:
        await _write(hub, client, woken)
        if client.closing is not None and connection is None:
            await _close(client.closing)
    except OSError:
        pass  # the client is gone
    except Exception:  # noqa: BLE001 - whatever it is, the client hears of it and the log has it
        structlog.get_logger().exception("websocket_failed")
        await websocket.close(_INTERNAL_ERROR, "something went wrong on the server: connect again")
    finally:
        hub.disconnect(client)
        if connection is not None:
            connection.heard = connection.overfilled = nothing
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
