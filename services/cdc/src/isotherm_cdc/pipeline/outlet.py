"""From what waits to batches: which changes go together, and what the checkpoint then says.

A batch takes as many whole transactions as fit. A transaction that fits a batch is never split; a larger one goes in parts,
and the checkpoint says where the next part begins.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from isotherm_cdc.checkpoint import Position, TableSnapshot
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.batch import Batch, Clear
from isotherm_cdc.pipeline.transactions import Transaction
from isotherm_cdc.pipeline.window import Chunk, Sweep, View

if TYPE_CHECKING:
    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.pipeline.batch import Limits
    from isotherm_cdc.pipeline.transactions import Run
    from isotherm_cdc.pipeline.window import Progress


@dataclass(slots=True)
class Waiting:
    """What waits, in the order in which it must reach MongoDB. Only the last transaction may be open.

    Attributes:
        items: transactions, and between them at most one of what a snapshot has ready.
        chunk: whether that is there.
        size_bytes: how large all of it is.
        rows: how many rows the transactions have.
    """

    items: deque[Transaction | Chunk | View | Sweep] = field(default_factory=deque)
    chunk: bool = False
    size_bytes: int = 0
    rows: int = 0

    @property
    def oldest_us(self) -> int | None:
        """When the source committed what is first, if that is a transaction."""
        first = self.items[0] if self.items else None
        return first.commit_us if isinstance(first, Transaction) else None

    def put(self, item: Chunk | View | Sweep) -> None:
        """Add what a snapshot has ready."""
        self.items.append(item)
        self.chunk = True
        if isinstance(item, Chunk):
            self.size_bytes += item.size_bytes

    def chunk_taken(self) -> None:
        """Remove it: it was the first."""
        self.items.popleft()
        self.chunk = False


class Outlet:
    """The end of a pipeline that batches are taken from.

    Attributes:
        resume: where the transaction goes on that was taken in part.
        seq: the checkpoint's, as of the last commit.
    """

    def __init__(self, checkpoint: Checkpoint, limits: Limits, waiting: Waiting, progress: Progress) -> None:
        """Begin behind a checkpoint.

        Args:
            checkpoint: what is applied.
            limits: how large a batch becomes.
            waiting: what to take.
            progress: how far the tables have been read.
        """
        self.resume = checkpoint.position
        self.seq = checkpoint.seq
        self._applied = GtidSet.parse(checkpoint.gtid_set)
        self._source_us: int | None = None
        self._limits = limits
        self._waiting = waiting
        self._progress = progress

    def take(self, *, even_if_empty: bool = False, hold: bool = False) -> Batch | None:
        """Return the next batch, or None when there is nothing to write yet.

        Args:
            even_if_empty: return a batch without rows rather than none, so that the checkpoint moves.
            hold: leave in the queue what is there.
        """
        batch = Batch()
        before = self._progress.all()
        more = not hold
        while more and self._waiting.items:
            item = self._waiting.items[0]
            if isinstance(item, Transaction):
                more = self._take_transaction(item, batch)
            elif isinstance(item, Chunk):
                more = self._take_chunk(item, batch)
            else:
                more = self._take_clearing(item, batch)
        batch.snapshot = self._progress.all()
        if not (batch.rows or batch.clears or even_if_empty or batch.snapshot != before):
            return None
        batch.gtid_set = str(self._applied)
        batch.position = self.resume
        batch.source_us = self._source_us
        return batch

    def _take_transaction(self, item: Transaction, batch: Batch) -> bool:
        """Move what can be moved into the batch; answer whether the batch may grow further."""
        too_large = item.too_large(self._limits)
        if too_large or item.schema:
            return self._take_part(item, batch) if too_large or item.ended else False
        if not item.ended or not batch.has_room(self._limits, item.rows, item.size_bytes):
            return False
        for run in item.runs:
            self._move(run, run.left, item, batch)
        self._waiting.size_bytes -= item.size_bytes
        self._waiting.rows -= item.rows
        self._finish(item, batch)
        return True

    def _take_part(self, item: Transaction, batch: Batch) -> bool:
        """Move as much as fits into a batch of its own."""
        if batch.rows or batch.clears:
            return False
        runs = item.runs
        while runs and (number := runs[0].fitting(batch, self._limits)):
            run = runs[0]
            self._move(run, number, item, batch)
            self._waiting.size_bytes -= number * run.row_bytes
            self._waiting.rows -= number
            item.split = True
            item.applied[run.table] = item.applied.get(run.table, 0) + number
            self.resume = Position(item.gtid, tuple(item.applied.items()))
            if not run.left:
                runs.popleft()
        if item.ended and not runs:
            before = self._progress.all()
            self._apply_schema(item, batch)
            self._finish(item, batch)
            return not batch.rows and not batch.clears and self._progress.all() == before
        return False

    def _move(self, run: Run, number: int, item: Transaction, batch: Batch) -> None:
        if not run.counted:
            if run.partial:
                self._progress.read_again(run.table, run.move_partial(number, item.origin, batch))
            else:
                run.move(number, item.origin, batch)
            return
        state = self._progress.get(run.table)
        if state is None or state.live:
            run.count(number, item.origin, batch)
        else:
            run.start += number  # It will be in the view that is still to be read.

    def _apply_schema(self, item: Transaction, batch: Batch) -> None:
        for change in item.schema:
            if change.effect == "truncate" or (change.effect == "drop" and self._limits.clear_dropped):
                batch.clears.append(Clear(change.table, None, change.effect, item.gtid))
            state = self._progress.get(change.table)
            if change.effect == "truncate" and state is not None and state.live:
                self._progress.begin(TableSnapshot(change.table))
            being_read = state is not None and not state.is_for_keys
            if change.effect == "reread" or (change.effect == "altered" and being_read):
                self._progress.begin(TableSnapshot(change.table, ghosts_before=self.seq))
            elif change.effect == "drop":
                self._progress.cancel(change.table)

    def _finish(self, item: Transaction, batch: Batch) -> None:
        self._waiting.items.popleft()
        self._applied.add(item.origin_id, item.number)
        if item.prepared is not None:
            self._applied.add(*item.prepared)
        if self.resume is not None and self.resume.gtid == item.gtid:
            self.resume = None
        if item.commit_us is not None:
            self._source_us = item.commit_us
            if item.rows or item.split:
                batch.commits_us.append(item.commit_us)

    def _take_chunk(self, item: Chunk, batch: Batch) -> bool:
        current = self._progress.generation(item.table) == item.generation
        if item.counted and not current:
            self._waiting.size_bytes -= item.size_bytes
            item.rows.clear()
        moved_bytes, state = item.move(batch, self._limits, self._progress.get(item.table) if current else None)
        self._waiting.size_bytes -= moved_bytes
        if state is not None:
            self._progress.store(state)
        if item.rows:
            return False
        if item.given_up is not None and state is not None and state.request is not None:
            batch.given_up.append((state.request, item.given_up))
        if item.keyed:
            self._progress.let_others_go_first(item.table)
        self._waiting.chunk_taken()
        return True

    def _take_clearing(self, item: View | Sweep, batch: Batch) -> bool:
        """Begin or end a table's reading by deleting documents: in a batch of its own."""
        if batch.rows or batch.clears:
            return False
        self._waiting.chunk_taken()
        state = self._progress.get(item.table)
        if self._progress.generation(item.table) != item.generation or state is None:
            return False
        if isinstance(item, View):
            batch.clears.append(Clear(item.table, None, "counted", None))
            self._progress.store(TableSnapshot(item.table, estimate=state.estimate, letters=state.letters, live=True))
        else:
            batch.clears.append(Clear(item.table, item.up_to_seq, "ghosts", None))
            batch.settled += state.letters
            self._progress.store(replace(state, ghosts_before=None, letters=()))
        return False
