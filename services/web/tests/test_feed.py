"""Following MongoDB when it goes, forgets and comes back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from bson import Int64
from pymongo.errors import AutoReconnect, OperationFailure

from isotherm_web.encoding import decode
from isotherm_web.feed import Feed, Publisher, Referee
from isotherm_web.mongo import Loaded
from isotherm_web.protocol import Checkpoint, Format
from isotherm_web.state import GridState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics

HISTORY_LOST = OperationFailure("Resume of change stream was not possible", 286)
NEW = '{"type":"resume","stream":null,"seq":0,"geometry":null}'


class FakeMongo:
    """Streams that deliver what the test put in, an error among it, and then nothing; loads that may fail.

    Attributes:
        state: what a load finds.
        streams: what each further stream delivers.
        loads: what each further load does: an error, or nothing.
        checkpoints: what each further read of the checkpoint does.
    """

    database = "weather"

    def __init__(self, state: GridState) -> None:
        self.state = state
        self.streams: list[list[Any]] = []
        self.loads: list[Exception | None] = []
        self.checkpoints: list[Exception | Checkpoint | None] = []
        self.opened = 0

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[tuple[Any, None]]:
        """Open the next stream."""
        self.opened += 1
        waiting = self.streams.pop(0) if self.streams else []

        class Stream:
            async def try_next(self) -> Any:
                await asyncio.sleep(0)
                found = waiting.pop(0) if waiting else None
                if isinstance(found, Exception):
                    raise found
                return found

        yield Stream(), None

    async def load(self, _: None) -> Loaded:
        """Return the state."""
        error = self.loads.pop(0) if self.loads else None
        if error is not None:
            raise error
        return Loaded(self.state, "p", None)

    async def read_checkpoint(self) -> Checkpoint | None:
        """Return the next checkpoint."""
        found = self.checkpoints.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def later(state: GridState, seq: int, **changes: Any) -> GridState:
    """Return what a load finds when the CDC has gone on."""
    return GridState(
        **{"stream": state.stream, "seq": seq, "locations": state.locations, "rows": state.rows, **changes}
    )


def batch(seq: int, temperature: float) -> list[dict[str, Any]]:
    """Return the events of a batch that changes location 2."""
    document = {
        "_id": Int64(2),
        "temperature_2m": temperature,
        "valid_at": None,
        "_cdc": {"seq": Int64(seq), "ts": None},
    }
    row = {"ns": {"coll": "weather_data"}, "documentKey": {"_id": Int64(2)}, "fullDocument": document}
    moved = {"ns": {"coll": "_cdc_checkpoints"}, "documentKey": {"_id": "p"}}
    return [
        {"operationType": "replace", "clusterTime": 1, **row},
        {
            "operationType": "update",
            "clusterTime": 1,
            **moved,
            "updateDescription": {"updatedFields": {"seq": Int64(seq)}},
        },
    ]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - each turn of the loop is what is waited for
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(*tasks: Any) -> AsyncIterator[None]:
    """Run tasks meanwhile."""
    started = [asyncio.create_task(task) for task in tasks]
    try:
        yield
    finally:
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)


def feed(hub: Hub, metrics: Metrics, mongo: FakeMongo) -> tuple[Any, Any]:
    """Return the tasks that follow a database."""
    publisher = Publisher(hub, metrics, 0.0)
    following = Feed(mongo, hub, publisher, metrics)  # type: ignore[arg-type]
    return following.run(), publisher.run()


def kinds(hub: Hub, client: Any) -> list[str]:
    """Take what there is for a client; return its types."""
    return [decode(message.payload).__struct_config__.tag or "" for message in hub.take(client, 0.0)]  # type: ignore[misc]


@pytest.mark.contract("W3")
@pytest.mark.parametrize(
    "trouble",
    [
        HISTORY_LOST,
        AutoReconnect("gone"),
        {"operationType": "invalidate", "clusterTime": 2},
        {**batch(44, 1.0)[1], "clusterTime": 2},
    ],
    ids=["history lost", "gone", "invalidate", "an event is missing"],
)
async def test_the_stream_ends(hub: Hub, metrics: Metrics, state: GridState, trouble: Any) -> None:
    """Whatever ends the change stream: the state is loaded anew, and clients get what they missed as a delta."""
    mongo = FakeMongo(state)
    mongo.streams = [[*batch(42, 5.0), trouble], batch(46, 6.0)]
    client = hub.connect(Format.JSON, "a", lambda: None, 0.0)
    hub.received(client, NEW, 0.0)
    kinds(hub, client)
    async with running(*feed(hub, metrics, mongo)):
        await until(lambda: hub.state.seq == 42)
        mongo.state = later(hub.state, 45)
        await until(lambda: hub.state.seq == 46)
        await until(lambda: hub._encoder.published_seq == 46)
    assert mongo.opened == 2
    assert kinds(hub, client) == ["delta"]


@pytest.mark.contract("W3")
async def test_mongodb_is_away_at_first(hub: Hub, metrics: Metrics, state: GridState) -> None:
    """Until a load succeeds the last map is served on; a client that comes meanwhile is served too."""
    mongo = FakeMongo(state)
    mongo.loads = [AutoReconnect("gone"), OperationFailure("not primary", 10107)]
    async with running(*feed(hub, metrics, mongo)):
        client = hub.connect(Format.JSON, "a", lambda: None, 0.0)
        hub.received(client, NEW, 0.0)
        assert kinds(hub, client) == ["hello", "geometry", "snapshot"]
        await until(lambda: mongo.opened == 3)
        await until(lambda: metrics.following._value.get() == 1)
    assert kinds(hub, client) == []


@pytest.mark.contract("W12")
async def test_mongodb_is_away_while_a_client_resumes(hub: Hub, state: GridState) -> None:
    """A client whose place only the checkpoint can tell waits until it can be read, and is then decided about."""
    mongo = FakeMongo(state)
    mongo.checkpoints = [AutoReconnect("gone"), Checkpoint(state.stream, 41)]
    referee = Referee(mongo, hub)  # type: ignore[arg-type]
    hub.ask = referee.ask
    client = hub.connect(Format.JSON, "a", lambda: None, 0.0)
    hub.received(client, NEW.replace("null", f'"{state.stream}"', 1).replace('"seq":0', '"seq":50'), 0.0)
    async with running(referee.run()):
        await until(lambda: len(mongo.checkpoints) == 1)
        assert kinds(hub, client) == []
        await until(lambda: not mongo.checkpoints)
        await until(lambda: not list(hub.undecided()))
    assert kinds(hub, client) == ["hello", "geometry", "snapshot"]
