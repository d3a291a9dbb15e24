"""Each state that the page can be in is for everybody: no fault that axe-core knows, in both themes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.axe import faults
from isotherm_local import ports
from web_support.web_process import reachable, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FRONTEND = Path(__file__).parents[2] / "services/web/frontend"
STATES = {
    "filling": "filling",
    "empty": "empty",
    "stale": "stale",
    "protocol": "protocol",
    "connecting": "waiting",
    "restarting": "connection-state",
    "disconnected": "disconnected",
    "cities": "connection-state",
}
"""The states of the fake server, and what is in sight then."""


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    """The built page with the fake server that `npm run preview` has."""
    port = ports.free()
    command = ["npx", "vite", "preview", "--host", "127.0.0.1", "--port", str(port), "--strictPort"]
    server = subprocess.Popen(command, cwd=FRONTEND, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: reachable(port), "the fake server")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_in_the_way_in_any_state(fake: str, visit: Callable[..., Any], state: str, scheme: str) -> None:
    """The state is said in words, and nothing is in anybody's way."""
    page = visit(f"{fake}/?state={state}", scheme=scheme, live=False)
    page.see(STATES[state])
    if state not in {"connecting", "protocol"}:
        page.until("() => document.querySelector('.main-svg') !== null")
    assert faults(page) == []
    page.problems.clear()  # the fake server answers not everything in every state, and the browser logs that
    page.screenshot(f"state-{state}-{scheme}")
