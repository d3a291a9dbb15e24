"""Finding a place, handing on what is looked at, and taking values away."""

from __future__ import annotations

import csv
import io
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from browser.fake import fake_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from isotherm_local.harness import Pipeline

WORLD_CELLS = 612
HOUR = 3600
LEAST_COLOURS = 60
LEAST_CONTRAST = 80
STRONG_COLOUR = 60


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    """The built page with the fake server that `npm run preview` has."""
    with fake_server() as address:
        yield address


def test_coordinates_and_names_are_found(world: Pipeline, visit: Callable[..., Any]) -> None:
    """The slash key opens the search; coordinates and names of countries lead to the place's panel."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    page.page.keyboard.press("/")
    field = page.page.get_by_test_id("search-input")
    field.fill("51 N, 9.5 E")
    field.press("Enter")
    assert "50° N, 10° E" in page.see("panel")
    page.page.keyboard.press("/")
    field.fill("austral")
    assert page.page.get_by_role("option").first.inner_text() == "Australia"
    field.press("Enter")
    page.until("() => location.hash.includes('place=') && location.hash.includes('view=-')")
    page.page.keyboard.press("/")
    field.fill("Nowhere at all")
    assert "Nothing found" in page.see("search-message")


def test_my_location(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Where the reader allows it, the map goes to where they are; where not, it says so."""
    page = visit(world.url)
    page.page.get_by_test_id("search").click()
    page.page.get_by_test_id("my-location").click()
    page.until("() => document.querySelector('[data-testid=search-message]').innerText.includes('not available')")
    page.page.context.grant_permissions(["geolocation"])
    page.page.context.set_geolocation({"latitude": -31.0, "longitude": 121.0})
    page.page.get_by_test_id("my-location").click()
    assert "30° S, 120° E" in page.see("panel")


def test_a_link_shows_the_same(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Layer, time, view, units and place are in the address, and come back from it."""
    page = visit(world.url)
    page.page.get_by_test_id("layer-wind").click()
    page.page.get_by_test_id("legend-unit").click()
    page.page.get_by_test_id("time-ahead").click()
    page.page.get_by_test_id("map").focus()
    for key in ("+", "ArrowRight", "Enter"):
        page.page.keyboard.press(key)
    page.see("panel")
    for part in ("layer=wind", "time=", "view=", "units=celsius,kmh", "place="):
        page.until("(part) => location.hash.includes(part)", part)
    other = visit(page.page.url)
    other.see("panel")
    assert other.page.get_by_test_id("legend-unit").inner_text() == "km/h"
    assert other.page.evaluate("() => window.isotherm.time().moment") == page.page.evaluate(
        "() => window.isotherm.time().moment"
    )
    other.until("(hash) => location.hash === hash", page.page.evaluate("() => location.hash"))


def test_a_link_outlives_a_server_that_is_away(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Before there is a map the address keeps what it asks for: loaded again, it still is the same link."""
    page = visit("about:blank", live=False)
    page.page.route_web_socket("**/ws", lambda socket: None)
    moment = int(time.time()) // HOUR * HOUR + 5 * HOUR
    at = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(moment))
    page.page.goto(f"{world.url}#time={at}&view=10.00,20.00,3.00&place=17")
    page.until("() => location.hash.includes('units=')")
    for part in ("view=10.00,20.00,3.00", f"time={at}", "place=17"):
        assert part in page.page.evaluate("() => location.hash")


def test_units_of_a_link_do_not_become_the_readers_own(world: Pipeline, visit: Callable[..., Any]) -> None:
    """They hold while the link is looked at, also when something else is chosen meanwhile."""
    page = visit(f"{world.url}#units=fahrenheit,knots")
    page.page.get_by_test_id("layer-wind").click()
    assert page.page.get_by_test_id("legend-unit").inner_text() == "kn"
    page.page.goto("about:blank")
    page.page.goto(world.url)
    page.until_connection("live")
    assert page.page.get_by_test_id("legend-unit").inner_text() == "m/s"


def test_another_link_in_the_same_page_is_followed(world: Pipeline, visit: Callable[..., Any]) -> None:
    """What the new link does not name, view, time or place, is not kept from the one before; the skip link changes nothing."""
    page = visit(f"{world.url}#view=10.00,20.00,3.00&place=17")
    page.see("panel")
    page.page.get_by_test_id("time-ahead").click()
    page.until("() => location.hash.includes('time=')")
    before = page.page.evaluate("() => location.hash")
    page.page.locator(".skip").focus()
    page.page.keyboard.press("Enter")
    assert page.page.evaluate("() => document.activeElement.id") == "map"
    assert page.page.evaluate("() => location.hash") == before
    page.page.evaluate("() => { location.hash = '#layer=wind'; }")
    page.page.get_by_test_id("panel").wait_for(state="hidden")
    page.until("() => window.isotherm.time().moment === 'now'")
    page.until("() => location.hash === '#layer=wind&units=celsius,mps'")


def test_a_place_that_a_link_names_takes_no_focus(world: Pipeline, visit: Callable[..., Any]) -> None:
    """The page may be a part of another one, whose reader is elsewhere; Escape closes the panel all the same."""
    page = visit(f"{world.url}#place=17")
    page.see("panel")
    assert page.page.evaluate("() => document.activeElement === document.body")
    page.page.keyboard.press("Escape")
    page.page.get_by_test_id("panel").wait_for(state="hidden")


def test_a_map_within_another_page(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Embedded, the map keeps what must be in sight, leaves out the rest, and leads to the whole page."""
    page = visit(f"{world.url}?embed=1#layer=wind")
    for hook in ("connection-state", "legend", "valid-time", "time-kind", "attribution", "open-whole"):
        page.see(hook)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    page.page.get_by_test_id("map").focus()
    page.page.keyboard.press("Enter")
    page.see("panel")
    assert page.page.get_by_test_id("panel-link").get_attribute("target") == "_blank"
    for hook in ("settings", "share", "search"):
        assert not page.page.get_by_test_id(hook).is_visible()
    whole = "() => document.querySelector('[data-testid=open-whole]').href"
    assert "embed" not in page.page.evaluate(whole)
    assert "layer=wind" in page.page.evaluate(whole)
    page.page.get_by_test_id("layer-age").click()
    page.until(f"() => ({whole})().includes('layer=age')")


def test_exports(world: Pipeline, visit: Callable[..., Any], tmp_path: Path) -> None:
    """The picture has the map's colours and a foot; the file has every place in the reader's units."""
    page = visit(f"{world.url}#units=fahrenheit,beaufort")
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    page.page.get_by_test_id("share").click()
    with page.page.expect_download() as started:
        page.page.get_by_test_id("export-png").click()
    started.value.save_as(tmp_path / "map.png")
    picture = Image.open(tmp_path / "map.png").convert("RGB")
    assert picture.size == (1440, 900 + 46)
    assert len(np.unique(np.asarray(picture.resize((144, 94))).reshape(-1, 3), axis=0)) > LEAST_COLOURS
    # Below the scale of the foot stand its values.
    numbers = np.asarray(picture.crop((1440 - 260, 900 + 24, 1440, 900 + 40)).convert("L"))
    assert np.ptp(numbers) > LEAST_CONTRAST
    address = page.page.get_by_test_id("export-csv").evaluate("(link) => link.href")
    with urllib.request.urlopen(address, timeout=10) as answer:
        rows = list(csv.DictReader(io.TextIOWrapper(answer, newline="")))
    assert len(rows) == WORLD_CELLS
    assert {"temperature_2m_fahrenheit", "wind_speed_10m_beaufort"} <= rows[0].keys()


def test_a_picture_of_places_has_their_marks(fake: str, visit: Callable[..., Any], tmp_path: Path) -> None:
    """Where there is no grid too, and on a phone with its words in full and its colours explained."""
    page = visit(f"{fake}/?state=cities", "phone")
    page.until("() => document.querySelector('[data-testid=map][data-drawn=true]') !== null")
    page.page.get_by_test_id("share").click()
    with page.page.expect_download() as started:
        page.page.get_by_test_id("export-png").click()
    started.value.save_as(tmp_path / "map.png")
    pixels = np.asarray(Image.open(tmp_path / "map.png").convert("RGB")).astype(int)
    height = 2 * 844
    strong = np.ptp(pixels, axis=2) > STRONG_COLOUR
    assert strong[:height].sum() > 16 * 100
    assert strong[height:].sum() > 2 * 220
    assert pixels.shape[0] - height > 2 * 90


def test_the_file_is_of_the_moment_that_is_shown(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Also when time moves on, by a key or by playing, while the menu is open."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    page.page.get_by_test_id("share").click()
    page.page.keyboard.press(".")
    moment = page.page.evaluate("() => window.isotherm.time().moment")
    with page.page.expect_download() as started:
        page.page.get_by_test_id("export-csv").click()
    assert started.value.url.endswith(f"&at={moment}")


def test_the_table_has_every_value(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Every place is in the table, a page at a time; a filter finds one; Escape closes it."""
    page = visit(world.url)
    page.page.get_by_test_id("share").click()
    page.page.get_by_test_id("open-table").click()
    assert page.see("table-range") == f"1 to 50 of {WORLD_CELLS}"
    page.page.get_by_test_id("table-next").click()
    assert page.see("table-range") == f"51 to 100 of {WORLD_CELLS}"
    for _ in range(WORLD_CELLS // 50 - 1):
        page.page.keyboard.press("Enter")
    assert page.see("table-range") == f"601 to {WORLD_CELLS} of {WORLD_CELLS}"
    assert page.page.evaluate("() => document.activeElement.textContent") == "Previous"
    page.page.get_by_test_id("table-filter").fill("50° N, 10° E")
    row = page.page.locator("[data-testid=table] tbody tr")
    assert row.count() == 1
    assert "°C" in row.inner_text()
    heads = page.page.locator("[data-testid=table] thead").inner_text()
    assert "Latest model value of" in heads  # of another time than the values beside it
    page.page.keyboard.press("Escape")
    page.page.get_by_test_id("table").wait_for(state="hidden")
    assert page.page.evaluate("() => document.activeElement.dataset.testid") == "share"


@pytest.mark.parametrize(("unit", "text"), [("knots", "kn"), ("beaufort", "Bft")])
def test_units_are_everywhere_and_remembered(world: Pipeline, visit: Callable[..., Any], unit: str, text: str) -> None:
    """A unit that is chosen is in the legend and in the panel, and still there after a reload."""
    page = visit(world.url)
    page.page.get_by_test_id("layer-wind").click()
    page.page.get_by_test_id("settings").click()
    page.page.get_by_test_id(f"wind-unit-{unit}").click()
    page.page.keyboard.press("Escape")
    page.page.goto(world.url)
    page.until_connection("live")
    assert text in page.see("legend")
    page.page.get_by_test_id("map").focus()
    page.until("() => window.isotherm.shown(1) !== null && document.querySelector('.heatmaplayer image') !== null")
    page.page.keyboard.press("Enter")
    assert text in page.see("panel-wind")
    page.until(f"() => document.querySelector('.key-wind').textContent.endsWith(', {text}')")
    page.page.get_by_test_id("share").click()
    page.page.get_by_test_id("open-table").click()
    assert text in page.page.locator("[data-testid=table] tbody tr").first.inner_text()
