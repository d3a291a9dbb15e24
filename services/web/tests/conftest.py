"""What the unit tests of the web service share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from uvicorn.server import ServerState

from isotherm_web.app import create_app
from isotherm_web.geometry import Location
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.rows import Row
from isotherm_web.server import make_server
from isotherm_web.settings import HubSettings
from isotherm_web.state import GridState

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.settings import ServerSettings
    from web_support.transport import Transport

STREAM = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of their own registry."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def state() -> GridState:
    """Two cells at seq 41, the second without data."""
    return GridState(
        stream=STREAM,
        seq=41,
        locations={1: Location(1, 50.0, 10.0, "Here"), 2: Location(2, 50.0, 20.0)},
        rows={1: Row(40, 1795535100, 1795535662, 1, (113, 42, 2310))},
    )


@pytest.fixture
def settings() -> HubSettings:
    """Small limits, so that tests meet them."""
    return HubSettings(maximum_connections=3, maximum_connections_per_address=2, inbound_burst=4)


@pytest.fixture
def hub(settings: HubSettings, metrics: Metrics, state: GridState) -> Hub:
    """A hub that serves the state; no jitter, and a wall clock that stands still."""
    made = Hub(
        settings, metrics, version="0", wall_clock=lambda: 1795535700.5, uniform=lambda low, high: (low + high) / 2
    )
    made.replace(state)
    return made


@pytest.fixture
def bring(hub: Hub, metrics: Metrics) -> Callable[..., ServerState]:
    """Connects a transport to a new server with some settings; returns what that server knows of its connections."""

    def connected(transport: Transport, settings: ServerSettings) -> ServerState:
        app = create_app(hub, None, metrics, settings, version="0")  # type: ignore[arg-type]
        config = make_server(app, hub, metrics, settings).config
        config.load()
        state = ServerState()
        made: Any = config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
        transport.protocol = made
        made.connection_made(transport)
        return state

    return connected
