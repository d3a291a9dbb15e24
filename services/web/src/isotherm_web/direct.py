"""The direct path: a client's connection without ASGI, on whose transport the hub's messages go straight.

What is saved is what ASGI needs for each client (three tasks, two queues, the request) and for each message (a task's
turn, five calls, a frame of its own).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import CloseCode as WebsocketCode
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from isotherm_web.framing import client_text
from isotherm_web.protocol import CloseCode
from isotherm_web.transport import (
    CLOSE_TIMEOUT_SECONDS,
    LARGEST_MESSAGE_BYTES,
    LATE_BYTES,
    MOST_FRAGMENTS,
    READ_AT_ONCE_BYTES,
    SHUTDOWN_SECONDS,
    nothing,
    short_reason,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.frames import Frame

    from isotherm_web.clients import Client
    from isotherm_web.hub import Hub
    from isotherm_web.protocol import Format
    from isotherm_web.writer import Writer


class Line(asyncio.Protocol):
    """A client's connection below ASGI: frames in, the hub's messages out.

    Whole text messages, which is all that the protocol's clients send, are read here. As soon as anything else comes (a part
    of a message, a ping, a close, rubbish), the connection is the websocket library's to read, from then on.

    Attributes:
        queued: whether the writer has it on its list.
    """

    __slots__ = (
        "_client",
        "_deflate",
        "_fragments",
        "_hub",
        "_late_bytes",
        "_left",
        "_library",
        "_timer",
        "_transport",
        "_writer",
        "queued",
    )
    _client: Client

    def __init__(
        self,
        transport: asyncio.Transport,
        hub: Hub,
        writer: Writer,
        left: Callable[[object], None],
        *,
        deflate: bool,
    ) -> None:
        """Prepare.

        Args:
            transport: of a connection whose handshake is answered.
            hub: what it will join.
            writer: what writes to it.
            left: called with this line when the connection is gone.
            deflate: whether messages may be compressed, each by itself.
        """
        self._transport = transport
        self._hub = hub
        self._writer = writer
        self._left = left
        self._deflate = deflate
        self._library: ServerProtocol | None = None
        self._fragments: list[Frame] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late_bytes = 0
        self.queued = False

    def open(self, wire: Format, address: str) -> None:
        """Join the hub."""
        # Written at once, and paused as soon as the system takes no more: what changes meanwhile merges in the hub.
        self._transport.set_write_buffer_limits(high=0)
        self._client = self._hub.connect(wire, address, self._wake, time.monotonic())
        self._client.kick = self.close_now

    def _wake(self) -> None:
        if not self.queued:
            self._writer.due(self)

    @property
    def _conn(self) -> ServerProtocol:
        """The websocket library's side of the connection, from when it is needed."""
        if self._library is None:
            self._library = ServerProtocol(state=State.OPEN, max_size=LARGEST_MESSAGE_BYTES)
            if self._deflate:
                bits = 15
                self._library.extensions = [PerMessageDeflate(True, True, bits, bits)]  # noqa: FBT003 - its signature
        return self._library

    # What goes out

    def flush(self, now: float) -> None:
        """Write what the hub has for the client."""
        client = self._client
        if client.writing_since is not None or self._timer is not None:
            return
        frames = []
        for message in self._hub.take(client, now):
            frame = message.frame(deflate=self._deflate)
            self._writer.sent(message, client.format, frame)
            frames.append(frame)
        if len(frames) == 1:
            self._transport.write(frames[0])
        elif frames:
            self._transport.writelines(frames)

    def pause_writing(self) -> None:
        """Learn that the system takes no more for now."""
        self._hub.writing(self._client, time.monotonic())

    def resume_writing(self) -> None:
        """Learn that everything is written: newer state may follow."""
        self._hub.drained(self._client)

    # What comes in

    def data_received(self, data: bytes) -> None:
        """Read what came; pongs and the answer to a close are the websocket library's."""
        if self._library is None:
            text = client_text(data, LARGEST_MESSAGE_BYTES, deflate=self._deflate)
            if text is not None:
                self._message(Opcode.TEXT, text, time.monotonic())
                return
        conn = self._conn
        for at in range(0, len(data), READ_AT_ONCE_BYTES):
            piece = data[at : at + READ_AT_ONCE_BYTES]
            if self._transport.is_closing():
                return
            if self._timer is not None:
                self._late_bytes += len(piece)
                if self._late_bytes > LATE_BYTES:
                    self._transport.abort()
                    return
            conn.receive_data(piece)
            for frame in conn.events_received():
                if self._timer is None:
                    self.take(frame)  # type: ignore[arg-type]
            self._answer()

    def _answer(self) -> None:
        """Send what the websocket library has to say, and end with it."""
        conn = self._conn
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
        if len(fragments) > MOST_FRAGMENTS:
            self._hub.close(self._client, CloseCode.TOO_MANY_MESSAGES, "too many fragments")
        elif frame.fin:
            data = bytes(frame.data) if whole else b"".join(bytes(part.data) for part in fragments)
            self._message(fragments[0].opcode, data, now)

    def _message(self, opcode: Opcode, data: bytes, now: float) -> None:
        try:
            message = data.decode() if opcode is Opcode.TEXT else data
        except UnicodeDecodeError:
            self._conn.fail(WebsocketCode.INVALID_DATA, "text that is not UTF-8")
            self._answer()
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
        asyncio.get_running_loop().call_later(SHUTDOWN_SECONDS, self._transport.abort)

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
        self._client.kick, self._client.wake = None, nothing
        if self._library is not None:
            self._library.parser.close()
