"""Each state that the page can be in is for everybody: no fault that axe-core knows, in both themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from browser.axe import faults
from browser.fake import fake_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATES = {
    "filling": "filling",
    "empty": "empty",
    "stale": "stale",
    "protocol": "protocol",
    "connecting": "waiting",
    "restarting": "connection-state",
    "closing": "connection-state",
    "disconnected": "disconnected",
    "cities": "connection-state",
    "pacific": "connection-state",
}
"""The states of the fake server, and what is in sight then."""


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    """The built page with the fake server that `npm run preview` has."""
    with fake_server() as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_in_the_way_in_any_state(fake: str, visit: Callable[..., Any], state: str, scheme: str) -> None:
    """The state is said in words, and nothing is in anybody's way."""
    page = visit(f"{fake}/?state={state}", scheme=scheme, live=False)
    page.see(STATES[state])
    if state not in {"connecting", "protocol"}:
        page.until("() => document.querySelector('[data-testid=map][data-drawn=true]') !== null")
    assert faults(page) == []
    if state in {"stale", "empty"}:
        title = page.page.locator(".notice-title").inner_text()
        page.until("(title) => document.querySelector('[data-testid=announcer]').textContent.startsWith(title)", title)
    page.problems.clear()  # the fake server answers not everything in every state, and the browser logs that
    page.screenshot(f"state-{state}-{scheme}")


def test_a_region_across_the_antimeridian_is_one_picture(fake: str, visit: Callable[..., Any]) -> None:
    """It fills the screen, the middle of it is a place at 180°, and a search finds its cells on either side."""
    page = visit(f"{fake}/?state=pacific")
    page.until("() => document.querySelector('.heatmaplayer image') !== null")
    box = page.page.locator(".heatmaplayer image").bounding_box()
    assert box["width"] > 600  # of 1440 pixels
    page.page.get_by_test_id("map").focus()
    page.page.keyboard.press("Enter")
    assert "180°" in page.see("panel")
    for text, place in (("-30, -170", "30° S, 170° W"), ("-30, 170", "30° S, 170° E")):
        page.page.keyboard.press("/")
        page.page.get_by_test_id("search-input").fill(text)
        page.page.get_by_test_id("search-input").press("Enter")
        page.until("(place) => document.querySelector('.panel-place').textContent === place", place)
