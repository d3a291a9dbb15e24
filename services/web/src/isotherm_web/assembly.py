"""Only complete batches leave (contract W6): a pure machine between the change stream and the map.

A change stream delivers a transaction one document at a time. What belongs to batch N is held until the checkpoint of
N arrives, or anything of a larger seq, which shows as well that N is complete. The checkpoint moves by one seq a batch
(contract K2), so a seq that is left out means that an event was lost, and the state must be loaded anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from isotherm_web.errors import StateLost
from isotherm_web.events import Buried, Changed, CheckpointMoved, Event, Gone, Removed

Change = Changed | Buried


@dataclass(frozen=True, slots=True)
class Batch:
    """A complete batch.

    Attributes:
        seq: its number.
        changes: what it wrote and deleted, in order.
        resume_floor: the floor that it set; None when it did not.
    """

    seq: int
    changes: tuple[Change, ...]
    resume_floor: int | None = None


@dataclass
class Assembler:
    """Turns events into batches.

    Attributes:
        stream: the history that the seqs count in.
        seq: the last complete batch; at first the one that the state was loaded at.
        pipeline: the `_id` of the checkpoint that is followed; None while there is none.
    """

    stream: str
    seq: int
    pipeline: str | None
    _loaded_seq: int = field(init=False)
    _open_seq: int | None = field(init=False, default=None)
    _changes: list[Change] = field(init=False, default_factory=list)
    _removed: dict[tuple[str, int], None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._loaded_seq = self.seq

    @property
    def holding(self) -> int:
        """How many changes are held back."""
        return len(self._changes) + len(self._removed)

    def feed(self, event: Event, *, replay: bool = False) -> list[Batch]:
        """Take in one event and return the batches that it completes: none, one or two.

        Args:
            event: what the change stream delivered.
            replay: it happened before the state was loaded, so the load may have seen it.

        Raises:
            StateLost: the events no longer follow from what was loaded.
        """
        match event:
            case Gone(reason):
                raise StateLost(reason)
            case CheckpointMoved():
                return self._checkpoint(event, replay=replay)
            case Changed() | Buried() if self.pipeline is not None:
                return self._change(event, replay=replay)
            case Removed():
                self._removed[event.collection, event.id] = None
            case _:
                pass
        return []

    def _change(self, event: Change, *, replay: bool) -> list[Batch]:
        if isinstance(event, Buried):
            self._removed.pop((event.collection, event.id), None)
        if replay and event.seq <= self._loaded_seq:
            return []
        complete = self._open(event.seq)
        self._changes.append(event)
        return complete

    def _checkpoint(self, event: CheckpointMoved, *, replay: bool) -> list[Batch]:
        if self.pipeline is None:
            message = "the CDC has begun"
            raise StateLost(message)
        if event.id != self.pipeline:
            return []
        if event.stream is not None and event.stream != self.stream and not replay:
            message = f"the CDC numbers anew in stream {event.stream}"
            raise StateLost(message)
        if event.seq is None:
            return []
        if replay and event.seq <= self._loaded_seq:
            self._removed.clear()
            return []
        if event.seq == self.seq and self._open_seq is None:
            return []
        return [*self._open(event.seq), self._close(event.resume_floor)]

    def _open(self, seq: int) -> list[Batch]:
        """Make `seq` the batch that is being held; the one before is complete."""
        if seq == self._open_seq:
            return []
        complete = []
        if self._open_seq is not None and seq == self._open_seq + 1:
            complete.append(self._close(None, keep_removed=True))
        if seq != self.seq + 1:
            message = f"seq {seq} came after seq {self.seq}"
            raise StateLost(message)
        self._open_seq = seq
        return complete

    def _close(self, resume_floor: int | None, *, keep_removed: bool = False) -> Batch:
        """Complete the batch that is held.

        A delete without a tombstone belongs to the batch whose checkpoint comes next. When it is a later batch's
        document that shows this one to be complete, the delete may be either's: it stays for the later one, whose
        seq is never too small.
        """
        assert self._open_seq is not None
        seq, changes = self._open_seq, self._changes
        if not keep_removed:
            changes = [*changes, *(Buried(collection, identity, seq) for collection, identity in self._removed)]
            self._removed = {}
        self.seq, self._open_seq, self._changes = seq, None, []
        return Batch(seq, tuple(changes), resume_floor)
