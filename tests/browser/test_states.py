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
    page.problems.clear()  # the fake server answers not everything in every state, and the browser logs that
    page.screenshot(f"state-{state}-{scheme}")
