"""uvicorn's websocket connection with what the ASGI interface cannot say: close a client that does not read, count all it sends.

ASGI's close waits until the client has read what was written before, which a stalled client never does. And an application hears
of whole messages only: of pings, pongs and endless fragments it would never know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode as WebsocketCode

from isotherm_web.addresses import peer

if TYPE_CHECKING:
    from asyncio import BaseTransport
    from collections.abc import Callable, Mapping

    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
    from websockets.frames import Frame
    from websockets.http11 import Request

    from isotherm_web.protocol import CloseCode

SCOPE_KEY = "isotherm.connection"
LARGEST_MESSAGE_BYTES = 4096
MOST_FRAGMENTS = 64
READ_AT_ONCE_BYTES = 512
"""So much is given to the websocket library at a time, so that a client that sends too much is stopped soon: it reads all it is given."""
LATE_BYTES = 16 * 1024
"""So much may still come from a client after its close frame was sent: four messages that were on their way."""
CLOSE_TIMEOUT_SECONDS = 5.0
SHUTDOWN_SECONDS = 2.0
"""So long a connection's client may take to read the rest when the server ends: less than uvicorn waits before it complains."""
_REASON_BYTES = 123


def nothing() -> None:
    """Tell nobody."""


class Connection(WebSocketsSansIOProtocol):
    """A websocket connection that can be closed from outside its own task.

    Attributes:
        heard: called at each ping and pong.
        overfilled: called when a message has too many fragments.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.heard: Callable[[], None] = nothing
        self.overfilled: Callable[[], None] = nothing
        self._unread = b""
        self._late_bytes = 0

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self.client = peer(self.client)

    def data_received(self, data: bytes) -> None:
        """Read a little at a time: nothing more while a message waits for the application, not much more after the close."""
        for at in range(0, len(data), READ_AT_ONCE_BYTES):
            piece = data[at : at + READ_AT_ONCE_BYTES]
            if self.transport.is_closing():
                return
            if self.read_paused:
                self._unread += data[at:]
                return
            if self.close_sent:
                self._late_bytes += len(piece)
                if self._late_bytes > LATE_BYTES:
                    self.transport.abort()
                    return
            super().data_received(piece)

    async def receive(self) -> ASGIReceiveEvent:
        """Hand the application what came, and read on."""
        message = await super().receive()
        if self._unread and not self.read_paused:
            data, self._unread = self._unread, b""
            self.data_received(data)
        return message

    def handle_ping(self) -> None:
        """Answer a ping, and count it."""
        super().handle_ping()
        self.heard()

    def handle_pong(self, event: Frame) -> None:
        """Count a pong."""
        super().handle_pong(event)
        self.heard()

    def handle_cont(self, event: Frame) -> None:
        """Take in a fragment."""
        super().handle_cont(event)
        if len(self.frames) > MOST_FRAGMENTS:
            self.frames = []
            self.overfilled()

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; text that is none ends the connection, and is not the server's error, as which uvicorn logs it."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(WebsocketCode.INVALID_DATA, "text that is not UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and let the application find this connection in its scope."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope[SCOPE_KEY] = self

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says, unless the client was closed by `close_now` before it could be written.

        Raises:
            ClientDisconnected: it was, or the server has ended, or the client gone, in the middle of the handshake.
        """
        if self.transport.is_closing() and not self.handshake_complete:
            raise ClientDisconnected
        await self.writable.wait()
        if self.close_sent and message["type"] == "websocket.send":
            raise ClientDisconnected
        if not self.close_sent or message["type"] != "websocket.close":
            await super().send(message)

    def shutdown(self) -> None:
        """End, because the server does, though the client may not read."""
        super().shutdown()
        self.loop.call_later(SHUTDOWN_SECONDS, self.transport.abort)

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
        self._unread = b""
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
