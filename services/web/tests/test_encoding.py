"""What goes over the wire, byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_web.encoding import decode, encode_control, encode_delta, encode_snapshot, geometry_message
from isotherm_web.errors import ProtocolError
from isotherm_web.fanout import SharedEncoder
from isotherm_web.geometry import Location
from isotherm_web.protocol import Delta, Format, Ping, Snapshot
from isotherm_web.rows import Row
from isotherm_web.state import GridState

STREAM = "0123456789abcdef0123456789abcdef"


@pytest.mark.contract("W4")
def test_snapshot_as_json(state: GridState) -> None:
    """A snapshot has every cell; one without data has nulls, and 0 for times and source."""
    assert json.loads(encode_snapshot(state, Format.JSON)) == {
        "type": "snapshot",
        "stream": STREAM,
        "seq": 41,
        "geometry": state.geometry.name,
        "valid_at": [1795535100, 0],
        "fetched_at": [1795535662, 0],
        "source": [1, 0],
        "layers": {
            "temperature_2m": [113, -32768],
            "wind_speed_10m": [42, -32768],
            "wind_direction_10m": [2310, -32768],
        },
    }


@pytest.mark.contract("W7")
def test_snapshot_as_bytes(state: GridState) -> None:
    """The binary snapshot is what the contract says, byte for byte."""
    assert state.geometry.name == "16fb9b58fd3fb112"
    payload = encode_snapshot(state, Format.BINARY)
    assert isinstance(payload, bytes)
    assert payload.hex(" ", 4) == bytes.fromhex(
        "01 01 0300 02000000"  # snapshot, version 1, 3 layers, 2 cells
        "0000000000000000 2900000000000000"  # from_seq 0, seq 41
        "0123456789abcdef0123456789abcdef 16fb9b58fd3fb112"
        "fcb0056b 00000000"  # valid_at
        "2eb3056b 00000000"  # fetched_at
        "7100 0080 2a00 0080 0609 0080"  # three layers
        "01 00"  # source
    ).hex(" ", 4)


@pytest.mark.contract("W7")
def test_delta_as_bytes(state: GridState) -> None:
    """The binary delta has the numbers of its cells after the header."""
    payload = encode_delta(state, 39, Format.BINARY)
    assert isinstance(payload, bytes)
    assert (
        payload.hex()
        == bytes.fromhex(
            "02 01 0300 01000000"
            "2700000000000000 2900000000000000"
            "0123456789abcdef0123456789abcdef 16fb9b58fd3fb112"
            "00000000"  # cells
            "fcb0056b 2eb3056b 7100 2a00 0609 01"
        ).hex()
    )


@pytest.mark.contract("W5")
def test_deleted_row_is_a_cell_of_nulls(state: GridState) -> None:
    """A row that was deleted leaves as nulls with source 0."""
    state.rows[1] = Row(41)
    delta = json.loads(encode_delta(state, 40, Format.JSON))
    assert (delta["from_seq"], delta["seq"], delta["cells"]) == (40, 41, [0])
    assert (delta["source"], delta["valid_at"], delta["layers"]["temperature_2m"]) == ([0], [0], [-32768])


rows = st.builds(
    Row,
    st.integers(0, 50),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2),
    st.tuples(*[st.integers(-32768, 32767)] * 3),
)


@pytest.mark.contract("W7")
@given(st.lists(rows, max_size=20), st.integers(0, 50))
def test_both_formats_say_the_same(known: list[Row], since: int) -> None:
    """Whatever the map holds, the binary and the JSON message decode to the same."""
    places = {identity: Location(identity, 0, identity) for identity in range(len(known))}
    state = GridState(stream=STREAM, seq=50, locations=places, rows=dict(enumerate(known)))
    snapshot = decode(encode_snapshot(state, Format.BINARY))
    assert isinstance(snapshot, Snapshot)
    assert snapshot == decode(encode_snapshot(state, Format.JSON))
    delta = decode(encode_delta(state, since, Format.BINARY))
    assert isinstance(delta, Delta)
    assert delta == decode(encode_delta(state, since, Format.JSON))
    assert delta.cells == [cell for cell, row in enumerate(known) if row.seq > since]


@pytest.mark.contract("W9")
def test_control_messages_are_json_text() -> None:
    """A ping is text with its type."""
    assert json.loads(encode_control(Ping(seq=3, server_time=5))) == {"type": "ping", "seq": 3, "server_time": 5}


@pytest.mark.contract("W3")
def test_geometry_message(state: GridState) -> None:
    """The geometry names the locations in the order of the cells."""
    assert json.loads(encode_control(geometry_message(state.geometry))) == {
        "type": "geometry",
        "geometry": state.geometry.name,
        "ids": [1, 2],
        "latitude": [50.0, 50.0],
        "longitude": [10.0, 20.0],
        "name": ["Here", None],
    }


@given(st.binary(max_size=80))
def test_garbage_is_refused(data: bytes) -> None:
    """What is no message is refused with a clear error, never read as one."""
    if len(data) >= 48 and data[0] in {1, 2} and data[1] == 1:
        return
    with pytest.raises(ProtocolError):
        decode(data)
    with pytest.raises(ProtocolError):
        decode('{"type": "nonsense"}')


def test_same_question_same_bytes(state: GridState) -> None:
    """Everyone gets the same object; clients between two deltas get the delta that everyone gets."""
    encoder = SharedEncoder(state)
    state.seq, state.revision = 44, 1
    state.rows[2] = Row(43)
    encoder.publish()
    delta = encoder.delta(Format.BINARY, 41)
    assert encoder.delta(Format.BINARY, 43) is delta
    assert delta.frame() is encoder.delta(Format.BINARY, 43).frame()
    assert encoder.snapshot(Format.JSON) is encoder.snapshot(Format.JSON)
    assert encoder.encoded == 2
    state.revision = 2
    assert encoder.delta(Format.BINARY, 41) is not delta


def test_memory_is_bounded_whatever_clients_have(state: GridState) -> None:
    """Clients that come with very many different seqs, all of them old, have no delta kept for each."""
    state.seq = 5000
    encoder = SharedEncoder(state, most_bytes=20_000)
    first = encoder.delta(Format.JSON, 0)
    for seq in range(1, 1000):
        encoder.delta(Format.JSON, seq)
        assert encoder.remembered_bytes <= 20_000
    assert encoder.delta(Format.JSON, 0).payload == first.payload
    assert encoder.delta(Format.JSON, 0) is not first
    assert encoder.succeeded_by(state).most_bytes == 20_000
