"""Follows MongoDB: change stream in, complete batches into the state, deltas out through the hub."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import structlog
from pymongo.errors import PyMongoError

from isotherm_common.retry import RetryPolicy
from isotherm_web.assembly import Assembler
from isotherm_web.coalesce import Window
from isotherm_web.errors import StateLost
from isotherm_web.events import Event, Foreign, parse
from isotherm_web.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics
    from isotherm_web.mongo import Mongo

_YIELD_EVERY_EVENTS = 50
_MICROSECONDS = 1e6


class Publisher:
    """Lets what has changed leave at the pace of the window."""

    def __init__(self, hub: Hub, metrics: Metrics, window_seconds: float, telling: Telling | None = None) -> None:
        self._hub = hub
        self._telling = telling or Telling()
        self._metrics = metrics
        self._window = Window(window_seconds)
        self._noted = asyncio.Event()
        self._committed_us: set[int] = set()

    def note(self, committed_us: frozenset[int]) -> None:
        """Say that something visible has changed."""
        self._window.note(time.monotonic())
        self._committed_us |= committed_us
        self._noted.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            due_at = self._window.due_at
            if due_at is None:
                continue
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            self._publish()

    def _publish(self) -> None:
        started = time.monotonic()
        self._window.close(started)
        committed, self._committed_us = self._committed_us, set()
        with self._telling.broadcast(len(self._hub.clients)):
            self._hub.publish()
        self._metrics.publish_seconds.observe(time.monotonic() - started)
        now = time.time()
        for microseconds in committed:
            self._metrics.commit_to_broadcast.observe(max(0.0, now - microseconds / _MICROSECONDS))


class Feed:
    """Keeps the hub's state equal to MongoDB, for ever.

    While MongoDB is away the last state is served on: its age is in every message, and taking every replica out of
    service would help nobody.
    """

    def __init__(
        self,
        mongo: Mongo,
        hub: Hub,
        publisher: Publisher,
        metrics: Metrics,
        *,
        on_loaded: Callable[[], None] = lambda: None,
        telling: Telling | None = None,
    ) -> None:
        self._telling = telling or Telling()
        self._mongo = mongo
        self._hub = hub
        self._publisher = publisher
        self._metrics = metrics
        self._on_loaded = on_loaded
        self._policy = RetryPolicy(initial_seconds=0.2, maximum_seconds=5.0)
        self._failures = 0
        self._heard_at = time.monotonic()
        metrics.stream_age.set_function(lambda: time.monotonic() - self._heard_at)

    async def run(self) -> None:
        """Follow the change stream until cancelled; load the state anew after every error."""
        log = structlog.get_logger()
        while True:
            try:
                await self._follow()
            except StateLost as lost:
                log.warning("state_lost", reason=str(lost))
            except PyMongoError as error:
                log.warning("change_stream_failed", error=str(error), attempt=self._failures + 1)
            finally:
                self._metrics.following.set(0)
            self._failures += 1
            bound = min(self._policy.maximum_seconds, self._policy.initial_seconds * 2 ** min(self._failures, 10))
            await asyncio.sleep(random.uniform(0.02, bound))  # noqa: S311 - spreads the replicas

    async def _follow(self) -> None:
        try:
            async with self._mongo.watch() as (stream, session):
                loaded = await self._mongo.load(session)
                self._metrics.loads.labels("done").inc()
                state = loaded.state
                self._hub.replace(state)
                self._loaded()
                assembler = Assembler(state.stream, state.seq, loaded.pipeline)
                seen = 0
                while True:
                    raw = await stream.try_next()
                    if raw is None:
                        continue
                    self._heard_at = time.monotonic()
                    self._failures = 0
                    replay = loaded.at is None or raw["clusterTime"] <= loaded.at
                    event = parse(raw, self._mongo.database)
                    if event is not None:
                        self._take(assembler, event, replay=replay)
                    seen += 1
                    if seen % _YIELD_EVERY_EVENTS == 0:
                        await asyncio.sleep(0)
        except PyMongoError:
            self._metrics.loads.labels("failed").inc()
            raise

    def _loaded(self) -> None:
        state = self._hub.state
        self._heard_at = time.monotonic()
        self._metrics.following.set(1)
        self._metrics.seq.set(state.seq)
        structlog.get_logger().info(
            "state_loaded",
            stream=state.stream,
            seq=state.seq,
            cells=len(state.geometry.locations),
            rows=len(state.rows),
        )
        self._on_loaded()

    def _take(self, assembler: Assembler, event: Event, *, replay: bool) -> None:
        if isinstance(event, Foreign):
            self._metrics.foreign.inc()
            structlog.get_logger().warning("foreign_change", collection=event.collection, id=event.id)
        for batch in assembler.feed(event, replay=replay):
            applied = self._hub.state.apply(batch)
            if applied.visible:
                self._telling.applied(self._hub.state.stream, batch)
            self._metrics.batches.inc()
            self._metrics.seq.set(batch.seq)
            self._hub.advanced()
            if applied.visible:
                self._publisher.note(applied.committed_us)


class Referee:
    """Reads the checkpoint for clients that are ahead of this process, one read for all that wait."""

    def __init__(self, mongo: Mongo, hub: Hub) -> None:
        self._mongo = mongo
        self._hub = hub
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Say that there are undecided clients."""
        self._asked.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            clients = self._hub.undecided()
            if not clients:
                continue
            try:
                checkpoint = await self._mongo.read_checkpoint()
            except PyMongoError as error:
                structlog.get_logger().warning("checkpoint_unreadable", error=str(error))
                await asyncio.sleep(1)
                self._asked.set()
                continue
            for client in clients:
                self._hub.answer(client, checkpoint)
