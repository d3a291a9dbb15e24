"""The HTTP API against its own description: whatever is asked, the answer is one that the document allows."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from prometheus_client import CollectorRegistry

from isotherm_web.app import create_app
from isotherm_web.geometry import Location
from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.rows import Row
from isotherm_web.settings import HubSettings, ServerSettings
from isotherm_web.state import GridState


class Answers:
    """Answers for any location, without MongoDB."""

    async def history(self, *_: Any) -> list[dict[str, Any]]:
        """Return one value."""
        return [{"valid_at": 10**15, "source": "open-meteo", "temperature_2m": 1.5, "wind_speed_10m": None}]

    async def forecast(self, location: int) -> dict[str, Any] | None:
        """Return a forecast of every second location."""
        return {"issued_at": 10**15, "valid_at": [1], "temperature_2m": [None]} if location % 2 else None


def _app() -> Any:
    hub = Hub(HubSettings(), Metrics(CollectorRegistry()), version="0")
    places = {identity: Location(identity, 0.0, float(identity)) for identity in (0, 1, 2)}
    hub.replace(GridState("0" * 31 + "1", 5, locations=places, rows={1: Row(3, 7, 8, 1, (1, 2, 3))}))
    return create_app(hub, Answers(), Metrics(CollectorRegistry()), ServerSettings(), version="0")  # type: ignore[arg-type]


schema = schemathesis.openapi.from_asgi("/openapi.json", _app())


@pytest.mark.contract("H5", "H7")
@schema.parametrize()
def test_answers_fit_the_document(case: Any) -> None:
    """Status, content type and shape of every answer are as described, whatever the parameters."""
    case.call_and_validate()
