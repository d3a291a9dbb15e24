"""The messages of the websocket and the rules of resuming (contracts W1 to W13)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from isotherm_web.errors import ProtocolError
from isotherm_web.shapes import LayerChoice, TileName  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from isotherm_web.state import GridState

PROTOCOL = 1


class Format(enum.Enum):
    """The wire formats, named as the websocket's subprotocols."""

    JSON = "isotherm.v1.json"
    BINARY = "isotherm.v1.bin"

    __hash__ = object.__hash__  # there is one object of each, and Enum's own hash is computed in Python


class CloseCode(enum.IntEnum):
    """Why a client is closed (contract W10)."""

    GOING_AWAY = 1001
    RESTARTING = 1012
    PROTOCOL_ERROR = 4000
    NO_RESUME = 4001
    TOO_SLOW = 4002
    TOO_MANY_CONNECTIONS = 4003
    TOO_MANY_MESSAGES = 4004
    SILENT = 4005

    @property
    def retry(self) -> bool:
        """Whether the client is to connect again."""
        return self is not CloseCode.PROTOCOL_ERROR


Seq = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
StreamName = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
GeometryName = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class Resume(msgspec.Struct, tag_field="type", tag="resume", frozen=True, omit_defaults=True):
    """What the client has; a new client sends nulls and 0. It may say which layers and which tile it wants."""

    stream: StreamName | None
    seq: Seq
    geometry: GeometryName | None
    layers: LayerChoice = "all"
    tile: TileName = "world"


class Subscribe(msgspec.Struct, tag_field="type", tag="subscribe", frozen=True, omit_defaults=True):
    """Other layers or another tile from now on; answered by `hello` with `mode: snapshot` and what belongs to it."""

    layers: LayerChoice = "all"
    tile: TileName = "world"


class Pong(msgspec.Struct, tag_field="type", tag="pong", frozen=True):
    """The answer to a ping."""


class Hello(msgspec.Struct, tag_field="type", tag="hello", frozen=True):
    """The answer to resume, and again whenever everything is sent anew: `seq` is where the client stands after it."""

    protocol: int
    stream: StreamName
    seq: Seq
    mode: Literal["resumed", "snapshot"]
    geometry: GeometryName
    layers: list[str]
    server_time: int
    stale_after_seconds: int
    version: str


class GeometryMessage(msgspec.Struct, tag_field="type", tag="geometry", frozen=True):
    """The locations that the cells stand for, in order."""

    geometry: GeometryName
    ids: list[int]
    latitude: list[float]
    longitude: list[float]
    name: list[str | None]


class Snapshot(msgspec.Struct, tag_field="type", tag="snapshot", frozen=True):
    """All cells. Values are int16 scaled by ten, -32768 is null; times are Unix seconds, 0 for a cell without data."""

    stream: StreamName
    seq: Seq
    geometry: GeometryName
    valid_at: list[int]
    fetched_at: list[int]
    source: list[int]
    layers: dict[str, list[int]]


class Delta(msgspec.Struct, tag_field="type", tag="delta", frozen=True):
    """The cells that changed after `from_seq` up to `seq`, with their values; ignored by who has `seq` already."""

    stream: StreamName
    from_seq: Seq
    seq: Seq
    geometry: GeometryName
    cells: list[int]
    valid_at: list[int]
    fetched_at: list[int]
    source: list[int]
    layers: dict[str, list[int]]


class Ping(msgspec.Struct, tag_field="type", tag="ping", frozen=True):
    """A sign of life, to be answered by pong; `seq` is what the server has."""

    seq: Seq
    server_time: int


ClientMessage = Resume | Subscribe | Pong
ServerMessage = Hello | GeometryMessage | Snapshot | Delta | Ping

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


def parse_client_message(data: str | bytes) -> ClientMessage:
    """Read what a client sent.

    Raises:
        ProtocolError: it is no message of the protocol.
    """
    if isinstance(data, bytes):
        message = "clients send JSON text, not binary frames"
        raise ProtocolError(message)
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ProtocolError(str(error)) from error


def choose_format(offered: list[str]) -> Format | None:
    """Return the first wire format that the client offers and the server speaks."""
    known = {member.value: member for member in Format}
    return next((known[name] for name in offered if name in known), None)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What MongoDB's checkpoint says now."""

    stream: str
    seq: int


class Decision(enum.Enum):
    """What a client that resumes gets."""

    RESUMED = "resumed"
    SNAPSHOT = "snapshot"
    WAIT = "wait"
    ASK = "ask"
    """Only the checkpoint can tell: read it and decide again."""


def decide(
    resume: Resume, state: GridState, checkpoint: Checkpoint | None = None, *, geometry: str | None = None
) -> Decision:
    """Decide how a client goes on (contract W12).

    A client that is ahead of this process, or of another stream, may simply have been served by a process that is
    further: the checkpoint tells whether what the client has exists.

    Args:
        resume: what the client has.
        state: what this process has.
        checkpoint: what MongoDB has, once it was asked for.
        geometry: the name of the geometry that the client is to have; by default the whole one.
    """
    if resume.stream is None:
        return Decision.SNAPSHOT
    if resume.stream == state.stream and resume.seq <= state.seq:
        known = resume.geometry == (geometry or state.geometry.name) and resume.seq >= state.resume_floor
        return Decision.RESUMED if known else Decision.SNAPSHOT
    if checkpoint is None:
        return Decision.ASK
    if checkpoint.stream != state.stream or checkpoint.seq < state.seq:
        return Decision.WAIT  # what this process has is itself no more: it is about to load the state anew
    exists = checkpoint.stream == resume.stream and checkpoint.seq >= resume.seq
    return Decision.WAIT if exists else Decision.SNAPSHOT
