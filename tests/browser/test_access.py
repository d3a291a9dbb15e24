"""Everybody can use it: no fault that axe-core knows, in any state and theme, and a word where it cannot work at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from browser.axe import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_local.harness import Pipeline


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way(world: Pipeline, visit: Callable[..., Any], device: str, scheme: str) -> None:
    """The map, each thing that can be opened, and another time."""
    page = visit(world.url, device, scheme)
    page.until("() => document.querySelector('.heatmaplayer image') !== null")
    assert faults(page) == []
    for button in ("search", "share", "settings"):
        page.page.get_by_test_id(button).click()
        assert (button, faults(page)) == (button, [])
        page.page.keyboard.press("Escape")
    page.page.get_by_test_id("time-ahead").click()
    page.page.get_by_test_id("map").focus()
    page.page.keyboard.press("Enter")
    page.see("panel")
    page.page.locator(".panel-chart .main-svg").first.wait_for(state="attached")
    assert faults(page) == []
    page.page.keyboard.press("Escape")
    page.page.get_by_test_id("share").click()
    page.page.get_by_test_id("open-table").click()
    assert faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way_while_the_server_is_away(
    world: Pipeline, visit: Callable[..., Any], scheme: str
) -> None:
    """Connecting, reconnecting and disconnected."""
    page = visit(world.url, "desktop", scheme)
    # The server closes as soon as the page has said what it has.
    page.page.route_web_socket("**/ws", lambda socket: socket.on_message(lambda _: socket.close(code=1001)))
    page.page.reload()
    page.until("() => document.querySelector('[data-testid=connection-state]').dataset.state === 'closing'")
    assert "closing" in page.see("connection-state").lower()
    assert faults(page) == []
    page.until("() => document.querySelector('[data-testid=connection-state]').dataset.state === 'disconnected'")
    assert faults(page) == []


@pytest.mark.parametrize("answer", ["() => null", "() => { throw new Error('forbidden'); }"])
def test_without_a_canvas_there_is_the_table(world: Pipeline, visit: Callable[..., Any], answer: str) -> None:
    """A browser that cannot draw, or may not, says so and shows the values in a table."""
    page = visit(world.url)
    page.page.add_init_script(f"HTMLCanvasElement.prototype.getContext = {answer}")
    page.page.reload()
    page.see("canvas")
    page.until_connection("live")
    assert faults(page) == []
    page.page.locator("[data-testid=canvas] button").click()
    assert "of 612" in page.see("table-range")


@pytest.mark.parametrize("lacks", ["Array.prototype.at", "CanvasRenderingContext2D.prototype.roundRect"])
def test_an_old_browser_is_told_so(world: Pipeline, visit: Callable[..., Any], lacks: str) -> None:
    """A browser that lacks what the page needs gets a sentence and the values, not an empty page."""
    page = visit(world.url, scheme="dark")
    page.page.add_init_script(f"delete {lacks}")
    page.page.reload()
    assert "too old" in page.see("too-old")
    page.problems.clear()  # what such a browser logs about the rest of the page is what this test brings about
    assert page.page.locator("[data-testid=too-old] a").get_attribute("href") == "/api/v1/export.csv"
    assert page.page.evaluate("() => document.documentElement.dataset.theme") == "dark"


def test_dark_and_light_are_the_systems_or_the_readers(world: Pipeline, visit: Callable[..., Any]) -> None:
    """The page follows the system as it changes, until the reader chooses; what was chosen is remembered."""
    page = visit(world.url)
    theme = "(theme) => document.documentElement.dataset.theme === theme"
    page.until(theme, "light")
    page.page.emulate_media(color_scheme="dark")
    page.until(theme, "dark")
    page.page.get_by_test_id("settings").click()
    page.page.get_by_test_id("theme-light").click()
    page.until(theme, "light")
    page.page.reload()
    page.until(theme, "light")
    page.page.get_by_test_id("settings").click()
    page.page.get_by_test_id("theme-system").click()
    page.until(theme, "dark")


def test_changes_are_told(world: Pipeline, visit: Callable[..., Any]) -> None:
    """A screen reader hears what is shown when that changes."""
    page = visit(world.url)
    page.page.get_by_test_id("layer-age").click()
    page.until("() => document.querySelector('[data-testid=announcer]').textContent.includes('Age')")


def test_moves_by_keys_are_told(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Whoever steps in time or moves the map by keys, and does not see them, hears where that has led."""
    page = visit(world.url)
    page.page.locator("[data-testid=map] .heatmaplayer image").first.wait_for(state="attached")
    told = "document.querySelector('[data-testid=announcer]').textContent"
    page.page.keyboard.press(".")
    page.until(f"() => {told}.startsWith('Simulated: forecast')")
    page.page.keyboard.press("N")
    page.until(f"() => {told}.startsWith('Simulated: model now')")
    page.page.get_by_test_id("map").focus()
    page.page.keyboard.press("ArrowRight")
    page.until(f"() => /°, .*: .* °C, .* m.s/.test({told})")


def test_letters_need_not_be_commands(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Who speaks to the computer can switch single letters off; Escape closes all the same."""
    page = visit(world.url)
    page.page.get_by_test_id("settings").click()
    page.page.get_by_test_id("shortcuts").click()
    page.page.keyboard.press("Escape")
    page.page.locator("#settings").wait_for(state="hidden")
    for key in (".", "p", "/"):
        page.page.keyboard.press(key)
    assert page.page.evaluate("() => window.isotherm.time().moment") == "now"
    assert not page.page.get_by_test_id("search-input").is_visible()
    page.page.get_by_test_id("settings").click()
    page.page.get_by_test_id("shortcuts").click()
    page.page.get_by_test_id("shortcuts").press(".")
    page.until("() => window.isotherm.time().moment !== 'now'")


def test_choices_are_seen_in_colours_of_the_system(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Where the system chooses the colours, which takes backgrounds away, the legend and what is chosen stay visible."""
    page = visit(world.url)
    page.page.emulate_media(forced_colors="active")
    style = "(at) => { const { backgroundImage, outlineStyle } = getComputedStyle(at); return [backgroundImage, outlineStyle]; }"
    assert "gradient" in page.page.locator(".legend-bar").evaluate(style)[0]
    chosen = page.page.locator("[data-testid=layer-temperature] .choice-face")
    assert chosen.evaluate(style)[1] == "solid"
    assert page.page.locator("[data-testid=layer-wind] .choice-face").evaluate(style)[1] == "none"
    page.page.get_by_test_id("settings").click()
    switches = page.page.locator(".switch-input").evaluate_all(
        "(all) => all.map((at) => getComputedStyle(at).backgroundColor)"
    )
    assert len(set(switches)) == 2  # isotherms are on, arrows are off
    assert faults(page) == []


def test_one_card_is_open_at_a_time(world: Pipeline, visit: Callable[..., Any]) -> None:
    """Escape closes what a button has opened, wherever the focus is, and opening another card closes the first."""
    page = visit(world.url)
    share, search = page.page.locator("#share"), page.page.locator("#search")
    page.page.get_by_test_id("share").click()
    page.page.keyboard.press("Escape")
    share.wait_for(state="hidden")
    assert page.page.evaluate("() => document.activeElement.dataset.testid") == "share"
    page.page.keyboard.press("Enter")
    share.wait_for(state="visible")
    page.page.keyboard.press("/")
    search.wait_for(state="visible")
    share.wait_for(state="hidden")


def test_every_control_is_reached_by_keys(world: Pipeline, visit: Callable[..., Any]) -> None:
    """The tabulator visits every control once around the page, and each shows that it has the focus."""
    page = visit(world.url)
    focused = """() => {
      const at = document.activeElement;
      const shown = at.matches('.choice-input') ? at.nextElementSibling : at;
      const { outlineStyle, boxShadow } = getComputedStyle(shown);
      const name = at.closest('[data-testid]')?.dataset.testid ?? at.className ?? at.tagName;
      return [at === document.body ? 'body' : name, outlineStyle !== 'none' || boxShadow !== 'none'];
    }"""
    visited: dict[str, bool] = {}
    for _ in range(60):
        page.page.keyboard.press("Tab")
        name, visible = page.page.evaluate(focused)
        if name == "body":
            break
        visited[name] = visible
    assert [name for name, visible in visited.items() if not visible] == []
    controls = {"layer-temperature", "search", "share", "settings", "map", "legend-unit", "time-step", "time-speed"}
    controls |= {"play", "time-back", "time-slider", "time-ahead", "time-now", "zoom-in", "zoom-out", "zoom-reset"}
    assert controls <= visited.keys()
