"""The time slider: what is shown at which moment, and that it is always said."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_local.harness import Pipeline

HOUR = 3600
WORLD_CELLS = 612
READY = "() => window.isotherm.time().ready"


def series_of(world: Pipeline, location: int) -> dict[int, float]:
    """Return the hourly temperatures that MongoDB has for a location, once it has those of all."""
    with contextlib.closing(world.mongodb()) as client:
        forecasts = client[world.database]["weather_forecast"]
        world.until(lambda: forecasts.count_documents({}) == WORLD_CELLS, seconds=60, what="all forecasts")
        document: Any = forecasts.find_one({"_id": location})
        return dict(zip(document["valid_at"], document["temperature_2m"], strict=True))


def shown(page: Any, location: int) -> dict[str, Any]:
    """Return what the map shows of a location."""
    return dict(page.page.evaluate("(id) => window.isotherm.shown(id)", location))


@pytest.mark.contract("H8")
def test_other_times_show_the_hourly_series(world: Pipeline, visit: Callable[..., Any]) -> None:
    """A step ahead shows the forecast of the next hour, a step back the past value; both are called what they are."""
    expected = series_of(world, 1)
    page = visit(world.url)
    assert "now" in page.see("time-kind").lower()
    page.page.get_by_test_id("time-ahead").click()
    page.until(READY)
    moment = page.page.evaluate("() => window.isotherm.time().moment")
    assert moment == (int(time.time()) // HOUR + 1) * HOUR
    page.until(
        "([id, value]) => window.isotherm.shown(id).temperature?.toFixed(1) === value.toFixed(1)", [1, expected[moment]]
    )
    assert page.see("time-kind") == "Simulated: forecast"
    page.page.keyboard.press("n")
    page.page.keyboard.press(",")
    page.page.keyboard.press(",")
    page.until("() => window.isotherm.time().kind === 'past'")
    assert page.see("time-kind") == "Simulated: past model value"
    page.page.get_by_test_id("time-now").click()
    page.until("() => window.isotherm.time().moment === 'now'")


def test_now_is_the_row_moved_on_by_the_series(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Now shows current + H(now) - H(valid_at), and the tooltip has the row's own value."""
    hours = series_of(world, 1)
    page = visit(world.url)
    page.until("() => window.isotherm.shown(1)?.moved")
    with contextlib.closing(world.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT temperature_2m, UNIX_TIMESTAMP(valid_at) FROM weather_data WHERE location_id = 1")
        row: Any = cursor.fetchone()

    def at(moment: float) -> float:
        low = int(moment) // HOUR * HOUR
        share = (moment - low) / HOUR
        return hours[low] if share == 0 else hours[low] * (1 - share) + hours[low + HOUR] * share

    expected = row[0] + at(time.time()) - at(float(row[1]))
    assert shown(page, 1)["temperature"] == pytest.approx(expected, abs=0.25)


def test_playing_moves_on_and_stops(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Play runs through the hours, the valid time in sight runs with it, and pause stops it."""
    page = visit(world.url)
    page.page.get_by_test_id("time-speed").select_option("8")
    before = page.see("valid-time")
    page.page.get_by_test_id("play").click()
    page.until(
        "() => window.isotherm.time().moment !== 'now' && window.isotherm.time().moment > Date.now() / 1000 + 7200"
    )
    page.page.get_by_test_id("play").click()
    stopped = page.page.evaluate("() => window.isotherm.time().moment")
    assert page.see("valid-time") != before
    two_frames = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.page.evaluate(two_frames)
    assert page.page.evaluate("() => window.isotherm.time().moment") == stopped


def test_playing_asks_for_the_frames_once(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Over a slow network too: each picture that is drawn meanwhile asks for nothing more."""
    page = visit("about:blank", live=False)
    asked: list[str] = []
    held: list[Any] = []

    def hold(route: Any) -> None:
        asked.append(route.request.url)
        held.append(route)

    page.page.route("**/api/v1/frames?*", hold)
    page.page.goto(world.url)
    page.until_connection("live")
    page.page.get_by_test_id("play").click()
    page.until("() => window.isotherm.time().moment > Date.now() / 1000 + 7200")
    assert len(asked) <= 6  # three layers near now, three of the whole axis
    for route in held[-3:]:
        route.continue_()
    page.until(READY)
    page.page.get_by_test_id("play").click()
    page.problems.clear()  # what was given up for the whole axis


@pytest.mark.parametrize("step", [900, 3600, 10_800])
def test_a_step_is_as_long_as_chosen(world: Pipeline, visit: Callable[..., Any], step: int) -> None:
    """Steps lead to multiples of a quarter, an hour, or three hours, and back over now."""
    page = visit(world.url)
    page.page.get_by_test_id("time-step").select_option(str(step))
    moments = []
    for _ in range(2):
        page.page.get_by_test_id("time-ahead").click()
        moments.append(page.page.evaluate("() => window.isotherm.time().moment"))
    assert [moment % step for moment in moments] == [0, 0]
    assert moments[1] - moments[0] == step
    assert 0 < moments[0] - time.time() <= step
    for _ in range(2):
        page.page.get_by_test_id("time-back").click()
    assert page.page.evaluate("() => window.isotherm.time().moment") == "now"


def test_the_slider_is_moved_by_keys(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Arrow keys move the slider, and it says in words where it stands."""
    page = visit(world.url)
    slider = page.page.get_by_test_id("time-slider")
    slider.focus()
    page.page.keyboard.press("End")
    page.until(READY)
    assert page.page.evaluate("() => window.isotherm.time().kind") == "forecast"
    assert "forecast" in str(slider.get_attribute("aria-valuetext")).lower()


def test_the_end_of_the_slider_is_not_empty(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Where the series end before the axis does, the last hour that they have is shown, and playing begins anew after it."""
    series_of(world, 1)
    page = visit(world.url)
    page.page.get_by_test_id("time-slider").focus()
    page.page.keyboard.press("End")
    page.until(READY)
    page.until("() => window.isotherm.shown(1).temperature !== null")
    page.page.get_by_test_id("time-speed").select_option("8")
    page.page.get_by_test_id("play").click()
    page.until("() => window.isotherm.time().kind === 'past'")
    page.page.get_by_test_id("play").click()


def test_little_motion_is_respected(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Readers who want little motion get whole steps when they play, and nothing that glides."""
    page = visit(world.url)
    page.page.emulate_media(reduced_motion="reduce")
    page.page.get_by_test_id("play").click()
    page.until("() => window.isotherm.time().moment > Date.now() / 1000")
    moments = [page.page.evaluate("() => window.isotherm.time().moment")]
    page.until("(moment) => window.isotherm.time().moment !== moment", moments[0])
    moments.append(page.page.evaluate("() => window.isotherm.time().moment"))
    page.page.get_by_test_id("play").click()
    assert [moment % HOUR for moment in moments] == [0, 0]
    assert (
        page.page.evaluate("() => getComputedStyle(document.querySelector('.map-plot')).transitionProperty") == "none"
    )
    assert (
        page.page.evaluate(
            "() => getComputedStyle(document.querySelector('.switch-input'), '::after').transitionProperty"
        )
        == "none"
    )


def test_ages_are_as_of_now(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Whatever time is shown, the age layer shows how old the latest values are now, and says so."""
    page = visit(world.url)
    page.page.get_by_test_id("layer-age").click()
    assert "as of now" not in page.see("legend")
    assert page.page.get_by_test_id("legend-unit").is_disabled()
    page.page.get_by_test_id("time-ahead").click()
    assert "as of now" in page.see("legend")
    page.page.get_by_test_id("time-now").click()
    assert "as of now" not in page.see("legend")
