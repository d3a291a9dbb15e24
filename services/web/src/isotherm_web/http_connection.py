"""uvicorn's HTTP connection with a door for websockets, and with bounds to what a client may leave open.

uvicorn waits for ever for a request that has begun and for an answer that is not read, and remembers a head of any length:
each costs the client one socket and a few bytes a minute.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from isotherm_web.addresses import peer
from isotherm_web.errors import Unreadable
from isotherm_web.problems import PROBLEM_TYPE, problem_body
from isotherm_web.transport import SHUTDOWN_SECONDS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from uvicorn._types import ASGI3Application

    from isotherm_web.door import Door

_LARGEST_URL_BYTES = 8 * 1024
_LARGEST_HEAD_BYTES = 32 * 1024
"""Of the URL and the header fields together; browsers send a tenth of it."""
_FIELD_BYTES = 32
"""What a field counts for beside its name and value: the least that it takes in memory (as in RFC 9113, 6.5.2)."""
_MOST_WAITING_REQUESTS = 16
_LEAST_BYTES_PER_SECOND = 1024
"""Who reads less of an answer has gone, or wants to keep it in our memory."""


class HttpProtocol(HttpToolsProtocol):
    """A client's connection until it is a websocket.

    It leaves no circle of references behind when it becomes one: otherwise each would leave work for the garbage collector.
    """

    def __init__(
        self,
        *args: Any,
        request_seconds: float,
        headers: Sequence[tuple[bytes, bytes]],
        door: Door | None = None,
        **options: Any,
    ) -> None:
        """Prepare.

        Args:
            args: uvicorn's.
            request_seconds: how long a request may take to arrive whole.
            headers: what is said with every answer that the application does not give.
            door: lets websockets in; without it, all of them go through the application.
            options: uvicorn's.
        """
        super().__init__(*args, **options)
        self._door = door
        self._request_seconds = request_seconds
        self._always = headers
        self._refusal: Unreadable | None = None
        self._requests = 0
        self._reading_head = False
        self._head_bytes = 0
        self._head_bytes_unread = 0
        self._waiting_since = 0.0
        self._unread_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._answering: RequestResponseCycle | None = None

    # Time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.client = peer(self.client)
        self._waiting_since = self.loop.time()
        self._timer = self.loop.call_later(self._request_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection."""
        self._stop_timer()
        self.pipeline.clear()
        self._hear_no_more()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _hear_no_more(self) -> None:
        """Drop what is still to be answered: uvicorn thinks of the last request only, though an earlier one may be under way."""
        if self._answering is not None:
            self._answering.disconnected = True

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """End, because the server does: after the answer that is under way, though its client may not read it."""
        super().shutdown()
        self.loop.call_later(SHUTDOWN_SECONDS, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Give up a client that does not read; end the connection of one that does not finish what it asks."""
        seconds, now = self._request_seconds, self.loop.time()
        unread = self.transport.get_write_buffer_size()
        if self._unread_bytes and unread > self._unread_bytes - seconds * _LEAST_BYTES_PER_SECOND:
            self._timer = None
            self.transport.abort()
            return
        self._unread_bytes = unread
        asked = self.cycle is not None and not self.cycle.response_complete
        left = self._waiting_since + seconds - now
        if not (asked or unread or self.transport.is_closing()) and left <= 0:
            self._end_waiting()
            left = seconds
        self._timer = self.loop.call_later(left if left > 0 else seconds, self._look)

    def _end_waiting(self) -> None:
        if self._reading_head:
            seconds = f"{self._request_seconds:g}"
            self._refusal = Unreadable(408, f"The request has not arrived whole within {seconds} s.")
            self.send_400_response("")
        else:
            self.transport.close()

    # What comes in

    def data_received(self, data: bytes) -> None:
        """Read what came, but no head without end."""
        request = self._requests
        super().data_received(data)
        if self._reading_head and request == self._requests:
            self._head_bytes_unread += len(data)
            if self._head_bytes_unread > _LARGEST_HEAD_BYTES and not self.transport.is_closing():
                self._refusal = _too_large()
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        super().on_message_begin()
        self._requests += 1
        self._reading_head = True
        self._head_bytes = self._head_bytes_unread = self._unread_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Read a part of the URL."""
        self._head_bytes += len(url)
        if self._head_bytes > _LARGEST_URL_BYTES:
            self._refuse(Unreadable(414, f"The URL has more than {_LARGEST_URL_BYTES} bytes."))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header field."""
        self._head_bytes += _FIELD_BYTES + len(name) + len(value)
        if self._head_bytes > _LARGEST_HEAD_BYTES:
            self._refuse(_too_large())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._reading_head = False
        if self.parser.get_http_version() == "1.1" and sum(name == b"host" for name, _ in self.headers) != 1:
            self._refuse(Unreadable(400, "A request has exactly one Host header."))
        if len(self.pipeline) >= _MOST_WAITING_REQUESTS:
            self._refuse(Unreadable(400, f"More than {_MOST_WAITING_REQUESTS} requests wait for their answers."))
        super().on_headers_complete()

    def _refuse(self, refusal: Unreadable) -> None:
        """Stop reading: the parser hands the error to uvicorn, which has `send_400_response` say it."""
        self._refusal = refusal
        raise refusal

    def send_400_response(self, msg: str) -> None:
        """Say why the connection ends; nothing where another answer has not left yet, which it would stand in the middle of."""
        del msg
        if self.transport.is_closing():
            return
        refusal = self._refusal or Unreadable(400, "This is no HTTP request.")
        if self.cycle is not None and not self.cycle.response_complete:
            self.pipeline.clear()
            self._hear_no_more()
        else:
            body = problem_body(refusal.status, str(refusal))
            fields = [
                *self.server_state.default_headers,
                *self._always,
                (b"content-type", PROBLEM_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                (b"connection", b"close"),
            ]
            head = b"".join(b"%b: %b\r\n" % field for field in fields)
            self.transport.write(STATUS_LINE[refusal.status] + head + b"\r\n" + body)
        self.transport.close()

    def handle_websocket_upgrade(self) -> None:
        """Let a client in by the door, or hand its connection to the websocket protocol."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.send_400_response("")  # the answer that is still to come would be no frame
            return
        self._stop_timer()
        connections = self.connections
        line = None
        if self._door is not None and not self.root_path:
            line = self._door.let_in(
                self.scope,  # type: ignore[arg-type]
                self.url,
                self.transport,
                self.server_state.default_headers,
                connections.discard,
            )
        if line is None:
            super().handle_websocket_upgrade()
        else:
            connections.discard(self)
            connections.add(line)  # type: ignore[arg-type]
        del self.parser


def _too_large() -> Unreadable:
    return Unreadable(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The request's head has more than {_LARGEST_HEAD_BYTES} bytes."
    )
