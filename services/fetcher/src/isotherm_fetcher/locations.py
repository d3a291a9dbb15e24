"""How the table of locations becomes equal to the region: a pure comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isotherm_fetcher.rows import Place


@dataclass(frozen=True, slots=True)
class Known:
    """A row of the table.

    Attributes:
        id: its key.
        place: where it is and what it is called.
        active: whether it is fetched.
    """

    id: int
    place: Place
    active: bool


@dataclass(frozen=True)
class Changes:
    """What must change.

    Attributes:
        insert: places that the table does not have.
        activate: rows that belong to the region again.
        deactivate: rows that no longer belong to it. They are never deleted: their id names their history.
        rename: rows whose name changed, with the new one.
    """

    insert: tuple[Place, ...] = ()
    activate: tuple[int, ...] = ()
    deactivate: tuple[int, ...] = ()
    rename: tuple[tuple[int, str | None], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.insert or self.activate or self.deactivate or self.rename)


def compare(region: Iterable[Place], table: Iterable[Known]) -> Changes:
    """Return what makes the active rows of `table` equal to `region`."""
    wanted = {place.key: place for place in region}
    known = {row.place.key: row for row in table}
    both = [(known[key], place) for key, place in wanted.items() if key in known]
    return Changes(
        insert=tuple(place for key, place in wanted.items() if key not in known),
        activate=tuple(row.id for row, _ in both if not row.active),
        deactivate=tuple(row.id for key, row in known.items() if row.active and key not in wanted),
        rename=tuple((row.id, place.name) for row, place in both if row.place.name != place.name),
    )
