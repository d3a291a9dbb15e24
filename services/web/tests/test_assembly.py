"""Only complete batches leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_web.assembly import Assembler, Batch
from isotherm_web.errors import StateLost
from isotherm_web.events import Buried, Changed, CheckpointMoved, Event, Foreign, Gone, Removed

STREAM = "a" * 32


def changed(identity: int, seq: int) -> Changed:
    """Return a change of a row."""
    return Changed("weather_data", identity, seq, None, {})


def moved(seq: int | None, floor: int | None = None, stream: str | None = None, name: str = "p") -> CheckpointMoved:
    """Return a move of the checkpoint."""
    return CheckpointMoved(name, seq, stream, floor)


def feed(assembler: Assembler, *events: Event, replay: bool = False) -> list[Batch]:
    """Feed events and return all that they complete."""
    return [batch for event in events for batch in assembler.feed(event, replay=replay)]


@pytest.mark.contract("W6")
def test_held_until_the_checkpoint() -> None:
    """The documents of a batch leave together when its checkpoint arrives, not before."""
    assembler = Assembler(STREAM, 4, "p")
    assert feed(assembler, changed(1, 5), changed(2, 5)) == []
    assert assembler.holding == 2
    assert feed(assembler, moved(5, 3)) == [Batch(5, (changed(1, 5), changed(2, 5)), 3)]
    assert assembler.holding == 0


@pytest.mark.contract("W6")
def test_a_larger_seq_completes_the_one_before() -> None:
    """A document of a larger seq shows that the batch before is complete."""
    assembler = Assembler(STREAM, 4, "p")
    assert feed(assembler, changed(1, 5), changed(2, 6)) == [Batch(5, (changed(1, 5),))]
    assert feed(assembler, moved(7)) == [Batch(6, (changed(2, 6),)), Batch(7, ())]


def test_empty_batches_move_the_seq() -> None:
    """A checkpoint without documents is a batch without changes."""
    assert feed(Assembler(STREAM, 4, "p"), moved(5), moved(6)) == [Batch(5, ()), Batch(6, ())]


@pytest.mark.contract("K4")
def test_delete_takes_its_seq_from_the_tombstone() -> None:
    """A delete with a tombstone is one change, with the tombstone's seq."""
    assembler = Assembler(STREAM, 4, "p")
    events = (Removed("weather_data", 1), Buried("weather_data", 1, 5), moved(5))
    assert feed(assembler, *events) == [Batch(5, (Buried("weather_data", 1, 5),))]


@pytest.mark.contract("K5")
def test_delete_without_a_tombstone_belongs_to_the_next_checkpoint() -> None:
    """Deletes too many to bury still leave with the batch that raises the floor."""
    assembler = Assembler(STREAM, 4, "p")
    assert feed(assembler, Removed("weather_data", 1), Removed("weather_data", 2), moved(5, 5)) == [
        Batch(5, (Buried("weather_data", 1, 5), Buried("weather_data", 2, 5)), 5)
    ]


def test_what_the_load_has_seen_is_dropped() -> None:
    """Events from before the load are not applied again, deletes among them."""
    assembler = Assembler(STREAM, 5, "p")
    old = (changed(1, 4), moved(4), Removed("weather_data", 9), changed(2, 5), moved(5))
    assert feed(assembler, *old, replay=True) == []
    assert feed(assembler, changed(3, 6), moved(6)) == [Batch(6, (changed(3, 6),))]


@pytest.mark.contract("K2")
@pytest.mark.parametrize(
    "events",
    [
        (moved(7),),
        (changed(1, 7),),
        (changed(1, 5), moved(7)),
        (moved(5), changed(1, 5)),
        (moved(3),),
        (changed(1, 6),),
        (Gone("drop of weather_data"),),
        (moved(1, stream="b" * 32),),
    ],
)
def test_what_does_not_follow_loses_the_state(events: tuple[Event, ...]) -> None:
    """A seq left out, one that goes back, a new stream or a drop: the state must be loaded anew."""
    with pytest.raises(StateLost):
        feed(Assembler(STREAM, 4, "p"), *events)


def test_what_does_not_matter() -> None:
    """Another pipeline's checkpoint, one that only shows life, and foreign writes complete nothing."""
    assembler = Assembler(STREAM, 4, "p")
    assert feed(assembler, moved(99, name="other"), moved(None), moved(4), Foreign("weather_data", 1)) == []


def test_before_the_cdc_has_begun() -> None:
    """While there is no checkpoint nothing can be complete; its first sign means that the state is to be loaded."""
    assembler = Assembler("0" * 32, 0, None)
    assert feed(assembler, changed(1, 5)) == []
    with pytest.raises(StateLost):
        feed(assembler, moved(0, stream=STREAM))


@pytest.mark.contract("W6")
@given(
    sizes=st.lists(st.integers(0, 4), max_size=8),
    loaded=st.integers(0, 8),
    opened=st.integers(0, 8),
    silent=st.sets(st.integers(1, 8)),
)
def test_any_history_leaves_whole_and_in_order(sizes: list[int], loaded: int, opened: int, silent: set[int]) -> None:
    """Whatever the batches, and wherever the stream was opened and the load happened: each newer batch leaves once.

    Checkpoint events that do not come (`silent`) change nothing as long as a later document shows the batch complete.
    """
    loaded, opened = min(loaded, len(sizes)), min(opened, loaded, len(sizes))
    assembler = Assembler(STREAM, loaded, "p")
    left = []
    for seq, size in enumerate(sizes, 1):
        if seq <= opened:
            continue
        events: list[Event] = [changed(identity, seq) for identity in range(size)]
        followed = seq < len(sizes) and sizes[seq] > 0
        if not (seq in silent and size and followed):
            events.append(moved(seq))
        for event in events:
            before = assembler.seq
            batches = assembler.feed(event, replay=seq <= loaded)
            assert all(batch.seq <= seq for batch in batches)
            assert assembler.seq >= before
            left += batches
    assert [batch.seq for batch in left] == list(range(loaded + 1, len(sizes) + 1))
    for batch in left:
        assert batch.changes == tuple(changed(identity, batch.seq) for identity in range(sizes[batch.seq - 1]))
