"""One connected browser, as the hub sees it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from isotherm_web.framing import deflated_frame, server_frame
from isotherm_web.shapes import WHOLE, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.encoding import Payload
    from isotherm_web.protocol import CloseCode, Format, Resume


_COMPRESS_FROM_BYTES = 512

NO_EPOCH = -1
"""Of a client that has nothing yet."""


class Phase(enum.Enum):
    """How far a client has come."""

    CONNECTED = "connected"
    """It has not sent its resume yet."""
    ASKING = "asking"
    """The checkpoint is being read to decide how it goes on."""
    WAITING = "waiting"
    """It is ahead of this process, which is catching up."""
    LIVE = "live"
    """It gets deltas."""
    CLOSED = "closed"
    """It was closed, or is about to be."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a client is closed."""

    code: CloseCode
    reason: str


class Outgoing:
    """A message on its way to a client, or to many: it is encoded, framed and compressed once.

    Attributes:
        type: what it is.
        payload: text or bytes.
    """

    __slots__ = ("_deflated", "_plain", "payload", "type")

    def __init__(self, kind: str, payload: Payload) -> None:
        self.type = kind
        self.payload = payload
        self._plain: bytes | None = None
        self._deflated: bytes | None = None

    def frame(self, *, deflate: bool = False) -> bytes:
        """Return the whole message as it goes over the wire; small ones are not compressed."""
        if deflate and len(self.payload) >= _COMPRESS_FROM_BYTES:
            if self._deflated is None:
                self._deflated = deflated_frame(self.payload)
            return self._deflated
        if self._plain is None:
            self._plain = server_frame(self.payload)
        return self._plain


@dataclass(slots=True)
class TokenBucket:
    """How much a client may still send."""

    tokens: float
    filled_at: float

    def take(self, now: float, rate: float, burst: float) -> bool:
        """Take one token; answer whether there was one."""
        self.tokens = min(burst, self.tokens + (now - self.filled_at) * rate)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True, eq=False)
class Client:
    """What the hub knows of a connection: no queue, only where it stands.

    Attributes:
        format: the wire format.
        address: where it comes from; of IPv6 the network.
        wake: called when there is something to take.
        kick: closes the connection though the client does not read; None where the server cannot.
        connected_at: when it came.
        heard_at: when it last said something.
        ping_at: when its next ping is due.
        bucket: what it may still send.
        phase: how far it has come.
        resume: what it said that it has.
        shape: what it subscribes to.
        seq: what it has, once it is live.
        epoch: the hub's epoch that `seq` belongs to.
        greet: whether hello is still to be sent.
        ping: whether a ping is to be sent.
        writing_since: since when the message being written is not gone; None when nothing is being written.
        wait_until: when the waiting ends.
        look_at: before then no rule of time applies to it.
        closing: why it is closed.
    """

    format: Format
    address: str
    wake: Callable[[], None]
    connected_at: float
    heard_at: float
    ping_at: float
    bucket: TokenBucket
    phase: Phase = Phase.CONNECTED
    resume: Resume | None = None
    shape: Shape = WHOLE
    seq: int = 0
    epoch: int = NO_EPOCH
    greet: bool = False
    ping: bool = False
    writing_since: float | None = None
    wait_until: float = field(default=float("inf"))
    look_at: float = float("-inf")
    closing: Closing | None = None
    kick: Callable[[CloseCode, str], None] | None = None
