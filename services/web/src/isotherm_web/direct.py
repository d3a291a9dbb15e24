"""The direct path: after the handshake a connection leaves ASGI, and the hub's messages go straight to its transport.

The handshake, its limits and its routing are Quart's all the same. What is saved is what ASGI needs for each client
(three tasks, two queues, the request) and for each message (a task's turn, five calls, a frame of its own).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidState
from websockets.frames import CloseCode as WebsocketCode
from websockets.frames import Opcode
from websockets.protocol import State

from isotherm_web.protocol import CloseCode
from isotherm_web.transport import CLOSE_TIMEOUT_SECONDS, SCOPE_KEY, Connection, short_reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.frames import Frame
    from websockets.server import ServerProtocol

    from isotherm_web.clients import Client
    from isotherm_web.hub import Hub
    from isotherm_web.protocol import Format
    from isotherm_web.writer import Writer

_FRAGMENTS = 64


class HandshakeConnection(Connection):
    """A connection that is in ASGI's hands for its handshake only.

    What a hasty client sends before the handshake is answered is kept for what comes after.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.early: list[Frame] = []

    def handle_text(self, event: Frame) -> None:
        """Keep a message, and read no further."""
        self._keep(event)

    def handle_bytes(self, event: Frame) -> None:
        """Keep a message, and read no further."""
        self._keep(event)

    def handle_cont(self, event: Frame) -> None:
        """Keep a part of a message, and read no further."""
        self._keep(event)

    def _keep(self, event: Frame) -> None:
        self.early.append(event)
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def hand_over(self, hub: Hub, writer: Writer, wire: Format, address: str) -> None:
        """Let a client of the hub have this connection; what ASGI still says to it is lost on purpose."""
        if self.disconnected or self.transport.is_closing():
            return
        transport, self.transport = self.transport, _Released()
        self.scope.pop(SCOPE_KEY, None)  # type: ignore[misc]
        self.connections.discard(self)
        line = Line(transport, self.conn, hub, writer, self.connections.discard)
        self.connections.add(line)  # type: ignore[arg-type]
        transport.set_protocol(line)
        line.open(wire, address)
        for frame in self.early:
            line.take(frame)
        if self.read_paused:
            transport.resume_reading()


class _Released(asyncio.Transport):
    """Stands where a connection's transport was before it was handed over."""

    def is_closing(self) -> bool:
        """Say that nothing can be written."""
        return True

    def close(self) -> None:
        """Close nothing."""


class Line(asyncio.Protocol):
    """A client's connection below ASGI: frames in, the hub's messages out.

    Attributes:
        queued: whether the writer has it on its list.
    """

    __slots__ = ("_client", "_conn", "_fragments", "_hub", "_left", "_timer", "_transport", "_writer", "queued")
    _client: Client

    def __init__(
        self,
        transport: asyncio.Transport,
        conn: ServerProtocol,
        hub: Hub,
        writer: Writer,
        left: Callable[[object], None],
    ) -> None:
        self._transport = transport
        self._conn = conn
        self._hub = hub
        self._writer = writer
        self._left = left
        self._fragments: list[Frame] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.queued = False

    def open(self, wire: Format, address: str) -> None:
        """Join the hub."""
        # Written at once, and paused as soon as the system takes no more: what changes meanwhile merges in the hub.
        self._transport.set_write_buffer_limits(high=0)
        self._client = self._hub.connect(wire, address, self._wake, time.monotonic())
        self._client.kick = self.close_now

    def _wake(self) -> None:
        self._writer.due(self)

    # What goes out

    def flush(self, now: float) -> None:
        """Write what the hub has for the client."""
        client = self._client
        if client.writing_since is not None or self._timer is not None:
            return
        messages = self._hub.take(client, now)
        for message in messages:
            self._transport.write(message.frame)
            self._writer.sent(message, client.format)

    def pause_writing(self) -> None:
        """Learn that the system takes no more for now."""
        self._hub.writing(self._client, time.monotonic())

    def resume_writing(self) -> None:
        """Learn that everything is written: newer state may follow."""
        self._hub.drained(self._client)

    # What comes in

    def data_received(self, data: bytes) -> None:
        """Read frames; pongs and the answer to a close are the websocket library's."""
        conn = self._conn
        conn.receive_data(data)
        for frame in conn.events_received():
            if self._timer is None:
                self.take(frame)  # type: ignore[arg-type]
        answers = b"".join(conn.data_to_send())
        if answers and not self._transport.is_closing():
            self._transport.write(answers)
        if conn.close_rcvd is not None or (conn.state is not State.OPEN and self._timer is None):
            self._end()

    def take(self, frame: Frame) -> None:
        """Take in one frame."""
        opcode, now = frame.opcode, time.monotonic()
        if opcode is Opcode.CLOSE:
            return
        if opcode is Opcode.PONG or opcode is Opcode.PING:
            self._hub.heard(self._client, now)
            return
        whole = frame.fin and opcode is not Opcode.CONT
        fragments = [frame] if opcode is not Opcode.CONT else [*(self._fragments or ()), frame]
        self._fragments = None if frame.fin else fragments
        if len(fragments) > _FRAGMENTS:
            self._hub.close(self._client, CloseCode.TOO_MANY_MESSAGES, "too many fragments")
        elif frame.fin:
            data = bytes(frame.data) if whole else b"".join(bytes(part.data) for part in fragments)
            self._message(fragments[0].opcode, data, now)

    def _message(self, opcode: Opcode, data: bytes, now: float) -> None:
        try:
            message = data.decode() if opcode is Opcode.TEXT else data
        except UnicodeDecodeError:
            self._conn.fail(WebsocketCode.INVALID_DATA, "text that is not UTF-8")
            return
        self._hub.received(self._client, message, now)

    # The end

    def close_now(self, code: CloseCode, reason: str) -> None:
        """Send a close frame after whatever was written before, and give up on the client soon after."""
        if self._timer is not None or self._transport.is_closing():
            return
        try:
            self._conn.send_close(int(code), short_reason(reason))
        except InvalidState:
            self._transport.abort()
            return
        self._transport.write(b"".join(self._conn.data_to_send()))
        self._give_up_later()

    def shutdown(self) -> None:
        """End, because the server does."""
        self.close_now(CloseCode.RESTARTING, "this server is restarting: connect again")
        self._transport.close()

    def _end(self) -> None:
        self._transport.close()
        self._give_up_later()

    def _give_up_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_SECONDS, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the hub, and let go of everything, so that nothing waits for the garbage collector."""
        del exc
        if self._timer is not None:
            self._timer.cancel()
        self._left(self)
        self._hub.disconnect(self._client)
        self._client.kick, self._client.wake = None, _nothing
        self._conn.parser.close()


def _nothing() -> None:
    """Wake nobody."""
