"""The hub in virtual time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from isotherm_web.assembly import Batch
from isotherm_web.encoding import decode
from isotherm_web.events import Buried, Changed
from isotherm_web.geometry import Location
from isotherm_web.protocol import Checkpoint, Delta, Format, Hello, Snapshot
from isotherm_web.state import GridState

if TYPE_CHECKING:
    from isotherm_web.clients import Client
    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics

NEW = '{"type":"resume","stream":null,"seq":0,"geometry":null}'
PONG = '{"type":"pong"}'


def resume(hub: Hub, seq: int, **changes: Any) -> str:
    """Return a resume of the hub's stream and geometry."""
    has = {"type": "resume", "stream": hub.state.stream, "seq": seq, "geometry": hub.state.geometry.name}
    return json.dumps(has | changes)


def join(hub: Hub, said: str = NEW, *, wire: Format = Format.JSON, now: float = 0.0, address: str = "a") -> Client:
    """Connect a client that says what it has."""
    client = hub.connect(wire, address, lambda: None, now)
    hub.received(client, said, now)
    return client


def take(hub: Hub, client: Client, now: float = 0.0) -> list[Any]:
    """Return the messages for a client, decoded."""
    return [decode(message.payload) for message in hub.take(client, now)]


def kinds(messages: list[Any]) -> list[str]:
    """Return the types of messages."""
    return [message.__struct_config__.tag for message in messages]


def write(hub: Hub, temperature: float, identity: int = 2) -> None:
    """Apply a batch that changes one row."""
    seq = hub.state.seq + 1
    fields = {"temperature_2m": temperature, "valid_at": 1795536000 * 10**6, "source": "simulator"}
    hub.state.apply(Batch(seq, (Changed("weather_data", identity, seq, 0, fields),)))
    hub.advanced()


@pytest.mark.contract("W2", "W3")
def test_new_client_gets_everything(hub: Hub) -> None:
    """A new client gets hello, the geometry and a snapshot, and then nothing until something changes."""
    client = join(hub)
    hello, geometry, snapshot = take(hub, client)
    assert hello == Hello(
        protocol=1,
        stream=hub.state.stream,
        seq=41,
        mode="snapshot",
        geometry=hub.state.geometry.name,
        layers=["temperature_2m", "wind_speed_10m", "wind_direction_10m"],
        server_time=1795535700,
        stale_after_seconds=10800,
        version="0",
    )
    assert geometry.ids == [1, 2]
    assert isinstance(snapshot, Snapshot)
    assert take(hub, client) == []


@pytest.mark.contract("W3")
def test_resumed_client_gets_what_it_missed(hub: Hub) -> None:
    """A client that has an earlier seq gets hello and one delta with exactly the cells changed since."""
    write(hub, 5.0)
    hello, delta = take(hub, join(hub, resume(hub, 41)))
    assert (hello.mode, hello.seq) == ("resumed", 42)
    assert (delta.from_seq, delta.seq, delta.cells) == (41, 42, [1])
    assert kinds(take(hub, join(hub, resume(hub, 42), address="b"))) == ["hello"]


@pytest.mark.contract("W6")
def test_nothing_leaves_before_the_window_closes(hub: Hub) -> None:
    """A live client gets what was published, not what was merely applied."""
    client = join(hub)
    take(hub, client)
    write(hub, 5.0)
    assert take(hub, client) == []
    hub.publish()
    assert kinds(take(hub, client)) == ["delta"]


def test_all_clients_get_the_same_object(hub: Hub) -> None:
    """A delta is encoded once per format."""
    clients = [join(hub, address=str(number)) for number in range(2)]
    for client in clients:
        take(hub, client)
    write(hub, 5.0)
    hub.publish()
    first, second = (hub.take(client, 0.0)[0].payload for client in clients)
    assert first is second


def test_newer_state_merges_into_what_is_pending(hub: Hub, metrics: Metrics) -> None:
    """A client that was slow for a while gets one delta with the latest values, not one after another."""
    client = join(hub)
    take(hub, client)
    for temperature in (5.0, 6.0, 7.0):
        write(hub, temperature)
        hub.publish()
    (delta,) = take(hub, client)
    assert isinstance(delta, Delta)
    assert (delta.from_seq, delta.seq, delta.layers["temperature_2m"]) == (41, 44, [70])
    assert metrics.coalesced._value.get() == 2


@pytest.mark.contract("W8")
def test_changed_geometry_sends_everything_anew(hub: Hub) -> None:
    """When a location goes, every client gets hello with mode snapshot and what belongs to it."""
    client = join(hub)
    take(hub, client)
    hub.state.apply(Batch(42, (Buried("locations", 1, 42),)))
    hub.advanced()
    hub.publish()
    hello, geometry, snapshot = take(hub, client)
    assert (hello.mode, geometry.ids, snapshot.seq) == ("snapshot", [2], 42)


@pytest.mark.contract("W12")
def test_client_ahead_is_held_until_caught_up(hub: Hub) -> None:
    """A client that has a seq which the checkpoint has is held, and resumed once the server is there."""
    client = join(hub, resume(hub, 42))
    assert take(hub, client) == []
    assert list(hub.undecided()) == [client]
    hub.answer(client, Checkpoint(hub.state.stream, 43))
    assert take(hub, client) == []
    assert list(hub.undecided()) == []
    write(hub, 5.0)
    assert kinds(take(hub, client)) == ["hello"]
    write(hub, 6.0)
    hub.publish()
    assert kinds(take(hub, client)) == ["delta"]


@pytest.mark.contract("W12")
def test_client_of_a_history_that_is_gone_gets_a_snapshot(hub: Hub) -> None:
    """A client ahead of the checkpoint itself, or of a stream that is no more, gets a snapshot."""
    for number, said in enumerate((resume(hub, 99), resume(hub, 1, stream="f" * 32))):
        client = join(hub, said, address=str(number))
        hub.answer(client, Checkpoint(hub.state.stream, 41))
        assert kinds(take(hub, client)) == ["hello", "geometry", "snapshot"]


@pytest.mark.contract("W12")
def test_held_client_is_sent_elsewhere_in_the_end(hub: Hub) -> None:
    """A server that does not catch up in time closes the client with a code to be retried."""
    client = join(hub, resume(hub, 42))
    hub.answer(client, Checkpoint(hub.state.stream, 43))
    hub.tick(9.0)
    assert client.closing is None
    hub.tick(10.5)
    assert client.closing is not None
    assert client.closing.code == 1012


def test_client_that_comes_before_the_state_is_served_after(hub: Hub, state: GridState) -> None:
    """A client is held while nothing was loaded yet."""
    hub.loaded = False
    client = join(hub)
    assert take(hub, client) == []
    hub.replace(state)
    assert kinds(take(hub, client)) == ["hello", "geometry", "snapshot"]


@pytest.mark.contract("W9")
def test_pings_and_silence(hub: Hub) -> None:
    """A client is pinged about every 20 s, and closed with 4005 once it has been silent for 60 s."""
    client = join(hub)
    take(hub, client)
    hub.tick(19.0)
    assert take(hub, client, 19.0) == []
    hub.tick(20.0)
    (ping,) = take(hub, client, 20.0)
    assert (ping.seq, ping.server_time) == (41, 1795535700)
    hub.received(client, PONG, 21.0)
    hub.tick(80.0)
    assert client.closing is None
    hub.tick(81.5)
    assert client.closing is not None
    assert client.closing.code == 4005


@pytest.mark.contract("W9")
def test_a_standstill_is_nobodys_fault(hub: Hub) -> None:
    """What time passes while the whole process stands still (a paused machine) counts against no client."""
    live, waiting, behind = join(hub), hub.connect(Format.JSON, "b", lambda: None, 0.0), join(hub, resume(hub, 42))
    hub.answer(behind, Checkpoint(hub.state.stream, 43))
    hub.writing(live, 1.0)
    hub.stood_still(300.0)
    hub.tick(305.0)
    assert [client.closing for client in (live, waiting, behind)] == [None, None, None]
    hub.tick(312.0)
    assert [int(client.closing.code) for client in (live, waiting, behind) if client.closing] == [4002, 4001, 1012]


@pytest.mark.contract("W9")
def test_silence_after_a_standstill(hub: Hub) -> None:
    """A client has as long to be heard after a standstill as it had left before it."""
    client = join(hub)
    take(hub, client)
    hub.stood_still(300.0)
    hub.tick(359.0)
    assert client.closing is None
    assert kinds(take(hub, client, 359.0)) == ["ping"]
    hub.tick(361.0)
    assert client.closing is not None
    assert client.closing.code == 4005


def test_a_ping_waits_a_tick_for_company(hub: Hub) -> None:
    """A ping leaves with a delta that comes within a tick, else by itself."""
    woken: list[None] = []
    client = hub.connect(Format.JSON, "a", lambda: woken.append(None), 0.0)
    hub.received(client, NEW, 0.0)
    take(hub, client)
    woken.clear()
    hub.tick(20.0)
    assert not woken
    hub.tick(21.0)
    assert len(woken) == 1
    assert kinds(take(hub, client, 21.0)) == ["ping"]
    hub.tick(22.0)
    assert len(woken) == 1
    hub.tick(41.0)
    write(hub, 5.0)
    hub.publish()
    assert kinds(take(hub, client, 41.5)) == ["delta", "ping"]


@pytest.mark.contract("W10")
def test_client_that_says_nothing_is_closed(hub: Hub) -> None:
    """Without a resume in time the code is 4001."""
    client = hub.connect(Format.JSON, "a", lambda: None, 0.0)
    hub.tick(10.5)
    assert client.closing is not None
    assert client.closing.code == 4001


@pytest.mark.contract("W10")
def test_slow_client_is_closed(hub: Hub, metrics: Metrics) -> None:
    """A client to which a message cannot be written for too long is closed with 4002, though it does not read."""
    client = join(hub)
    kicked: list[tuple[int, str]] = []
    client.kick = lambda code, reason: kicked.append((code, reason))
    (message, *_) = hub.take(client, 0.0)
    hub.writing(client, 0.0)
    hub.tick(9.0)
    hub.written(client, message)
    hub.writing(client, 9.0)
    hub.tick(18.5)
    assert client.closing is None
    hub.tick(19.5)
    assert kicked == [(4002, "too slow for the changes")]
    assert metrics.slow_closed._value.get() == 1


@pytest.mark.contract("W10")
@pytest.mark.parametrize("said", ["hello?", NEW, b"\x00"])
def test_protocol_errors_are_final(hub: Hub, said: str | bytes) -> None:
    """What is no message, or a second resume, closes the client with 4000."""
    client = join(hub)
    hub.received(client, said, 1.0)
    assert client.closing is not None
    assert client.closing.code == 4000
    assert hub.take(client, 1.0) == []


@pytest.mark.contract("W10")
def test_too_many_messages(hub: Hub) -> None:
    """A client may send a burst and then so many a second; more closes it with 4004."""
    client = join(hub)
    for _ in range(3):
        hub.received(client, PONG, 0.0)
    hub.received(client, PONG, 0.5)
    assert client.closing is None
    hub.received(client, PONG, 0.5)
    assert client.closing is not None
    assert client.closing.code == 4004


@pytest.mark.contract("W10")
def test_caps(hub: Hub) -> None:
    """An address and the process have a cap each; the code is 4003, and a client that leaves makes room."""
    first = join(hub)
    join(hub)
    refusal = hub.refusal("a")
    assert refusal is not None
    assert refusal.code == 4003
    assert hub.refusal("b") is None
    join(hub, address="b")
    assert hub.refusal("c") is not None
    hub.disconnect(first)
    hub.disconnect(first)
    assert hub.refusal("a") is None


@pytest.mark.contract("W10")
def test_caps_count_ipv6_networks(hub: Hub) -> None:
    """Who has a whole network cannot connect from a new address each time; IPv4 written as IPv6 is each by itself."""
    clients = [join(hub, address=address) for address in ("2001:db8::1", "2001:db8::2")]
    assert hub.refusal("2001:db8::3") is not None
    assert hub.refusal("2001:db8:0:1::3") is None
    hub.disconnect(clients[0])
    assert hub.refusal("2001:db8::3") is None
    hub.disconnect(clients[1])
    for _ in range(2):
        join(hub, address="::ffff:192.0.2.1")
    assert hub.refusal("192.0.2.1") is not None
    assert hub.refusal("::ffff:192.0.2.2") is None


@pytest.mark.contract("W10")
def test_draining_refuses_new_clients(hub: Hub) -> None:
    """While the process ends, new clients are sent away with 1012 and the others are listed to be closed."""
    client = join(hub)
    assert hub.begin_drain() == [client]
    refusal = hub.refusal("b")
    assert refusal is not None
    assert refusal.code == 1012


def test_reload_goes_on_with_deltas(hub: Hub) -> None:
    """After the state was loaded anew, clients get what changed meanwhile, deletes included, as a delta."""
    client = join(hub)
    take(hub, client)
    places = {1: Location(1, 50.0, 10.0, "Here"), 2: Location(2, 50.0, 20.0)}
    hub.replace(GridState(stream=hub.state.stream, seq=50, resume_floor=48, locations=places))
    (delta,) = take(hub, client)
    assert (delta.from_seq, delta.seq, delta.cells, delta.source) == (41, 50, [0], [0])


@pytest.mark.contract("K3", "W12")
def test_new_stream_sends_everything_anew(hub: Hub) -> None:
    """When the numbering starts anew, every client gets a snapshot of the new stream."""
    client = join(hub)
    take(hub, client)
    hub.replace(GridState(stream="f" * 32, seq=1, locations=hub.state.locations))
    hello, _, snapshot = take(hub, client)
    assert (hello.stream, snapshot.seq) == ("f" * 32, 1)


def test_change_by_hand_sends_everything_anew(hub: Hub) -> None:
    """What changed without a new seq cannot be a delta: clients get a snapshot, and so do those that resume."""
    client = join(hub)
    take(hub, client)
    hub.replace(GridState(stream=hub.state.stream, seq=41, locations=hub.state.locations))
    assert kinds(take(hub, client)) == ["hello", "geometry", "snapshot"]
    assert take(hub, join(hub, resume(hub, 41)))[0].mode == "snapshot"
