"""The map in memory: the latest row of each location, exactly as of one seq."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from isotherm_web.errors import StateLost
from isotherm_web.events import LOCATIONS, Buried
from isotherm_web.geometry import Geometry, Location, decode_location, make_geometry
from isotherm_web.rows import NO_ROW, Row, decode_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isotherm_web.assembly import Batch, Change

NO_STREAM = "0" * 32
"""The stream of a database that the CDC has not written to yet."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did to the map.

    Attributes:
        visible: whether anything that clients see has changed.
        committed_us: the distinct commit times of its changes, in µs since 1970.
    """

    visible: bool
    committed_us: frozenset[int] = frozenset()


@dataclass
class GridState:
    """The state at `seq` of `stream`.

    Attributes:
        stream: the history that `seq` counts in (32 hexadecimal digits).
        seq: the last batch that is in.
        resume_floor: a client that has less cannot be resumed.
        locations: all locations, inactive ones too.
        rows: the latest row of each location; a deleted one is an empty row with the seq that deleted it.
        revision: counts the batches applied to this object.
    """

    stream: str = NO_STREAM
    seq: int = 0
    resume_floor: int = 0
    locations: dict[int, Location] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    geometry: Geometry = field(init=False)
    revision: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.geometry = make_geometry(self.locations.values())

    def apply(self, batch: Batch) -> Applied:
        """Apply a complete batch; what is older than what is here changes nothing.

        Raises:
            StateLost: it changes a document that is not here.
        """
        if batch.seq <= self.seq:
            return Applied(visible=False)
        visible = moved = False
        committed = set()
        for change in batch.changes:
            if change.collection == LOCATIONS:
                moved = True
                self._apply_location(change)
            elif self._apply_row(change):
                visible = visible or change.id in self.geometry.cell_by_id
                if not isinstance(change, Buried) and change.committed_us is not None:
                    committed.add(change.committed_us)
        if moved:
            geometry = make_geometry(self.locations.values())
            visible = visible or geometry.name != self.geometry.name
            self.geometry = geometry
        self.seq = batch.seq
        self.resume_floor = max(self.resume_floor, batch.resume_floor or 0)
        self.revision += 1
        return Applied(visible, frozenset(committed))

    def _apply_location(self, change: Change) -> None:
        if isinstance(change, Buried):
            self.locations.pop(change.id, None)
            return
        base = self.locations.get(change.id)
        if change.partial and base is None:
            message = f"location {change.id} changed but is not known"
            raise StateLost(message)
        self.locations[change.id] = decode_location(change.id, change.fields, base if change.partial else None)

    def _apply_row(self, change: Change) -> bool:
        base = self.rows.get(change.id)
        if base is not None and change.seq < base.seq:
            return False
        if isinstance(change, Buried):
            self.rows[change.id] = Row(change.seq)
            return True
        if change.partial and (base is None or base.empty):
            message = f"the weather of location {change.id} changed but is not known"
            raise StateLost(message)
        self.rows[change.id] = decode_row(change.seq, change.fields, base if change.partial else None)
        return True

    def row(self, identity: int) -> Row:
        """Return the row of a location, an empty one when there is none."""
        return self.rows.get(identity, NO_ROW)

    def all_rows(self) -> list[Row]:
        """Return the row of each cell."""
        rows = self.rows
        return [rows.get(identity, NO_ROW) for identity in self.geometry.ids]

    def cells_since(self, seq: int, geometry: Geometry | None = None) -> list[int]:
        """Return the cells, of all or of a part of them, that changed after `seq`, ascending."""
        rows, cells = self.rows, (geometry or self.geometry).cell_by_id
        return [cell for identity, cell in cells.items() if rows.get(identity, NO_ROW).seq > seq]

    def filled(self) -> Iterable[Row]:
        """Return the rows of the cells that have data."""
        return (row for row in self.all_rows() if not row.empty)

    def follow(self, old: GridState) -> bool:
        """Make this freshly loaded state the successor of `old`.

        Answers whether clients of `old` can go on with deltas. What `old` had and no change accounts for (a collection
        was dropped, documents were written by hand) is given this state's seq, so that it is sent; without a newer seq
        to carry it, clients need a snapshot and those that come back with this seq do too.
        """
        if self.stream != old.stream or self.seq < old.seq:
            return False
        unexplained = []
        for identity in self.rows.keys() | old.rows.keys():
            before, after = old.row(identity), self.row(identity)
            if after.seq > old.seq:
                continue
            if after[1:] != before[1:]:
                unexplained.append(identity)
            elif after.seq < before.seq:
                self.rows[identity] = before
        if unexplained and self.seq == old.seq:
            self.resume_floor = self.seq + 1
            return False
        for identity in unexplained:
            self.rows[identity] = self.row(identity)._replace(seq=self.seq)
        return self.geometry.name == old.geometry.name
