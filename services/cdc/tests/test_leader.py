"""The election in virtual time, against a lease that is kept in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from isotherm_cdc.errors import LeaseLost
from isotherm_cdc.leader import Leader, Lease, LeaseUnavailable, Timing
from isotherm_common.observability import Health
from isotherm_common.shutdown import Shutdown

DOWN = "it is down"
TIMING = Timing(duration_seconds=15, renew_deadline_seconds=10.0, retry_seconds=2.0)


class World:
    """A clock, and a lease that changes only on the version that was read."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.lease: Lease | None = None
        self.down = False
        self.versions = 0

    def read(self) -> Lease | None:
        if self.down:
            raise LeaseUnavailable(DOWN)
        return self.lease

    def write(self, lease: Lease) -> Lease | None:
        if self.down:
            raise LeaseUnavailable(DOWN)
        if lease.version != (self.lease.version if self.lease else None):
            return None
        self.versions += 1
        self.lease = replace(lease, version=str(self.versions))
        return self.lease

    def leader(self, identity: str) -> Leader:
        return Leader(
            self, identity, TIMING, Shutdown(), Health("lease"),
            clock=lambda: self.now, now=lambda: datetime.fromtimestamp(self.now, UTC),
        )  # fmt: skip

    def wait(self, *, until: float = 1e9, then: object = None) -> object:
        """Return a wait that lets time pass and ends at a time; `then` is called after every step."""

        def step(seconds: float) -> bool:
            self.now += seconds
            if callable(then):
                then()
            return self.now >= until

        return step


def test_the_first_takes_it_and_the_second_waits() -> None:
    """Whoever comes first creates the lease; a second reader stands by for as long as it is renewed."""
    world = World()
    first, second = world.leader("a"), world.leader("b")
    assert first.acquire(world.wait())
    assert world.lease is not None
    assert (world.lease.holder, world.lease.duration_seconds, world.lease.transitions) == ("a", 15, 0)
    renewing = world.wait(then=first._try)
    end = world.now + 120
    assert not second.acquire(lambda seconds: bool(renewing(seconds)) or world.now >= end)
    assert not second.leading
    assert second.holder == "a"


def test_a_standby_takes_over_within_the_lease_time() -> None:
    """When its holder dies, the lease is taken after its duration, and not before."""
    world = World()
    world.leader("a").acquire(world.wait())
    second = world.leader("b")
    died = world.now
    assert second.acquire(world.wait())
    assert 15 <= world.now - died <= 15 + 2
    assert world.lease is not None
    assert (world.lease.holder, world.lease.transitions) == ("b", 1)


def test_the_time_in_the_lease_is_not_compared_with_the_clock_here() -> None:
    """A holder whose clock is far behind keeps its lease: it counts from when a change of it was seen."""
    world = World()
    world.lease = Lease("a", 15, datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC), 0, "x")
    second = world.leader("b")
    assert not second.acquire(world.wait(until=world.now + 14))
    assert world.lease.holder == "a"


def test_a_holder_that_cannot_renew_stops_before_others_may_take_over() -> None:
    """It gives up after the renew deadline, which is shorter than the duration."""
    world = World()
    holder = world.leader("a")
    holder.acquire(world.wait())
    last = world.now
    world.down = True
    with pytest.raises(LeaseLost, match="it is down"):
        holder.keep(world.wait())
    assert 10 <= world.now - last < 15
    assert not holder.leading


def test_a_short_interruption_is_survived() -> None:
    """The lease may be out of reach for less than the deadline, again and again."""
    world = World()
    holder = world.leader("a")
    holder.acquire(world.wait())

    def flap() -> None:
        world.down = world.now % 10 < 7

    holder.keep(world.wait(until=world.now + 300, then=flap))
    assert holder.leading


def test_a_holder_whose_lease_was_taken_stops_at_once() -> None:
    """Somebody else in the lease ends the work at the next look, whatever the deadline."""
    world = World()
    holder = world.leader("a")
    holder.acquire(world.wait())
    assert world.lease is not None
    world.lease = replace(world.lease, holder="b", version="other")
    with pytest.raises(LeaseLost, match="b holds it"):
        holder.keep(world.wait())
    assert world.now == 1002


def test_a_lease_that_is_given_back_is_taken_at_once() -> None:
    """After a clean end nobody waits for the duration."""
    world = World()
    holder = world.leader("a")
    holder.acquire(world.wait())
    holder.release()
    before = world.now
    assert world.leader("b").acquire(world.wait())
    assert world.now == before


def test_only_one_of_two_takes_an_expired_lease() -> None:
    """Both see it expired; the version that they write on lets one through."""
    world = World()
    world.lease = Lease("dead", 1, None, None, 0, "x")
    first, second = world.leader("a"), world.leader("b")
    assert not first._try()
    assert not second._try()
    world.now += 5
    found = world.read()
    assert first._try()
    world.read = lambda: found  # type: ignore[method-assign] # what the second has read before the first wrote
    assert not second._try()


@pytest.mark.contract("E8")
def test_a_standby_is_ready_while_it_can_read_the_lease() -> None:
    """It is not ready when it could not take over: when the lease cannot be read."""
    world = World()
    world.leader("a").acquire(world.wait())
    second = world.leader("b")
    health = second._health
    assert health.unmet() == {"lease": "starting"}
    second.acquire(world.wait(until=world.now + 2))
    assert health.unmet() == {}
    world.down = True
    second.acquire(world.wait(until=world.now + 2))
    assert health.unmet() == {"lease": "it is down"}


def test_the_same_identity_goes_on_without_waiting() -> None:
    """A container that is started anew in its pod has the pod's name and takes its own lease again."""
    world = World()
    world.leader("a").acquire(world.wait())
    before = world.now
    assert world.leader("a").acquire(world.wait())
    assert world.now == before
    assert world.lease is not None
    assert world.lease.transitions == 0
