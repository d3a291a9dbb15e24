"""Values between the hours, and whole maps of them."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_web.frames import FrameQuery, make_frames
from isotherm_web.rows import LAYERS, NULL
from isotherm_web.series import Course, decode_course, sample

HOUR = 3600
FIRST = 1795449600


def course(
    *temperatures: float | None, speeds: list[float] | None = None, directions: list[float] | None = None
) -> Course:
    """Return an hourly course."""
    count = len(temperatures)
    return decode_course(
        {
            "valid_at": [FIRST + hour * HOUR for hour in range(count)],
            "temperature_2m": list(temperatures),
            "wind_speed_10m": speeds or [4.0] * count,
            "wind_direction_10m": directions or [90.0] * count,
        }
    )


def test_between_two_hours() -> None:
    """Temperature is in proportion; wind turns the short way, by its components."""
    values = sample(course(10.0, 12.0, speeds=[4.0, 4.0], directions=[350.0, 10.0]), FIRST + HOUR // 2)
    assert values == (110, 39, 0)
    assert sample(course(10.0, None), FIRST + 60)[0] == NULL


def test_nothing_is_made_up() -> None:
    """Beyond the ends, and across a gap, there is nothing."""
    known = course(10.0, 12.0)
    assert sample(known, FIRST - 1) == sample(known, FIRST + HOUR + 1) == (NULL,) * 3
    gappy = Course(array("q", [FIRST, FIRST + 3 * HOUR]), tuple(array("h", [1, 1]) for _ in LAYERS))
    assert sample(gappy, FIRST + HOUR) == (NULL,) * 3
    assert sample(course(), FIRST) == (NULL,) * 3


def test_a_short_series_is_filled_up() -> None:
    """A series with fewer values than times ends in nulls, which never move to another hour."""
    short = decode_course({"valid_at": [FIRST, FIRST + HOUR], "temperature_2m": [1.0], "wind_speed_10m": None})
    assert [list(layer) for layer in short.layers] == [[10, NULL], [NULL, NULL], [NULL, NULL]]


@pytest.mark.contract("H8")
@given(
    values=st.lists(st.none() | st.integers(-500, 500).map(lambda tenths: tenths / 10), min_size=1, max_size=8),
    start=st.integers(-10, 10),
    count=st.integers(1, 12),
    step=st.sampled_from([900, 1800, 3600, 7200, 10_800]),
    offset=st.sampled_from([0, 600]),
)
def test_frames_are_samples(values: list[float | None], start: int, count: int, step: int, offset: int) -> None:
    """However the times lie to the series, each frame has exactly what the series has at its time."""
    since = FIRST + start * HOUR + offset
    query = FrameQuery(LAYERS[0], since, since + (count - 1) * step, step)
    known = course(*values)
    frames = make_frames([7, 8], {8: known}, query)
    assert list(frames[0::2]) == [NULL] * count
    assert list(frames[1::2]) == [sample(known, time)[0] for time in query.times]
