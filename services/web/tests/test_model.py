"""Servers and clients against a model of the database: any interleaving ends with every client equal to MongoDB."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from isotherm_web.assembly import Assembler
from isotherm_web.encoding import decode, encode_json
from isotherm_web.events import LOCATIONS, WEATHER, Buried, Changed, CheckpointMoved, Event, Removed
from isotherm_web.geometry import Location
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.mirror import Mirror
from isotherm_web.protocol import Checkpoint, Format, Resume, Snapshot, Subscribe
from isotherm_web.rows import LAYERS, NULL, Row
from isotherm_web.settings import HubSettings
from isotherm_web.shapes import WHOLE, LayerChoice, Shape, TileName, on_tile
from isotherm_web.state import GridState

if TYPE_CHECKING:
    from isotherm_web.clients import Client

IDS = range(1, 6)
REPLICAS = 2
CLIENTS = 3
VALID_AT = 1795535100

PLACES = (-100.0, 0.0, 1.0, 100.0)
"""Longitudes, on several tiles."""
TILES: tuple[TileName, ...] = ("world", "west", "m3", "n0")
SHAPES = [Shape(layers, tile) for layers in get_args(LayerChoice) for tile in TILES]

View = dict[int, tuple[int, int]]
"""What a map shows: temperature and wind speed, which are equal here, of each active location; null without data."""


@dataclass
class Database:
    """MongoDB as the CDC leaves it, and the change stream that it delivers.

    Attributes:
        views: what the map shows at every seq of every stream.
        events: all that the change stream has delivered, ever.
    """

    stream: str = "1" * 32
    streams: int = 1
    seq: int = 0
    floor: int = 0
    locations: dict[int, Location] = field(default_factory=dict)
    rows: dict[int, tuple[int, int]] = field(default_factory=dict)
    tombstones: dict[int, int] = field(default_factory=dict)
    views: dict[tuple[str, int], dict[Shape, View]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._remember()
        places = {identity: Location(identity, 0.0, PLACES[identity % len(PLACES)]) for identity in IDS}
        self.commit({identity: identity for identity in IDS}, set(), places)

    def _remember(self) -> None:
        self.views[self.stream, self.seq] = {shape: self.view(shape) for shape in SHAPES}

    def view(self, shape: Shape) -> View:
        """Return what the map shows now to a client that subscribes to a shape."""
        values = {identity: value for identity, (value, _) in self.rows.items()}
        return {
            identity: (
                NULL if shape.layers == "wind" else values.get(identity, NULL),
                NULL if shape.layers == "temperature" else values.get(identity, NULL),
            )
            for identity, place in sorted(self.locations.items())
            if place.active and on_tile(place, shape.tile)
        }

    def commit(
        self,
        changed: dict[int, int],
        deleted: set[int],
        places: dict[int, Location],
        *,
        floor: int | None = None,
        bury: bool = True,
    ) -> None:
        """Commit one batch."""
        self.seq += 1
        seq = self.seq
        for identity, place in places.items():
            self.locations[identity] = place
            fields = {"latitude": place.latitude, "longitude": place.longitude, "active": place.active}
            self.events.append(Changed(LOCATIONS, identity, seq, seq, fields))
        for identity, value in changed.items():
            self.rows[identity] = (value, seq)
            self.tombstones.pop(identity, None)
            fields = {"valid_at": VALID_AT * 10**6, "source": "simulator"}
            fields |= dict.fromkeys(LAYERS[:2], value / 10)
            self.events.append(Changed(WEATHER, identity, seq, seq, fields))
        for identity in deleted & self.rows.keys() - changed.keys():
            del self.rows[identity]
            self.events.append(Removed(WEATHER, identity))
            if bury:
                self.tombstones[identity] = seq
                self.events.append(Buried(WEATHER, identity, seq))
        if floor is not None:
            self.floor = floor
            self.tombstones = {identity: at for identity, at in self.tombstones.items() if at > floor}
        self.events.append(CheckpointMoved("p", seq, None, floor))
        self._remember()

    def renumber(self) -> None:
        """Begin a new stream; the documents keep their old seqs until they are written again."""
        self.streams += 1
        self.stream, self.seq, self.floor = f"{self.streams:x}" * 32, 0, 0
        self.stream = self.stream[:32]
        self.events.append(CheckpointMoved("p", 0, self.stream, 0))
        self._remember()

    def load(self) -> GridState:
        """Load the state as the adapter does."""
        rows = {identity: Row(min(at, self.seq)) for identity, at in self.tombstones.items()}
        for identity, (value, at) in self.rows.items():
            rows[identity] = Row(min(at, self.seq), VALID_AT, 0, 2, (value, value, NULL))
        return GridState(
            stream=self.stream,
            seq=self.seq,
            resume_floor=self.floor,
            locations=dict(self.locations),
            rows=rows,
        )


class Replica:
    """One web process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.hub = Hub(HubSettings(), Metrics(CollectorRegistry()), version="0")
        self.place = 0
        self.load(0)

    def load(self, back: int) -> None:
        """Load the state, after opening a stream that begins `back` events ago."""
        state = self.database.load()
        self.hub.replace(state)
        self.assembler = Assembler(state.stream, state.seq, "p")
        end = len(self.database.events)
        # A stream is opened between transactions, and one of this stream.
        self.place = end
        for place in range(end - 1, max(-1, end - back - 1), -1):
            event = self.database.events[place]
            if isinstance(event, CheckpointMoved):
                if event.stream is not None:
                    break
                self.place = place + 1
        self.loaded_place = end

    def consume(self, count: int) -> None:
        """Follow the change stream for some events."""
        for _ in range(min(count, len(self.database.events) - self.place)):
            event = self.database.events[self.place]
            replay = self.place < self.loaded_place
            self.place += 1
            if isinstance(event, CheckpointMoved) and event.stream is not None:
                self.load(0)
                return
            for batch in self.assembler.feed(event, replay=replay):
                self.hub.state.apply(batch)
                self.hub.advanced()

    def answer(self) -> None:
        """Read the checkpoint for those that need it."""
        for client in self.hub.undecided():
            self.hub.answer(client, Checkpoint(self.database.stream, self.database.seq))


@dataclass
class Browser:
    """One client: its map outlives its connections.

    Attributes:
        wanted: what it has subscribed to, or will when it connects.
        held: what its map is of.
    """

    wire: Format
    mirror: Mirror = field(default_factory=Mirror)
    replica: Replica | None = None
    client: Client | None = None
    wanted: Shape = WHOLE
    held: Shape = WHOLE
    positions: list[tuple[str, int]] = field(default_factory=list)

    def connect(self, replica: Replica) -> None:
        """Connect to a replica and say what we have."""
        self.disconnect()
        self.replica = replica
        self.client = replica.hub.connect(self.wire, "x", lambda: None, 0.0)
        self._say(self.mirror.resume(*self.wanted))

    def subscribe(self, shape: Shape) -> None:
        """Want something else from now on."""
        self.wanted = shape
        self._say(Subscribe(*shape))

    def _say(self, message: Resume | Subscribe) -> None:
        if self.client is not None and self.replica is not None:
            self.client.bucket.tokens = 9.0
            self.replica.hub.received(self.client, encode_json(message).decode(), 0.0)

    def disconnect(self) -> None:
        """Drop the connection."""
        if self.client is not None and self.replica is not None:
            self.replica.hub.disconnect(self.client)
        self.client = self.replica = None

    def receive(self, lost_after: int | None = None) -> None:
        """Receive what there is; with `lost_after` the connection breaks after so many messages."""
        if self.client is None or self.replica is None:
            return
        for number, message in enumerate(self.replica.hub.take(self.client, 0.0)):
            if number == lost_after:
                self.disconnect()
                return
            decoded = decode(message.payload, self.mirror.layer_names)
            self.mirror.apply(decoded)
            if isinstance(decoded, Snapshot):
                self.held = self.wanted
            if self.mirror.stream is not None:
                self.positions.append((self.mirror.stream, self.mirror.seq))

    def view(self) -> View:
        """Return what this client shows."""
        return {identity: cell.values[:2] for identity, cell in self.mirror.by_id().items()}


class World(RuleBasedStateMachine):
    """Everything that can happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.database = Database()
        self.replicas = [Replica(self.database) for _ in range(REPLICAS)]
        formats = list(Format)
        self.browsers = [Browser(formats[number % 2]) for number in range(CLIENTS)]

    values = st.dictionaries(st.sampled_from(IDS), st.integers(-500, 500), max_size=3)

    @rule(changed=values, deleted=st.sets(st.sampled_from(IDS), max_size=2))
    def write(self, changed: dict[int, int], deleted: set[int]) -> None:
        """Commit a batch of rows; an empty one too."""
        self.database.commit(changed, deleted, {})

    @rule(identity=st.sampled_from(IDS), active=st.booleans(), longitude=st.sampled_from(PLACES), changed=values)
    def move(self, identity: int, active: bool, longitude: float, changed: dict[int, int]) -> None:
        """Add, move, activate or deactivate a location."""
        self.database.commit(changed, set(), {identity: Location(identity, 0.0, longitude, active=active)})

    @rule(behind=st.integers(0, 3))
    def purge(self, behind: int) -> None:
        """Remove old tombstones and raise the floor."""
        floor = max(self.database.floor, self.database.seq - behind)
        self.database.commit({}, set(), {}, floor=floor)

    @rule(changed=values)
    def truncate(self, changed: dict[int, int]) -> None:
        """Delete all that is not written in the same batch, without tombstones."""
        self.database.commit(changed, set(IDS), {}, floor=self.database.seq + 1, bury=False)

    @precondition(lambda self: self.database.streams < 9)
    @rule()
    def renumber(self) -> None:
        """The CDC begins anew."""
        self.database.renumber()

    @rule(replica=st.integers(0, REPLICAS - 1), count=st.integers(1, 9))
    def consume(self, replica: int, count: int) -> None:
        """A replica follows, and may stop between any two events of a transaction."""
        self.replicas[replica].consume(count)

    @rule(replica=st.integers(0, REPLICAS - 1))
    def publish(self, replica: int) -> None:
        """A replica's window closes."""
        self.replicas[replica].hub.publish()

    @rule(replica=st.integers(0, REPLICAS - 1))
    def answer(self, replica: int) -> None:
        """A replica reads the checkpoint."""
        self.replicas[replica].answer()

    @rule(replica=st.integers(0, REPLICAS - 1), back=st.integers(0, 9))
    def reload(self, replica: int, back: int) -> None:
        """A replica's change stream breaks; it loads the state anew and keeps its clients."""
        self.replicas[replica].load(back)

    @rule(replica=st.integers(0, REPLICAS - 1))
    def restart(self, replica: int) -> None:
        """A replica restarts; its clients lose their connections."""
        for browser in self.browsers:
            if browser.replica is self.replicas[replica]:
                browser.disconnect()
        self.replicas[replica] = Replica(self.database)

    @rule(browser=st.integers(0, CLIENTS - 1), replica=st.integers(0, REPLICAS - 1))
    def connect(self, browser: int, replica: int) -> None:
        """A client connects, again or to another replica."""
        self.browsers[browser].connect(self.replicas[replica])

    @rule(browser=st.integers(0, CLIENTS - 1), shape=st.sampled_from(SHAPES))
    def subscribe(self, browser: int, shape: Shape) -> None:
        """A client looks at another part of the map, or at other layers."""
        self.browsers[browser].subscribe(shape)

    @rule(replica=st.integers(0, REPLICAS - 1))
    def catch_up(self, replica: int) -> None:
        """A replica follows to the end, its window closes, and its clients read."""
        chosen = self.replicas[replica]
        while chosen.place < len(self.database.events):
            chosen.consume(1)
        chosen.hub.publish()
        chosen.answer()
        for browser in self.browsers:
            if browser.replica is chosen:
                browser.receive()

    @rule(browser=st.integers(0, CLIENTS - 1), replica=st.integers(0, REPLICAS - 1))
    def hop(self, browser: int, replica: int) -> None:
        """A client goes to a replica that may be behind, and waits for its answer."""
        self.browsers[browser].connect(self.replicas[replica])
        self.replicas[replica].answer()
        self.browsers[browser].receive()

    @rule(browser=st.integers(0, CLIENTS - 1))
    def receive(self, browser: int) -> None:
        """A client reads what there is for it."""
        self.browsers[browser].receive()

    @rule(browser=st.integers(0, CLIENTS - 1), after=st.integers(0, 2))
    def lose(self, browser: int, after: int) -> None:
        """A client's connection breaks in the middle of what is sent."""
        self.browsers[browser].receive(lost_after=after)

    @invariant()
    def every_map_is_exact(self) -> None:
        """What a client shows is exactly the database as of the seq that it has."""
        for browser in self.browsers:
            if browser.mirror.stream is not None:
                views = self.database.views[browser.mirror.stream, browser.mirror.seq]
                assert browser.view() == views[browser.held]

    @invariant()
    def no_client_goes_back(self) -> None:
        """Within a stream, a client's seq never falls."""
        for browser in self.browsers:
            latest: dict[str, int] = {}
            for stream, seq in browser.positions:
                assert seq >= latest.get(stream, 0)
                latest[stream] = seq
            browser.positions = browser.positions[-1:]

    def teardown(self) -> None:
        """Let everything come to rest: all clients show what the database holds."""
        for replica in self.replicas:
            while replica.place < len(self.database.events):
                replica.consume(1)
            replica.hub.publish()
        for number, browser in enumerate(self.browsers):
            if browser.client is None:
                browser.connect(self.replicas[number % REPLICAS])
        for replica in self.replicas:
            replica.answer()
        for browser in self.browsers:
            browser.receive()
            assert browser.view() == self.database.view(browser.wanted)
        self.every_map_is_exact()
        self.no_client_goes_back()


TestWorld = pytest.mark.contract("W3", "W6", "W12", "K2", "K3", "K4", "K5")(World.TestCase)
TestWorld.settings = hypothesis_settings(max_examples=200, stateful_step_count=50, deadline=None)
