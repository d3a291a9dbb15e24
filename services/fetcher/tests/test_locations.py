from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_fetcher.locations import Changes, Known, compare
from isotherm_fetcher.rows import Place

places = st.builds(Place, st.integers(0, 4), st.integers(0, 4), st.sampled_from([None, "A", "B"]))
regions = st.lists(places, unique_by=lambda place: place.key)
tables = st.lists(st.tuples(places, st.booleans()), unique_by=lambda row: row[0].key).map(
    lambda rows: [Known(number, place, active) for number, (place, active) in enumerate(rows, start=1)]
)


def applied(table: list[Known], changes: Changes) -> list[Known]:
    names = dict(changes.rename)
    rows = [
        Known(
            row.id,
            Place(row.place.latitude, row.place.longitude, names.get(row.id, row.place.name)),
            (row.active or row.id in changes.activate) and row.id not in changes.deactivate,
        )
        for row in table
    ]
    return rows + [Known(1000 + number, place, active=True) for number, place in enumerate(changes.insert)]


@pytest.mark.contract("S2")
@given(regions, tables)
def test_the_active_locations_become_the_region(region: list[Place], table: list[Known]) -> None:
    """Names and all; what left stays with its id, and a second comparison finds nothing to do."""
    after = applied(table, compare(region, table))
    assert {row.place for row in after if row.active} == set(region)
    assert {row.id for row in table} <= {row.id for row in after}
    assert not compare(region, after)


def test_coordinates_are_compared_as_they_are_stored() -> None:
    """Five decimals, however they were computed."""
    assert not compare([Place(0.1 + 0.2, -180.0)], [Known(1, Place(0.3, -180.0), active=True)])
