"""Subscriptions to layers and tiles, in virtual time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_web.assembly import Batch
from isotherm_web.encoding import decode, encode_json
from isotherm_web.events import Changed
from isotherm_web.geometry import Location, geometry_name
from isotherm_web.mirror import Mirror
from isotherm_web.protocol import Checkpoint, Delta, Format, Snapshot
from isotherm_web.rows import LAYERS, NULL, Row
from isotherm_web.shapes import SHAPES, TileName, on_tile
from isotherm_web.state import GridState

if TYPE_CHECKING:
    from isotherm_web.clients import Client
    from isotherm_web.hub import Hub

PLACES = {number: Location(number, latitude, longitude) for number, (latitude, longitude) in enumerate(
    [(50.0, 10.0), (50.0, 50.0), (0.0, 10.0), (-50.0, -170.0), (90.0, 179.0)], 1
)}  # fmt: skip


@pytest.fixture
def wide(hub: Hub) -> Hub:
    """A hub with places on several tiles."""
    rows = {number: Row(1, 1795535100, 1795535662, 1, (number * 10, 20, 2700)) for number in PLACES}
    hub.replace(GridState("a" * 32, 1, locations=dict(PLACES), rows=rows))
    return hub


def join(hub: Hub, mirror: Mirror, wire: Format, **shape: Any) -> Client:
    """Connect a client that subscribes."""
    client = hub.connect(wire, "a", lambda: None, 0.0)
    said = mirror.resume(**shape)
    hub.received(client, _text(said), 0.0)
    return client


def _text(message: Any) -> str:
    return encode_json(message).decode()


def take(hub: Hub, client: Client, mirror: Mirror) -> list[Any]:
    """Let a client take what there is for it."""
    messages = []
    for outgoing in hub.take(client, 0.0):
        messages.append(decode(outgoing.payload, mirror.layer_names))
        mirror.apply(messages[-1])
    return messages


def write(hub: Hub, temperatures: dict[int, float]) -> None:
    """Change rows."""
    seq = hub.state.seq + 1
    changes = tuple(
        Changed("weather_data", identity, seq, 0, {"temperature_2m": value, "valid_at": 10**15, "source": "simulator"})
        for identity, value in temperatures.items()
    )
    hub.state.apply(Batch(seq, changes))
    hub.advanced()
    hub.publish()


@pytest.mark.contract("W13")
def test_there_are_few_shapes() -> None:
    """At most 64, so that a change is encoded a bounded number of times."""
    assert len(SHAPES) == len(set(SHAPES)) <= 64


@pytest.mark.contract("W13")
@given(latitude=st.floats(-90, 90), longitude=st.floats(-360, 360))
def test_each_place_lies_on_one_tile_of_each_size(latitude: float, longitude: float) -> None:
    """Nothing is missing from the tiles and nothing is in two of them."""
    place = Location(1, latitude, longitude)
    on = [tile for tile in get_args(TileName) if on_tile(place, tile)]
    assert on[0] == "world"
    assert len([tile for tile in on if tile in {"west", "east"}]) == 1
    assert len([tile for tile in on if len(tile) == 2]) == 1


@pytest.mark.contract("W13")
@pytest.mark.parametrize("wire", list(Format))
def test_a_tile_is_a_map_of_its_own(wide: Hub, wire: Format) -> None:
    """Its cells are numbered by themselves; what changes elsewhere moves the client's seq and nothing else."""
    mirror = Mirror()
    client = join(wide, mirror, wire, tile="n3", layers="temperature")
    hello, geometry, snapshot = take(wide, client, mirror)
    assert hello.layers == [LAYERS[0]]
    assert hello.geometry == geometry.geometry == geometry_name([PLACES[1], PLACES[2]])
    assert isinstance(snapshot, Snapshot)
    assert {identity: cell.values for identity, cell in mirror.by_id().items()} == {
        1: (10, NULL, NULL),
        2: (20, NULL, NULL),
    }
    write(wide, {2: 5.0, 3: 6.0})
    (delta,) = take(wide, client, mirror)
    assert isinstance(delta, Delta)
    assert (delta.cells, delta.layers) == ([1], {LAYERS[0]: [50]})
    write(wide, {3: 7.0})
    (delta,) = take(wide, client, mirror)
    assert (delta.cells, delta.seq, mirror.seq) == ([], 3, 3)


@pytest.mark.contract("W13")
def test_resume_and_change_of_a_subscription(wide: Hub) -> None:
    """A tile resumes as the world does; another tile, or other layers, come whole."""
    mirror = Mirror()
    client = join(wide, mirror, Format.BINARY, tile="east")
    take(wide, client, mirror)
    wide.disconnect(client)
    write(wide, {1: -3.0, 4: 2.0})
    client = join(wide, mirror, Format.BINARY, tile="east")
    hello, delta = take(wide, client, mirror)
    assert (hello.mode, delta.cells) == ("resumed", [0])
    wide.received(client, '{"type":"subscribe","tile":"west","layers":"wind"}', 0.0)
    hello, geometry, _ = take(wide, client, mirror)
    assert (hello.mode, hello.layers, geometry.ids) == ("snapshot", list(LAYERS[1:]), [4])
    wide.received(client, '{"type":"subscribe","tile":"west","layers":"wind"}', 0.0)
    assert take(wide, client, mirror) == []
    wide.disconnect(client)
    other = join(wide, mirror, Format.BINARY, tile="west", layers="all")
    assert take(wide, other, mirror)[0].mode == "snapshot"


@pytest.mark.contract("W13")
@pytest.mark.parametrize("heard", [0, 1, 2])
def test_a_connection_that_breaks_while_a_subscription_is_answered(wide: Hub, heard: int) -> None:
    """Until the snapshot of other layers has come, what a client has is of those before: it cannot resume from it."""
    mirror = Mirror()
    client = join(wide, mirror, Format.JSON, layers="temperature")
    take(wide, client, mirror)
    wide.received(client, '{"type":"subscribe","layers":"wind"}', 0.0)
    for outgoing in wide.take(client, 0.0)[:heard]:
        mirror.apply(decode(outgoing.payload))
    wide.disconnect(client)
    client = join(wide, mirror, Format.JSON, layers="wind")
    assert take(wide, client, mirror)[0].mode == "snapshot"
    assert {cell.values for cell in mirror.cells} == {(NULL, 20, 2700)}
    assert mirror.resume("wind").seq == wide.state.seq


@pytest.mark.contract("W3", "W13")
@pytest.mark.parametrize("stream", ["a" * 32, "b" * 32])
def test_a_client_that_is_ahead_subscribes(wide: Hub, stream: str) -> None:
    """A client that waits until the server has caught up goes on waiting when it asks for something else."""
    client = wide.connect(Format.JSON, "a", lambda: None, 0.0)
    has = {"type": "resume", "stream": stream, "seq": 2, "geometry": wide.state.geometry.name}
    wide.received(client, json.dumps(has), 0.0)
    wide.received(client, '{"type":"subscribe","tile":"east","layers":"wind"}', 0.0)
    assert wide.take(client, 0.0) == []
    wide.answer(client, Checkpoint(stream, 2))
    assert wide.take(client, 0.0) == []
    if stream == wide.state.stream:
        write(wide, {1: -3.0})
    else:
        wide.replace(GridState(stream, 2, locations=dict(PLACES)))
    hello, geometry, snapshot = (decode(message.payload) for message in wide.take(client, 0.0))
    assert (hello.mode, hello.layers, geometry.ids, snapshot.seq) == ("snapshot", list(LAYERS[1:]), [1, 2, 3, 5], 2)


@pytest.mark.contract("W13")
def test_encoding_is_shared_within_a_shape(wide: Hub) -> None:
    """Clients of one shape and format get the same bytes object."""
    clients = [join(wide, Mirror(), Format.BINARY, tile="west") for _ in range(2)]
    one, other = (wide.take(client, 0.0) for client in clients)
    assert all(a.payload is b.payload for a, b in zip(one[1:], other[1:], strict=True))


@pytest.mark.parametrize("said", ['{"type":"subscribe","tile":"atlantis"}', '{"type":"subscribe","layers":"rain"}'])
def test_unknown_shapes_are_refused(wide: Hub, said: str) -> None:
    """What is no tile and no set of layers is a protocol error."""
    client = join(wide, Mirror(), Format.BINARY)
    wide.received(client, said, 0.0)
    assert client.closing is not None
    assert client.closing.code == 4000


def test_subscribe_comes_after_resume(wide: Hub) -> None:
    """A client first says what it has."""
    client = wide.connect(Format.BINARY, "a", lambda: None, 0.0)
    wide.received(client, '{"type":"subscribe"}', 0.0)
    assert client.closing is not None
    assert client.closing.code == 4000
