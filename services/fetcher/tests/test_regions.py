from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_common.process import ConfigurationError
from isotherm_fetcher.regions import PRESETS, Box, Grid, grid, parse_box, place, read_places


def test_the_global_grid_has_612_points() -> None:
    """36 meridians by 17 parallels, every ten degrees, the antimeridian once."""
    points = grid(PRESETS["global"])
    assert len(points) == 612
    assert {point.latitude for point in points} == set(range(-80, 81, 10))
    assert {point.longitude for point in points} == set(range(-180, 171, 10))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_about_as_large_as_the_free_quota_refreshes_in_90_minutes(name: str) -> None:
    """A preset must not be a trap: none is larger than what a sweep and the shares after it can carry."""
    assert 300 <= len(grid(PRESETS[name])) <= 650


boxes = st.builds(
    Box,
    south=st.floats(-90, 0),
    north=st.floats(0, 90),
    west=st.floats(-180, 180),
    east=st.floats(-180, 180),
)


@given(boxes, st.floats(1, 60))
def test_points_are_unique_within_the_box_and_in_stored_form(box: Box, step: float) -> None:
    """Whatever the box and the step, no point is there twice and every one is a valid coordinate of 5 decimals."""
    points = grid(Grid(box, step))
    assert len({point.key for point in points}) == len(points) >= 1
    for point in points:
        assert box.south - 1e-4 <= point.latitude <= box.north + 1e-4
        assert -180 <= point.longitude < 180
        assert point.longitude == round(point.longitude, 5)


def test_a_box_may_cross_the_antimeridian() -> None:
    """West of the date line to east of it."""
    assert [point.longitude for point in grid(Grid(Box(0, 170, 0, -170), 5))] == [170, 175, -180, -175, -170]


def test_too_many_points_are_a_mistake() -> None:
    """A step in the wrong unit is told before anything is asked for."""
    with pytest.raises(ConfigurationError, match="6480000 points"):
        grid(Grid(Box(-90, -180, 89.9, 179.9), 0.1))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1,2,3", "four numbers"),
        ("a,b,c,d", "four numbers"),
        ("50,0,40,10", "south being the smaller"),
        ("-91,0,40,10", "between -90 and 90"),
        ("0,-181,40,10", "between -180 and 180"),
        ("nan,0,40,10", "between -90 and 90"),
    ],
)
def test_a_wrong_box_is_explained(text: str, wrong: str) -> None:
    """The sentence says what the numbers mean."""
    with pytest.raises(ValueError, match=wrong):
        parse_box(text)


def test_places_are_read_from_csv() -> None:
    """Columns in any order, spaces and an antimeridian written as 180 do not matter."""
    lines = ["Latitude, longitude, NAME\n", "52.52, 13.405, Berlin\n", '-17.7,180,"Nadi, Fiji"\n', "1,2,\n"]
    assert read_places(lines, "places.csv") == (
        place(52.52, 13.405, "Berlin"),
        place(-17.7, -180, "Nadi, Fiji"),
        place(1, 2),
    )


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    """Each with its line."""
    lines = ["name,latitude,longitude\n", "A,91,0\n", "B,0\n", "C,1,2\n", "D,1,2.000001\n", f"{'x' * 121},3,4\n"]
    with pytest.raises(ConfigurationError) as caught:
        read_places(lines, "places.csv")
    assert str(caught.value).splitlines() == [
        "places.csv, line 2: latitude must be a number between -90 and 90, not '91'.",
        "places.csv, line 3: longitude must be a number between -180 and 180, not ''.",
        "places.csv, line 5: the point 1, 2 is there twice.",
        "places.csv, line 6: the name is longer than 120 characters.",
    ]


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([], "name, latitude, longitude is missing"),
        (["name,lat,lon\n"], "latitude, longitude is missing"),
        (["name,latitude,longitude\n"], "names no place"),
    ],
)
def test_a_file_without_places_is_a_mistake(lines: list[str], wrong: str) -> None:
    """An empty region would deactivate everything."""
    with pytest.raises(ConfigurationError, match=wrong):
        read_places(lines, "places.csv")
