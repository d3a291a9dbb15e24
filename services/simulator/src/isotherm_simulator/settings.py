"""The simulator's settings; the only reader of the environment."""

from __future__ import annotations

import json
from dataclasses import dataclass

from isotherm_common.observability import ObservabilitySettings
from isotherm_common.settings import LogSettings, group, setting
from isotherm_simulator.errors import BadRequestError
from isotherm_simulator.faults import Fault, read


@dataclass(frozen=True)
class SimulatorObservability(ObservabilitySettings):
    """Where the simulator's metrics and health are served."""

    port: int = setting("METRICS_PORT", default=9104, minimum=0, maximum=65535, help="Their port; 0: any free one.")


def _wrong_with_faults(text: str) -> str | None:
    try:
        parse_faults(text)
    except ValueError:
        return 'must be a JSON list of faults, such as [{"kind": "overloaded", "probability": 0.05}]'
    except BadRequestError as error:
        return f"is wrong: {str(error).rstrip('.')}"
    return None


def parse_faults(text: str) -> list[Fault]:
    """Read the faults that are on from the start.

    Raises:
        ValueError: the text is no JSON list.
        BadRequestError: an element is no fault.
    """
    documents = json.loads(text)
    if not isinstance(documents, list):
        message = "no list"
        raise ValueError(message)  # noqa: TRY004 - it is about the text
    return [read(document) for document in documents]


@dataclass(frozen=True)
class Settings:
    """Everything that can be set."""

    host: str = setting("SIMULATOR_HOST", default="0.0.0.0", help="Address that forecasts are served on.")  # noqa: S104
    port: int = setting("SIMULATOR_PORT", default=8090, minimum=0, maximum=65535, help="Their port; 0: any free one.")
    seed: int = setting("SIMULATOR_SEED", default=0, minimum=0, help="Another seed is another weather.")
    speed: float = setting(
        "SIMULATOR_SPEED",
        default=1.0,
        minimum=0.1,
        maximum=1000.0,
        help="How many times faster than real the weather moves; 20 makes a demonstration lively.",
    )
    quota: bool = setting(
        "SIMULATOR_QUOTA",
        default=True,
        help="Whether each client has Open-Meteo's free quota; off is like a host of one's own.",
    )
    minutely_limit: float = setting("SIMULATOR_MINUTELY_LIMIT", default=600, minimum=0, help="Weight a minute.")
    hourly_limit: float = setting("SIMULATOR_HOURLY_LIMIT", default=5000, minimum=0, help="Weight an hour.")
    daily_limit: float = setting("SIMULATOR_DAILY_LIMIT", default=10000, minimum=0, help="Weight a UTC day.")
    concurrent_requests: int = setting(
        "SIMULATOR_CONCURRENT_REQUESTS",
        default=5,
        minimum=1,
        help="Requests of one client that run or wait at once; one of them runs, one more is refused.",
    )
    faults: str = setting(
        "SIMULATOR_FAULTS",
        default="[]",
        check=_wrong_with_faults,
        help="Faults that are on from the start: a JSON list of what POST /faults takes.",
    )
    observability: SimulatorObservability = group(SimulatorObservability)
    log: LogSettings = group(LogSettings)
