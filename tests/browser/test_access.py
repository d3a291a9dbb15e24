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


def test_without_a_canvas_there_is_the_table(world: Pipeline, visit: Callable[..., Any]) -> None:
    """A browser that cannot draw says so and shows the values in a table."""
    page = visit(world.url)
    page.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.page.reload()
    page.see("canvas")
    page.until_connection("live")
    assert faults(page) == []
    page.page.locator("[data-testid=canvas] button").click()
    assert "of 612" in page.see("table-range")


def test_an_old_browser_is_told_so(world: Pipeline, visit: Callable[..., Any]) -> None:
    """A browser that lacks what the page needs gets a sentence and the values, not an empty page."""
    page = visit(world.url, scheme="dark")
    page.page.add_init_script("delete Array.prototype.at")
    page.page.reload()
    assert "too old" in page.see("too-old")
    page.problems.clear()  # what such a browser logs about the rest of the page is what this test brings about
    assert page.page.locator("[data-testid=too-old] a").get_attribute("href") == "/api/v1/export.csv"
    assert page.page.evaluate("() => document.documentElement.dataset.theme") == "dark"


def test_changes_are_told(world: Pipeline, visit: Callable[..., Any]) -> None:
    """A screen reader hears what is shown when that changes."""
    page = visit(world.url)
    page.page.get_by_test_id("layer-age").click()
    page.until("() => document.querySelector('[data-testid=announcer]').textContent.includes('Age')")


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
