"""What a person sees: the map, its changes, and the truth about its age and its connection."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from cdc_support.capture import Capture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from isotherm_local.harness import Pipeline

WORLD_CELLS = 612


def execute(world: Pipeline, *statements: str) -> None:
    """Change MySQL in one transaction."""
    with contextlib.closing(world.mysql(autocommit=False)) as connection:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.commit()


def location_near(world: Pipeline, latitude: float, longitude: float) -> int:
    with contextlib.closing(world.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM locations WHERE latitude = %s AND longitude = %s", (latitude, longitude))
        row: Any = cursor.fetchone()
        return int(row[0])


@pytest.fixture
def scratch(world: Pipeline) -> Iterator[Pipeline]:
    """The map, whose rows are put back as they were when the test ends."""
    execute(world, "CREATE TABLE kept AS SELECT * FROM weather_data")
    yield world
    execute(world, "DELETE FROM weather_data", "INSERT INTO weather_data SELECT * FROM kept")
    execute(world, "DROP TABLE kept")
    world.until(lambda: _caught_up(world) and world.filled(), seconds=60, what="the map being whole again")


def _caught_up(world: Pipeline) -> bool:
    """Whether the server has everything that MySQL has committed; until then the map may still look as it was before."""
    with Capture.of(world) as capture:
        return capture.caught_up() and int(world.get("/api/v1/grid")["seq"]) >= int(capture.checkpoint()["seq"])


def colours(picture: Path) -> int:
    """Return how many clearly different colours a picture has."""
    pixels = np.asarray(Image.open(picture).convert("RGB")).reshape(-1, 3)
    return len(np.unique(pixels // 8, axis=0))


@pytest.mark.contract("H1")
def test_the_whole_world_is_drawn(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Every cell has data, the heatmap is there, and it has the many colours of real weather."""
    page = visit(world.url)
    state = page.state()
    assert state["cells"] == state["filled"] == WORLD_CELLS
    assert page.page.get_by_test_id("filling").count() == 0
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    assert colours(page.screenshot("world")) > 150


def test_temperature_and_wind_can_be_switched(world: Pipeline, visit: Callable[..., Any]) -> None:
    """The legend follows with its unit."""
    page = visit(world.url)
    assert "°C" in page.see("legend")
    page.page.get_by_test_id("layer-wind").click()
    page.until("() => document.querySelector('[data-testid=legend]').innerText.includes('m/s')")
    page.page.get_by_test_id("layer-temperature").click()
    page.until("() => document.querySelector('[data-testid=legend]').innerText.includes('°C')")


def test_a_change_in_mysql_is_seen_at_once(scratch: Pipeline, visit: Callable[..., Any]) -> None:
    """A row that changes in MySQL changes its cell in the browser, without any other doing."""
    location = location_near(scratch, 50, 10)
    page = visit(scratch.url)
    seq = page.state()["seq"]
    execute(
        scratch, f"UPDATE weather_data SET temperature_2m = -7.3, wind_speed_10m = 21.5 WHERE location_id = {location}"
    )
    page.until_value(location, -7.3)
    page.until_value(location, 21.5, "wind")
    assert page.state()["seq"] > seq


def test_a_row_that_is_deleted_leaves_a_gap(scratch: Pipeline, visit: Callable[..., Any]) -> None:
    """What MySQL does not know the page does not show, and it says how many cells are filled."""
    location = location_near(scratch, 0, 0)
    page = visit(scratch.url)
    execute(scratch, f"DELETE FROM weather_data WHERE location_id = {location}")
    page.until_value(location, None)
    assert f"{WORLD_CELLS - 1} of {WORLD_CELLS}" in page.see("filling")


def test_the_page_resumes_after_a_restart_of_the_server(scratch: Pipeline, visit: Callable[..., Any]) -> None:
    """Exactly what was missed arrives; the page was honest about its connection meanwhile."""
    location = location_near(scratch, -20, 130)
    page = visit(scratch.url)
    scratch.processes["web"].stop()
    page.until("() => document.querySelector('[data-testid=connection-state]').dataset.state !== 'live'")
    execute(scratch, f"UPDATE weather_data SET temperature_2m = 44.4 WHERE location_id = {location}")
    scratch.processes["web"].start().wait_ready()
    page.until_connection("live")
    page.until_value(location, 44.4)
    assert page.state()["mode"] == "resumed"
    page.forgive("503 (Service Unavailable)")  # what is asked of a server that has just begun, and has no map yet


def test_a_connection_that_stays_lost_is_shown(scratch: Pipeline, visit: Callable[..., Any]) -> None:
    """The values stay, and the page says that they are not followed any more."""
    page = visit(scratch.url)
    scratch.processes["web"].kill()
    try:
        page.until(
            "() => ['reconnecting', 'disconnected'].includes("
            "document.querySelector('[data-testid=connection-state]').dataset.state)"
        )
        assert page.state()["filled"] == WORLD_CELLS
        page.screenshot("disconnected")
    finally:
        scratch.processes["web"].start().wait_ready()
    page.until_connection("live")


def test_old_data_are_called_stale(scratch: Pipeline, visit: Callable[..., Any]) -> None:
    """Data older than promised are shown with a warning and their age, never as fresh."""
    page = visit(scratch.url)
    assert page.page.get_by_test_id("data-age").get_attribute("data-stale") == "false"
    execute(
        scratch,
        "UPDATE weather_data SET fetched_at = fetched_at - INTERVAL 2 DAY, valid_at = valid_at - INTERVAL 2 DAY",
    )
    page.page.locator("[data-testid=data-age][data-stale=true]").wait_for()
    page.see("stale")
    page.screenshot("stale")


def test_a_map_that_fills_says_how_far_it_is(scratch: Pipeline, visit: Callable[..., Any]) -> None:
    """Gaps are gaps: "filling, n of N", and "no data yet" for none at all."""
    page = visit(scratch.url)
    execute(
        scratch,
        "DELETE FROM weather_data WHERE location_id NOT IN (SELECT * FROM (SELECT location_id FROM weather_data ORDER BY location_id LIMIT 200) AS first)",
    )
    page.until(f"() => window.isotherm.state().filled === 200 && window.isotherm.state().cells === {WORLD_CELLS}")
    assert f"200 of {WORLD_CELLS}" in page.see("filling")
    page.screenshot("filling")
    execute(scratch, "DELETE FROM weather_data")
    page.see("empty")


def test_simulated_weather_is_called_simulated(world: Pipeline, visit: Callable[..., Any]) -> None:
    """And Open-Meteo is credited beside the data always."""
    page = visit(world.url)
    assert "simulated" in page.see("simulated").lower()
    page.see("attribution")
    link = page.page.locator("a[href^='https://open-meteo.com']").first
    assert "Open-Meteo.com" in link.inner_text()


def test_a_chosen_place_shows_its_series(world: Pipeline, visit: Callable[..., Any]) -> None:
    """A click on the map opens what is known of the place, and Escape closes it."""
    page = visit(world.url)
    box = page.page.get_by_test_id("map").bounding_box()
    page.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.see("panel")
    page.see("panel-temperature")
    page.page.keyboard.press("Escape")
    page.page.get_by_test_id("panel").wait_for(state="hidden")


def test_a_chosen_place_stays_chosen_when_others_go(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Its panel stays open, and the reader's focus where it is; the panel of a place that goes itself is closed."""
    chosen, other = location_near(world, 50, 10), location_near(world, -80, -180)
    page = visit(f"{world.url}#place={chosen}")
    page.see("panel")
    page.page.get_by_test_id("search").focus()
    try:
        execute(world, f"UPDATE locations SET active = 0 WHERE id = {other}")
        page.until(f"() => window.isotherm.state().cells === {WORLD_CELLS - 1}")
        assert "50° N, 10° E" in page.see("panel")
        assert page.page.evaluate("() => document.activeElement.dataset.testid") == "search"
        page.page.get_by_test_id("panel-close").focus()
        execute(world, f"UPDATE locations SET active = 0 WHERE id = {chosen}")
        page.page.get_by_test_id("panel").wait_for(state="hidden")
        assert page.page.evaluate("() => document.activeElement.id") == "map"
    finally:
        execute(world, f"UPDATE locations SET active = 1 WHERE id IN ({chosen}, {other})")
        world.until(lambda: _caught_up(world) and world.filled(), seconds=60, what="the map being whole again")


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("layer", ["temperature", "wind"])
def test_it_is_whole_on_every_screen(
    world: Pipeline, visit: Callable[..., Any], device: str, scheme: str, layer: str
) -> None:
    """Nothing is cut off: the page does not scroll sideways, and all that must be in sight is."""
    page = visit(world.url, device, scheme)
    page.page.get_by_test_id(f"layer-{layer}").click()
    for hook in ("connection-state", "data-age", "legend", "attribution", "simulated", "valid-time", "time-kind"):
        page.see(hook)
    assert page.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert colours(page.screenshot(f"{layer}-{scheme}-{device}")) > 100


@pytest.mark.parametrize("address", ["", "?embed=1"])
def test_nothing_in_the_header_is_cut(world: Pipeline, visit: Callable[..., Any], address: str) -> None:
    """On the smallest phones too, embedded or not, all that the header holds has its room and a margin beside it."""
    page = visit(f"{world.url}{address}", "small")
    assert page.see("connection-state") == "Live"
    assert page.page.evaluate(
        "() => { const at = document.querySelector('.pill-text'); return at.scrollWidth <= at.clientWidth; }"
    )
    bar = page.page.locator(".bar").bounding_box()
    boxes = page.page.evaluate(
        "() => ['.layers', '.pill', '.bar-buttons'].map((part) => document.querySelector(part).getBoundingClientRect())"
        ".filter(({ width }) => width > 0).map(({ left, right }) => [left, right])"
    )
    edges = [bar["x"], *(edge for box in boxes for edge in box), bar["x"] + bar["width"]]
    assert edges == sorted(edges)
    assert edges[-1] - edges[-2] >= 3


def test_cells_have_edges(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Drawn as cells, each has one colour up to its edge; the content security policy does not keep the browser from it."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    page.page.get_by_test_id("settings").click()
    page.page.get_by_test_id("fill-cells").click()
    page.until("() => getComputedStyle(document.querySelector('.heatmaplayer image')).imageRendering === 'pixelated'")
    page.page.keyboard.press("Escape")
    page.page.get_by_test_id("settings").click()
    page.page.get_by_test_id("fill-smooth").click()
    page.until("() => getComputedStyle(document.querySelector('.heatmaplayer image')).imageRendering !== 'pixelated'")


def test_the_course_of_a_place_begins_a_day_ago(world: Pipeline, visit: Callable[..., Any]) -> None:
    """What was fetched begins with the first sweep; the chart has the day before it from the hourly series."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    page.page.get_by_test_id("map").focus()
    page.page.keyboard.press("Enter")

    first = "Date.parse(document.querySelector('.panel-chart').data[0].x[0] + 'Z')"
    page.until("() => document.querySelector('.panel-chart .main-svg') !== null")
    assert page.page.evaluate(f"() => (Date.now() - {first}) / 3.6e6") == pytest.approx(23.5, abs=0.6)


def test_a_course_comes_without_its_latest_part(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Where the server does not answer for what was fetched, the hourly series is shown all the same."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    page.page.route("**/api/v1/locations/*/series", lambda route: route.fulfill(status=503))
    page.page.get_by_test_id("map").focus()
    page.page.keyboard.press("Enter")
    page.until("() => document.querySelector('.panel-chart .main-svg') !== null")
    page.problems.clear()  # the browser logs the answer that this test brings about


def test_a_place_without_a_course_has_no_chart(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Where the server knows no series, words say so, and no empty chart comes with other units."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    nothing = {"valid_at": [], "temperature_2m": [], "wind_speed_10m": [], "wind_direction_10m": []}
    for part in ("series", "forecast"):
        page.page.route(f"**/api/v1/locations/*/{part}", lambda route: route.fulfill(json=nothing))
    page.page.get_by_test_id("map").focus()
    page.page.keyboard.press("Enter")
    page.until("() => document.querySelector('.panel-message').textContent.includes('is not known here')")
    page.page.get_by_test_id("legend-unit").click()
    assert not page.page.locator(".panel-chart").is_visible()


def test_a_chart_fits_its_panel_when_the_phone_is_turned(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Upright the panel is as wide as the phone, across it is not: its chart follows."""
    page = visit(f"{world.url}#place={location_near(world, 50, 10)}", "phone")
    fits = """() => { const at = document.querySelector('.panel-chart');
      return at.querySelector('.main-svg')?.getBoundingClientRect().width === at.clientWidth && at.clientWidth; }"""
    page.until(fits)
    upright = page.page.evaluate(fits)
    page.page.set_viewport_size({"width": 844, "height": 390})
    page.until(f"(upright) => (({fits})() || upright) !== upright", upright)


def test_paper_has_the_shape_of_the_screen(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Printed, all layers of the map fit one another as they do on the screen."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    paper = page.page.pdf(prefer_css_page_size=True)
    [(width, height)] = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", paper)
    assert float(width) / float(height) == pytest.approx(1440 / 900, rel=0.001)
