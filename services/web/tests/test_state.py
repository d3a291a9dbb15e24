"""The map in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from isotherm_web.assembly import Batch
from isotherm_web.errors import StateLost
from isotherm_web.events import Buried, Changed
from isotherm_web.rows import NULL, Row

if TYPE_CHECKING:
    from isotherm_web.state import GridState


def row(identity: int, seq: int, temperature: float, committed_us: int | None = 7) -> Changed:
    """Return a change of a row."""
    return Changed("weather_data", identity, seq, committed_us, {"temperature_2m": temperature, "valid_at": 10**6})


def test_batch_is_applied(state: GridState) -> None:
    """Rows take the batch's values, the state its seq; the commit times are told for the latency."""
    applied = state.apply(Batch(42, (row(1, 42, 5), row(2, 42, 6, None))))
    assert (applied.visible, applied.committed_us) == (True, frozenset({7}))
    assert (state.seq, state.row(1).values[0], state.row(2).values[0]) == (42, 50, 60)
    assert state.cells_since(41) == [0, 1]


def test_never_backwards(state: GridState) -> None:
    """An older batch, and an older row within a newer batch, change nothing."""
    assert not state.apply(Batch(41, (row(1, 41, 5),))).visible
    state.apply(Batch(42, (row(1, 39, 5),)))
    assert state.row(1).values[0] == 113


def test_deleted_row_keeps_its_seq(state: GridState) -> None:
    """A deleted row is an empty cell that whoever has less than its seq is still told about."""
    state.apply(Batch(42, (Buried("weather_data", 1, 42),)))
    assert state.row(1) == Row(42)
    assert state.row(1).empty
    assert state.cells_since(41) == [0]


@pytest.mark.contract("K4")
def test_document_beats_an_older_tombstone(state: GridState) -> None:
    """A row written after it was deleted is there."""
    state.apply(Batch(42, (Buried("weather_data", 1, 42),)))
    state.apply(Batch(43, (row(1, 43, 5),)))
    assert state.row(1).values == (50, NULL, NULL)


def test_rows_of_unknown_locations_wait(state: GridState) -> None:
    """The weather may come before its location; it shows once the location is there."""
    assert not state.apply(Batch(42, (row(9, 42, 5),))).visible
    place = Changed("locations", 9, 43, None, {"latitude": 1.0, "longitude": 2.0, "active": 1})
    assert state.apply(Batch(43, (place,))).visible
    assert state.all_rows()[2].values[0] == 50


def test_renamed_location_is_not_visible(state: GridState) -> None:
    """A new name needs no new snapshot, but is there for the next."""
    before = state.geometry.name
    assert not state.apply(Batch(42, (Changed("locations", 1, 42, None, {"name": "There"}, partial=True),))).visible
    assert state.geometry.name == before
    assert state.geometry.locations[0].name == "There"


@pytest.mark.parametrize("collection", ["weather_data", "locations"])
def test_partial_change_of_the_unknown_loses_the_state(state: GridState, collection: str) -> None:
    """An update of a document that is not here cannot be applied."""
    with pytest.raises(StateLost):
        state.apply(Batch(42, (Changed(collection, 77, 42, None, {}, partial=True),)))


@pytest.mark.contract("K5")
def test_floor_rises(state: GridState) -> None:
    """The floor that a batch sets counts, and never falls."""
    state.apply(Batch(42, (), 40))
    state.apply(Batch(43, (), 7))
    assert state.resume_floor == 40
