"""The simulator against what Open-Meteo answers: the same files that the fetcher is tested with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from isotherm_simulator.app import Simulator, create_app
from isotherm_simulator.faults import FaultBox
from isotherm_simulator.metrics import Metrics

if TYPE_CHECKING:
    from isotherm_simulator.weather import Weather

FOLDER = Path(__file__).parents[3] / "tests" / "contracts" / "open_meteo"
SHORTENED = {"too_many_locations"}
"""Files whose request is not the one that was refused: `test_query` asks for as many."""
ANSWERS = sorted(
    path
    for path in FOLDER.glob("*.json")
    if path.stem not in SHORTENED and json.loads(path.read_text(encoding="utf-8"))["status"] in {200, 400}
)


def shape(value: Any) -> Any:
    """Reduce a document to its keys in order, its texts' and numbers' types, and what units it names."""
    if isinstance(value, dict):
        return [(key, value[key] if key.endswith("_units") else shape(value[key])) for key in value]
    if isinstance(value, list):
        return ["object", *map(shape, value)] if value and isinstance(value[0], dict) else ("list", len(value))
    return type(value).__name__ if not isinstance(value, int | float | None) or isinstance(value, bool) else "number"


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
async def test_an_answer_has_open_meteos_shape(weather: Weather, path: Path) -> None:
    """The same status, keys, order and units; refusals word by word."""
    expected = json.loads(path.read_text(encoding="utf-8"))  # noqa: ASYNC240 - nothing else waits
    simulator = Simulator(weather=weather, faults=FaultBox(), metrics=Metrics(CollectorRegistry()))
    answer = await create_app(simulator).test_client().post("/v1/forecast", form=expected["request"])
    body = await answer.get_json()
    assert answer.status_code == expected["status"]
    if expected["status"] == 200:
        assert shape(body) == shape(expected["body"])
    else:
        assert body == expected["body"]
