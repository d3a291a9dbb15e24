"""A headless Chromium on the page of a running pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.chromium import Device, Scheme, context_of, launched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from isotherm_local.harness import Pipeline, Servers

SCREENSHOTS = Path(__file__).parent / "screenshots"
PATIENCE_MS = 30_000
EXPECTED = ("WebSocket connection", "net::ERR_CONNECTION_", "net::ERR_EMPTY_RESPONSE", "net::ERR_SOCKET_NOT_CONNECTED")
"""What the browser logs of its own accord while the server is away."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    with launched() as browser:
        yield browser


@dataclass
class Visit:
    """An open page and everything that went wrong in it."""

    page: Page
    problems: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)

    def state(self) -> dict[str, Any]:
        """Return `window.isotherm.state()`."""
        return dict(self.page.evaluate("() => window.isotherm.state()"))

    def value(self, location: int, layer: str = "temperature") -> float | None:
        """Return what the page has of a location, in SI units."""
        value = self.page.evaluate("([id, layer]) => window.isotherm.value(id, layer)", [location, layer])
        return None if value is None else float(value)

    def until(self, expression: str, argument: object = None) -> None:
        """Wait until a JavaScript function of the argument answers something true."""
        self.page.wait_for_function(expression, arg=argument, timeout=PATIENCE_MS)

    def until_value(self, location: int, value: float | None, layer: str = "temperature") -> None:
        """Wait until the page has `value` for a location."""
        self.until("([id, layer, value]) => window.isotherm.value(id, layer) === value", [location, layer, value])

    def until_connection(self, state: str) -> None:
        """Wait until the page says that its connection is in this state."""
        self.page.locator(f"[data-testid=connection-state][data-state={state}]").wait_for(timeout=PATIENCE_MS)

    def see(self, hook: str) -> str:
        """Wait until the element of this hook is visible and return its text."""
        element = self.page.get_by_test_id(hook)
        element.wait_for(state="visible", timeout=PATIENCE_MS)
        return element.inner_text()

    def forgive(self, text: str) -> None:
        """Let what the browser logged with this text be no problem: the test has brought it about."""
        self.problems = [problem for problem in self.problems if text not in problem]

    def screenshot(self, name: str) -> Path:
        """Keep what the page looks like."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a page; at the end no page may have said an error or asked another host for anything."""
    visits: list[Visit] = []

    def go(url: str, device: Device = "desktop", scheme: Scheme = "light", *, live: bool = True) -> Visit:
        context = context_of(chromium, device, scheme)
        visit = Visit(context.new_page())
        visits.append(visit)
        visit.page.on("pageerror", lambda error: visit.problems.append(f"error: {error}"))
        visit.page.on(
            "console",
            # What the browser itself logs about a server that is away is what these tests bring about.
            lambda message: (
                visit.problems.append(f"{message.type}: {message.text}")
                if message.type in ("error", "warning") and not any(text in message.text for text in EXPECTED)
                else None
            ),
        )
        visit.page.on("request", lambda request: visit.addresses.add(request.url))
        visit.page.goto(url)
        if live:
            visit.until_connection("live")
        return visit

    yield go
    problems = [problem for visit in visits for problem in visit.problems]
    addresses = {address for visit in visits for address in visit.addresses}
    for visit in visits:
        visit.page.context.close()
    assert problems == []
    assert [a for a in addresses if not a.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))] == []


@pytest.fixture(scope="session")
def world(servers: Servers) -> Iterator[Pipeline]:
    """The whole map, filled once by the fetcher, which then is stopped: nothing changes but by the test's hand."""
    with servers.weather(region="global", interval_seconds=600) as prepared:
        prepared.start_all()
        # A map counts as there a few cells before it is whole, and the fetcher may still be at them.
        prepared.until(prepared.filled, seconds=60, what="every cell of the map")
        prepared.processes["fetcher"].stop()
        yield prepared
