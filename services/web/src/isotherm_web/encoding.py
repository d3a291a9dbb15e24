"""Messages to bytes and back; each is encoded once and the same object goes to every client."""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING, Any

import msgspec

from isotherm_web.errors import ProtocolError
from isotherm_web.protocol import Delta, Format, GeometryMessage, ServerMessage, Snapshot
from isotherm_web.rows import LAYERS
from isotherm_web.shapes import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from isotherm_web.geometry import Geometry
    from isotherm_web.rows import Row
    from isotherm_web.state import GridState

Payload = str | bytes
"""Text is sent as a text frame, bytes as a binary one."""

_HEADER = struct.Struct("<BBHIQQ16s8s")
_VERSION = 1
_SNAPSHOT, _DELTA = 1, 2


def _plain(value: Any) -> Any:
    """Turn BSON's int64, which is a kind of int, into one that the encoder knows."""
    if isinstance(value, int):
        return int(value)
    message = f"{type(value).__name__} cannot be encoded as JSON"
    raise TypeError(message)


_json = msgspec.json.Encoder(enc_hook=_plain)
_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)


def encode_control(message: ServerMessage) -> str:
    """Encode a message that is JSON text in both formats."""
    return _json.encode(message).decode()


def encode_json(value: Any) -> bytes:
    """Encode what an HTTP answer holds."""
    return _json.encode(value)


def geometry_message(geometry: Geometry) -> GeometryMessage:
    """Return the message that describes a geometry's cells."""
    places = geometry.locations
    return GeometryMessage(
        geometry=geometry.name,
        ids=[place.id for place in places],
        latitude=[place.latitude for place in places],
        longitude=[place.longitude for place in places],
        name=[place.name for place in places],
    )


def encode_snapshot(state: GridState, wire: Format, view: View | None = None) -> Payload:
    """Encode all cells, or those of a view."""
    view = view or View(state.geometry)
    columns = _columns([state.row(identity) for identity in view.geometry.ids], view)
    if wire is Format.BINARY:
        return _binary(state, view, _SNAPSHOT, 0, None, columns)
    valid_at, fetched_at, source, *layers = columns
    message = Snapshot(
        stream=state.stream,
        seq=state.seq,
        geometry=view.geometry.name,
        valid_at=list(valid_at),
        fetched_at=list(fetched_at),
        source=list(source),
        layers=_named(layers, view),
    )
    return encode_control(message)


def encode_delta(state: GridState, from_seq: int, wire: Format, view: View | None = None) -> Payload:
    """Encode the cells that changed after `from_seq`."""
    view = view or View(state.geometry)
    cells = state.cells_since(from_seq, view.geometry)
    places = view.geometry.locations
    columns = _columns([state.row(places[cell].id) for cell in cells], view)
    if wire is Format.BINARY:
        return _binary(state, view, _DELTA, from_seq, cells, columns)
    valid_at, fetched_at, source, *layers = columns
    message = Delta(
        stream=state.stream,
        from_seq=from_seq,
        seq=state.seq,
        geometry=view.geometry.name,
        cells=cells,
        valid_at=list(valid_at),
        fetched_at=list(fetched_at),
        source=list(source),
        layers=_named(layers, view),
    )
    return encode_control(message)


def decode(data: str | bytes, layers: Sequence[str] = LAYERS) -> ServerMessage:
    """Read what a server sent, in either format.

    Args:
        data: the frame.
        layers: what `hello` said, which binary messages do not repeat.

    Raises:
        ProtocolError: it is no message of the protocol.
    """
    if isinstance(data, bytes):
        return _decode_binary(data, layers)
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise ProtocolError(str(error)) from error


def _columns(rows: list[Row], view: View) -> list[Sequence[int]]:
    """Turn rows into the columns valid_at, fetched_at, source and one for each layer of the view."""
    if not rows:
        return [() for _ in range(3 + len(view.layers))]
    _, valid_at, fetched_at, source, values = zip(*rows, strict=True)
    layers = list(zip(*values, strict=True))
    return [valid_at, fetched_at, source, *(layers[layer] for layer in view.layers)]


def _named(layers: Iterable[Iterable[int]], view: View) -> dict[str, list[int]]:
    return {name: list(layer) for name, layer in zip(view.layer_names, layers, strict=True)}


def _binary(
    state: GridState, view: View, kind: int, from_seq: int, cells: Sequence[int] | None, columns: list[Sequence[int]]
) -> bytes:
    valid_at, fetched_at, source, *layers = columns
    header = _HEADER.pack(
        kind,
        _VERSION,
        len(layers),
        len(valid_at),
        from_seq,
        state.seq,
        bytes.fromhex(state.stream),
        bytes.fromhex(view.geometry.name),
    )
    parts = [header]
    if cells is not None:
        parts.append(_pack("I", cells))
    parts += [_pack("I", valid_at), _pack("I", fetched_at)]
    parts += [_pack("h", layer) for layer in layers]
    parts.append(bytes(source))
    return b"".join(parts)


def _decode_binary(data: bytes, names: Sequence[str]) -> ServerMessage:
    if len(data) < _HEADER.size:
        message = f"a binary message has {_HEADER.size} bytes at least, not {len(data)}"
        raise ProtocolError(message)
    kind, version, layer_count, n, from_seq, seq, stream, geometry = _HEADER.unpack_from(data)
    size = _HEADER.size + n * (8 + 2 * layer_count + 1 + (4 if kind == _DELTA else 0))
    if version != _VERSION or kind not in {_SNAPSHOT, _DELTA} or layer_count != len(names) or size != len(data):
        message = f"a binary message of kind {kind}, version {version} and {len(data)} bytes cannot be read"
        raise ProtocolError(message)
    offset = _HEADER.size

    def take(code: str) -> list[int]:
        nonlocal offset
        column = _unpack(code, data, offset, n)
        offset += n * array(code).itemsize
        return column

    cells = take("I") if kind == _DELTA else []
    common: dict[str, Any] = {
        "stream": stream.hex(),
        "seq": seq,
        "geometry": geometry.hex(),
        "valid_at": take("I"),
        "fetched_at": take("I"),
        "layers": {name: take("h") for name in names},
        "source": take("B"),
    }
    return Delta(from_seq=from_seq, cells=cells, **common) if kind == _DELTA else Snapshot(**common)


def _pack(code: str, values: Sequence[int]) -> bytes:
    packed = array(code, values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpack(code: str, data: bytes, offset: int, count: int) -> list[int]:
    packed = array(code)
    packed.frombytes(data[offset : offset + count * packed.itemsize])
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tolist()
