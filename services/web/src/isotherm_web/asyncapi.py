"""The websocket described as an AsyncAPI 3.0 document (contract H5), from the same classes that encode the messages."""

from __future__ import annotations

from typing import Any

import msgspec

from isotherm_web.protocol import (
    CloseCode,
    Delta,
    Format,
    GeometryMessage,
    Hello,
    Ping,
    Pong,
    Resume,
    Snapshot,
    Subscribe,
)

_STREAM = "0123456789abcdef0123456789abcdef"
_GEOMETRY = "f00dfeedf00dfeed"
_LAYERS = {"temperature_2m": [113, -32768], "wind_speed_10m": [42, -32768], "wind_direction_10m": [2310, -32768]}
_CLIENT_MESSAGES = {"resume": Resume, "subscribe": Subscribe, "pong": Pong}
_SERVER_MESSAGES = {
    "hello": Hello,
    "geometry": GeometryMessage,
    "snapshot": Snapshot,
    "delta": Delta,
    "ping": Ping,
}
_EXAMPLES: dict[str, Any] = {
    "resume": Resume(None, 0, None),
    "subscribe": Subscribe("wind", "n3"),
    "pong": Pong(),
    "hello": Hello(
        1,
        _STREAM,
        41,
        "snapshot",
        _GEOMETRY,
        list(_LAYERS),
        server_time=1795535700,
        stale_after_seconds=10800,
        version="0",
    ),
    "geometry": GeometryMessage(_GEOMETRY, [1, 2], [50.0, 50.0], [10.0, 20.0], [None, None]),
    "snapshot": Snapshot(_STREAM, 41, _GEOMETRY, [1795535100, 0], [1795535662, 0], [1, 0], _LAYERS),
    "delta": Delta(
        _STREAM,
        41,
        42,
        _GEOMETRY,
        [0],
        [1795536000],
        [1795536262],
        [1],
        {name: values[:1] for name, values in _LAYERS.items()},
    ),
    "ping": Ping(42, 1795536280),
}
_CLOSE_REASONS = {
    CloseCode.GOING_AWAY: "the server goes away",
    CloseCode.RESTARTING: "the server restarts, or is behind what the client has",
    CloseCode.PROTOCOL_ERROR: "the client sent what the protocol does not know, or asked for no known subprotocol",
    CloseCode.NO_RESUME: "the client sent no resume in time",
    CloseCode.TOO_SLOW: "the client does not read fast enough",
    CloseCode.TOO_MANY_CONNECTIONS: "the server, or the client's address, has as many connections as it may",
    CloseCode.TOO_MANY_MESSAGES: "the client sends too many messages",
    CloseCode.SILENT: "the client did not answer pings",
}

_DESCRIPTION = """\
Live changes of the weather map.

The client speaks first: `resume` with what it has (nulls and 0 when that is nothing). The answer is `hello`. With
`mode: snapshot` it is followed by `geometry` and `snapshot`; with `mode: resumed` by a `delta` when `hello.seq` is
larger than what the client has. After that a `delta` comes whenever something changes, and `hello` with
`mode: snapshot` again whenever everything has to be sent anew.

A client keeps `stream`, `geometry` and the `seq` of the last snapshot or delta that it applied (not that of `hello`),
and ignores a delta whose `seq` is not larger. `from_seq` of a delta is never larger than what the client has; a cell may
come twice. It answers `ping` with `pong`, and connects again, with exponential backoff and jitter, after every close
code but 4000.

Values are absolute, int16 scaled by ten; -32768 is null. Layers: °C, m/s, and degrees that the wind comes from. Times
are Unix seconds, 0 for a cell without data. Sources: 0 none, 1 open-meteo, 2 simulator.

A client may take only some of the layers (`all`, `temperature`, or `wind`, which is speed and direction) on one tile:
`world`, `west`, `east`, or 60 degrees square, `n0` to `n5`, `m0` to `m5` and `s0` to `s5` (north of 30° N, between,
south of 30° S, from 180° W eastward). It says so in `resume`, or later by `subscribe`, which is answered by `hello` with
`mode: snapshot`. The cells of a tile are numbered by themselves, as its `geometry` says. Who resumes with other layers
than before sends a null geometry, with its stream and seq.

Control messages are JSON text in both subprotocols. Under `isotherm.v1.bin` a snapshot or delta is one binary frame,
little-endian: u8 kind (1 snapshot, 2 delta), u8 version (1), u16 number of layers, u32 number of cells n, u64 from_seq
(0 in a snapshot), u64 seq, 16 bytes stream, 8 bytes geometry; then in a delta u32[n] cells; u32[n] valid_at; u32[n]
fetched_at; int16[n] for each layer; u8[n] source.
"""


def asyncapi_document(version: str) -> dict[str, Any]:
    """Return the document."""
    types = {**_CLIENT_MESSAGES, **_SERVER_MESSAGES}
    _, schemas = msgspec.json.schema_components(types.values(), ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Isotherm live map", "version": version, "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/ws",
                "title": "The map, live",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in types},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "headers": {
                            "type": "object",
                            "properties": {
                                "Sec-WebSocket-Protocol": {
                                    "type": "string",
                                    "enum": [wire.value for wire in Format],
                                },
                                "Origin": {
                                    "type": "string",
                                    "description": "The page's own host or one of WEB_ALLOWED_ORIGINS; else 403.",
                                },
                            },
                            "required": ["Sec-WebSocket-Protocol", "Origin"],
                        },
                        "bindingVersion": "0.1.0",
                    }
                },
            }
        },
        "operations": {
            "fromClient": _operation("receive", "What clients send", _CLIENT_MESSAGES),
            "toClient": _operation("send", "What the server sends", _SERVER_MESSAGES),
        },
        "components": {
            "messages": {name: _message(name, kind) for name, kind in types.items()},
            "schemas": schemas,
        },
        "x-close-codes": [
            {"code": int(code), "reason": _CLOSE_REASONS[code], "retry": code.retry} for code in CloseCode
        ],
    }


def _operation(action: str, title: str, messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "title": title,
        "channel": {"$ref": "#/channels/live"},
        "messages": [{"$ref": f"#/channels/live/messages/{name}"} for name in messages],
    }


def _message(name: str, kind: type) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": (kind.__doc__ or "").strip(),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [{"payload": msgspec.to_builtins(_EXAMPLES[name])}],
    }
