"""A small asyncio client of the websocket, for tests and scripts.

::

    async with connect("ws://127.0.0.1:5000/ws") as client:
        while client.mirror.seq < 42:
            await client.receive()
        print(client.mirror.by_id())

Hand the mirror of one connection to the next to resume.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import connect as open_websocket
from websockets.typing import Origin, Subprotocol

from isotherm_web.encoding import decode, encode_json
from isotherm_web.mirror import Mirror
from isotherm_web.protocol import Format, Ping, Pong, ServerMessage, Subscribe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import msgspec
    from websockets.asyncio.client import ClientConnection

    from isotherm_web.shapes import LayerChoice, TileName

_LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024


class Client:
    """An open connection.

    Attributes:
        mirror: the map as received so far.
        socket: the websocket below.
        received: the messages so far, counted by type.
    """

    def __init__(self, socket: ClientConnection, mirror: Mirror) -> None:
        self.socket = socket
        self.mirror = mirror
        self.received: dict[str, int] = {}

    async def send(self, message: msgspec.Struct) -> None:
        """Send a message as it is."""
        await self.socket.send(encode_json(message).decode())

    async def receive(self) -> ServerMessage:
        """Wait for a message, apply it, answer it if it is a ping, and return it.

        Raises:
            websockets.ConnectionClosed: the server has closed the connection; its code says why.
            ProtocolError: the server sent what does not fit what came before.
        """
        message = decode(await self.socket.recv(), self.mirror.layer_names)
        name = str(type(message).__struct_config__.tag)
        self.received[name] = self.received.get(name, 0) + 1
        if isinstance(message, Ping):
            await self.send(Pong())
        self.mirror.apply(message)
        return message

    async def subscribe(self, layers: LayerChoice = "all", tile: TileName = "world") -> None:
        """Ask for other layers or another tile; the server answers with all of it."""
        await self.send(Subscribe(layers, tile))

    async def until(self, seq: int) -> Mirror:
        """Receive until the map stands at `seq` at least."""
        while self.mirror.seq < seq or self.mirror.stream is None:
            await self.receive()
        return self.mirror


@contextlib.asynccontextmanager
async def connect(
    url: str,
    *,
    mirror: Mirror | None = None,
    wire: Format = Format.BINARY,
    origin: str | None = None,
    resume: bool = True,
    layers: LayerChoice = "all",
    tile: TileName = "world",
    open_seconds: float = 10,
) -> AsyncIterator[Client]:
    """Connect and say what the mirror has.

    Args:
        url: `ws://host:port/ws`.
        mirror: what an earlier connection has left; None begins anew.
        wire: the wire format.
        origin: the page's origin; by default the server's own.
        resume: whether to send resume at once.
        layers: the layers to subscribe to.
        tile: the part of the world to subscribe to.
        open_seconds: how long the handshake may take.
    """
    parts = urlsplit(url)
    own = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"
    async with open_websocket(
        url,
        subprotocols=[Subprotocol(wire.value)],
        origin=Origin(origin or own),
        compression=None,
        max_size=_LARGEST_MESSAGE_BYTES,
        open_timeout=open_seconds,
        ping_interval=None,
        close_timeout=2,
        proxy=None,
    ) as socket:
        client = Client(socket, mirror or Mirror())
        if resume:
            await client.send(client.mirror.resume(layers, tile))
        yield client
