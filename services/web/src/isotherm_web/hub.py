"""The clients and what each still needs: a pure state machine in the caller's time.

No client has a queue. What is pending for it is all that changed since the seq that it has, so newer state merges into
it by itself, and a client that resumes is no different from one that was slow for a while.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import msgspec

from isotherm_web import protocol
from isotherm_web.addresses import household
from isotherm_web.clients import NO_EPOCH, Client, Closing, Outgoing, Phase, TokenBucket
from isotherm_web.deadlines import Deadlines, forgive
from isotherm_web.errors import ProtocolError
from isotherm_web.fanout import SharedEncoder
from isotherm_web.greetings import Greetings
from isotherm_web.protocol import Checkpoint, CloseCode, Decision, Resume, Subscribe
from isotherm_web.roster import Roster
from isotherm_web.shapes import Shape
from isotherm_web.state import NO_STREAM, GridState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from isotherm_web.greetings import Mode
    from isotherm_web.metrics import Metrics
    from isotherm_web.settings import HubSettings


class Hub:
    """Holds the clients of this process and the state that they are served from.

    Attributes:
        state: the map.
        loaded: whether the map was loaded at least once.
        clients: the connections.
        ask: called when a client cannot be decided about: read the checkpoint and `answer` the `undecided` ones.
    """

    def __init__(
        self,
        settings: HubSettings,
        metrics: Metrics,
        *,
        version: str,
        wall_clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.state = GridState()
        self.loaded = False
        self._roster = Roster(settings)
        self.clients = self._roster.clients
        self._settings = settings
        self._metrics = metrics
        self._greetings = Greetings(version, settings.stale_after_seconds)
        self.ask: Callable[[], None] = lambda: None
        self._wall_clock = wall_clock
        self._deadlines = Deadlines(settings, uniform)
        self._held: dict[Client, None] = {}
        self._encoder = SharedEncoder(self.state)
        self._epoch = 0
        self._geometry_name = self.state.geometry.name

    # The state's side

    def replace(self, state: GridState) -> None:
        """Serve a freshly loaded state; clients go on with deltas where that is exact and get a snapshot otherwise."""
        go_on = self.loaded and state.follow(self.state)
        self._encoder = self._encoder.succeeded_by(state) if go_on else SharedEncoder(state)
        self.state, self.loaded = state, True
        if not go_on:
            self._begin_epoch()
        for client in self._held:
            client.phase = Phase.ASKING
        self.advanced()
        self._wake_live()

    def advanced(self) -> None:
        """Say that the state has moved: clients that were ahead of it may go on."""
        if self.state.geometry.name != self._geometry_name:
            self._begin_epoch()
        for client in list(self._held):
            self._settle(client, None)

    def _begin_epoch(self) -> None:
        """From now on every client needs everything anew."""
        self._epoch += 1
        self._geometry_name = self.state.geometry.name

    def publish(self) -> None:
        """Let everything that has changed leave for every client."""
        before = self._encoder.published_seq
        self._encoder.publish()
        if self._encoder.published_seq > before:
            self._metrics.published.inc()
        self._wake_live(before)

    def _wake_live(self, before: int | None = None) -> None:
        coalesced = 0
        for client in self.clients:
            if client.phase is Phase.LIVE:
                if before is not None and client.seq < before:
                    coalesced += 1
                client.wake()
        if coalesced:
            self._metrics.coalesced.inc(coalesced)

    # The clients' side

    def refusal(self, address: str) -> Closing | None:
        """Return why a further connection from `address` is closed at once, or None."""
        return self._roster.refusal(address)

    def connect(self, wire: protocol.Format, address: str, wake: Callable[[], None], now: float) -> Client:
        """Take in a connection that was not refused."""
        bucket = TokenBucket(self._settings.inbound_burst, now)
        client = Client(wire, household(address), wake, now, now, now + self._deadlines.ping_in(), bucket)
        client.look_at = self._deadlines.look_at(client)
        self._roster.add(client)
        series = self._metrics.series
        series(self._metrics.clients, wire.value).inc()
        series(self._metrics.connections, wire.value).inc()
        return client

    def disconnect(self, client: Client) -> None:
        """Forget a connection."""
        if not self._roster.remove(client):
            return
        self._held.pop(client, None)
        client.phase = Phase.CLOSED
        self._metrics.series(self._metrics.clients, client.format.value).dec()

    def received(self, client: Client, data: str | bytes, now: float) -> None:
        """Take in what a client sent."""
        if client.phase is Phase.CLOSED:
            return
        client.heard_at = now
        if not self._within_rate(client, now):
            return
        try:
            message = protocol.parse_client_message(data)
        except ProtocolError as error:
            self._refuse_message(client, str(error))
            return
        if isinstance(message, Resume):
            if client.phase is not Phase.CONNECTED:
                self._refuse_message(client, "resume is sent once, at the beginning")
                return
            self._count("resume")
            client.resume = message
            client.shape = Shape(message.layers, message.tile)
            client.wait_until = now + self._settings.catch_up_seconds
            client.look_at = min(client.look_at, client.wait_until)
            self._settle(client, None)
        elif isinstance(message, Subscribe):
            self._count("subscribe")
            self._subscribe(client, Shape(message.layers, message.tile))
        else:
            self._count("pong")

    def _count(self, kind: str) -> None:
        self._metrics.series(self._metrics.received, kind).inc()

    def _within_rate(self, client: Client, now: float) -> bool:
        settings = self._settings
        if client.bucket.take(now, settings.inbound_messages_per_second, settings.inbound_burst):
            return True
        self.close(client, CloseCode.TOO_MANY_MESSAGES, "too many messages")
        return False

    def _subscribe(self, client: Client, shape: Shape) -> None:
        """Let a client have other cells: it needs all of them anew."""
        if client.phase is Phase.CONNECTED:
            self._refuse_message(client, "resume comes before subscribe")
        elif shape != client.shape:
            client.shape, client.epoch = shape, NO_EPOCH
            if client in self._held and client.resume is not None:
                # What it has is still ahead of this process: it waits on, and then begins anew.
                client.resume = msgspec.structs.replace(client.resume, geometry=None)
            client.wake()

    def _refuse_message(self, client: Client, reason: str) -> None:
        self._count("invalid")
        self.close(client, CloseCode.PROTOCOL_ERROR, reason)

    def undecided(self) -> Iterable[Client]:
        """Return the clients that only the checkpoint can decide about."""
        if not self.loaded:
            return []
        return [client for client in self._held if client.phase is Phase.ASKING]

    def answer(self, client: Client, checkpoint: Checkpoint | None) -> None:
        """Decide about a client after the checkpoint was read; None when there is no checkpoint at all."""
        if client.phase is Phase.ASKING:
            self._settle(client, checkpoint or Checkpoint(NO_STREAM, 0))

    def _settle(self, client: Client, checkpoint: Checkpoint | None) -> None:
        assert client.resume is not None
        geometry = self._encoder.view(client.shape).geometry.name
        decision = (
            protocol.decide(client.resume, self.state, checkpoint, geometry=geometry) if self.loaded else Decision.ASK
        )
        if decision in {Decision.ASK, Decision.WAIT}:
            if client.phase is Phase.CONNECTED:
                self._metrics.resumes.labels("held").inc()
            if client.phase is not Phase.WAITING:
                client.phase = Phase.WAITING if decision is Decision.WAIT else Phase.ASKING
            self._held[client] = None
            if client.phase is Phase.ASKING:
                self.ask()
            return
        self._held.pop(client, None)
        self._metrics.series(self._metrics.resumes, decision.value).inc()
        client.phase = Phase.LIVE
        client.greet = True
        if decision is Decision.RESUMED:
            client.seq, client.epoch = client.resume.seq, self._epoch
        client.wake()

    # What goes out

    def take(self, client: Client, now: float) -> list[Outgoing]:
        """Return what `client` is to be sent now; what is returned counts as sent."""
        if client.phase is not Phase.LIVE:
            return []
        if client.epoch == self._epoch and not (client.greet or client.ping):  # everyone, whenever the map changes
            return [] if client.seq >= self._encoder.published_seq else [self._delta(client)]
        out: list[Outgoing] = []
        if client.epoch != self._epoch:
            out += [
                self._hello(client, "snapshot"),
                self._encoder.geometry(client.shape),
                self._encoder.snapshot(client.format, client.shape),
            ]
            client.seq, client.epoch, client.greet = self.state.seq, self._epoch, False
        elif client.greet:
            client.greet = False
            out.append(self._hello(client, "resumed"))
            if client.seq < self.state.seq:
                out.append(self._delta(client))
        elif client.seq < self._encoder.published_seq:
            out.append(self._delta(client))
        if client.ping:
            client.ping = False
            client.ping_at = now + self._deadlines.ping_in()
            out.append(self._greetings.ping(self.state, self._wall_clock()))
        return out

    def _delta(self, client: Client) -> Outgoing:
        message = self._encoder.delta(client.format, client.seq, client.shape)
        client.seq = self.state.seq
        return message

    def _hello(self, client: Client, mode: Mode) -> Outgoing:
        return self._greetings.hello(mode, self.state, self._encoder.view(client.shape), self._wall_clock())

    def writing(self, client: Client, now: float) -> None:
        """Say that a message to `client` is being written."""
        client.writing_since = now
        client.look_at = min(client.look_at, now + self._settings.slow_after_seconds)

    def written(self, client: Client, message: Outgoing) -> None:
        """Say that a message to `client` was written."""
        client.writing_since = None
        self._metrics.sent(message.type, client.format.value, len(message.payload))

    def drained(self, client: Client) -> None:
        """Say that nothing is waiting to be written to `client` any more."""
        client.writing_since = None
        client.wake()

    def heard(self, client: Client, now: float) -> None:
        """Take note of a sign of life below the protocol, which counts as a message."""
        if client.phase is not Phase.CLOSED:
            client.heard_at = now
            self._within_rate(client, now)

    # Time and the end

    def tick(self, now: float) -> None:
        """Let time pass: pings that are due, and clients that have broken a rule."""
        for client in [client for client in self.clients if client.look_at <= now]:
            if client.phase is Phase.CLOSED:
                continue
            closing = self._deadlines.broken(client, now)
            if closing is not None:
                if closing.code is CloseCode.TOO_SLOW:
                    self._metrics.slow_closed.inc()
                self.close(client, closing.code, closing.reason)
            elif now >= client.ping_at and client.phase is Phase.LIVE:
                # The next delta takes a ping along, which saves writing it by itself; without one it leaves a tick later.
                if client.ping:
                    client.wake()
                client.ping = True
            client.look_at = self._deadlines.look_at(client)

    def stood_still(self, seconds: float) -> None:
        """Say that the process stood still for so long, as when its machine was paused, before the next `tick`."""
        for client in self.clients:
            forgive(client, seconds)

    def close(self, client: Client, code: CloseCode, reason: str) -> None:
        """Close a client; its connection finds out by `wake`."""
        if client.phase is Phase.CLOSED:
            return
        client.phase = Phase.CLOSED
        client.closing = Closing(code, reason)
        self._held.pop(client, None)
        self._metrics.closes.labels(str(int(code))).inc()
        if client.kick is not None:
            client.kick(code, reason)
        client.wake()

    def begin_drain(self) -> list[Client]:
        """Refuse new clients from now on and return those that are to be closed."""
        return self._roster.begin_drain()
