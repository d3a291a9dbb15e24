"""uvicorn's websocket connection with what the ASGI interface cannot say: close a client that does not read.

ASGI's close waits until the client has read what was written before, which a stalled client never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvicorn._types import ASGISendEvent
    from websockets.http11 import Request

    from isotherm_web.protocol import CloseCode

SCOPE_KEY = "isotherm.connection"
LARGEST_MESSAGE_BYTES = 4096
CLOSE_TIMEOUT_SECONDS = 5.0
_REASON_BYTES = 123


class Connection(WebSocketsSansIOProtocol):
    """A websocket connection that can be closed from outside its own task."""

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and let the application find this connection in its scope."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope[SCOPE_KEY] = self

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says, but for the goodbye of a handler whose client was closed by `close_now`."""
        if message["type"] != "websocket.close" or not self.close_sent:
            await super().send(message)

    def close_now(self, code: CloseCode, reason: str) -> None:
        """Send a close frame after whatever was written before, and give up on the client soon after."""
        if self.close_sent or self.disconnected or not self.handshake_complete or self.transport.is_closing():
            return
        try:
            self.conn.send_close(int(code), short_reason(reason))
        except InvalidState:
            self.transport.abort()
            return
        self.stop_keepalive()
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(code), "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT_SECONDS, self.transport.abort)


def connection_of(scope: Mapping[str, Any]) -> Connection | None:
    """Return the connection of an ASGI scope; None under another server."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Connection) else None


def short_reason(reason: str) -> str:
    """Cut a close reason to the bytes that a close frame holds."""
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore")
