"""Faults on demand: what a client of Open-Meteo must live with, made to happen."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from isotherm_simulator.errors import BadRequestError
from isotherm_simulator.quota import DAILY, HOURLY, MINUTELY, TOO_MANY_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Mapping

OVERLOADED = "The service is overloaded"
REASONS = {
    "minutely_limit": MINUTELY.reason,
    "hourly_limit": HOURLY.reason,
    "daily_limit": DAILY.reason,
    "concurrent": TOO_MANY_AT_ONCE,
    "overloaded": OVERLOADED,
}
"""The faults that refuse a request, and what they say."""
ENDINGS = (*REASONS, "stream_error", "garbage", "drop", "single_object")
"""A request meets one of these at most."""
ADDITIONS = ("slow", "nulls")
"""These may be added to another one."""
KINDS = (*ENDINGS, *ADDITIONS)
LATE_ERROR = "Unexpected error while streaming data: timeoutReached"
GARBAGE = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        kind: one of `KINDS`.
        count: how often it still happens; None: until it is cleared.
        probability: with which it meets a request.
        seconds: how long `slow` waits.
        fraction: of the values that `nulls` takes away.
    """

    kind: str
    count: int | None = None
    probability: float = 1.0
    seconds: float = 5.0
    fraction: float = 0.2


def read(document: Any) -> Fault:
    """Read a fault from JSON.

    Raises:
        BadRequestError: it is none.
    """
    if not isinstance(document, dict) or document.get("kind") not in KINDS:
        message = f"A fault is an object whose 'kind' is one of {', '.join(KINDS)}."
        raise BadRequestError(message)
    unknown = set(document) - {"kind", "count", "probability", "seconds", "fraction"}
    if unknown:
        message = f"A fault has 'kind', 'count', 'probability', 'seconds' and 'fraction', but no {min(unknown)!r}."
        raise BadRequestError(message)
    count = document.get("count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        message = "'count' must be a whole number of at least 1."
        raise BadRequestError(message)
    return Fault(
        kind=document["kind"],
        count=count,
        probability=_number(document, "probability", Fault.probability, 1.0),
        seconds=_number(document, "seconds", Fault.seconds, 3600.0),
        fraction=_number(document, "fraction", Fault.fraction, 1.0),
    )


def _number(document: Mapping[str, Any], name: str, default: float, largest: float) -> float:
    value = document.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest:
        message = f"{name!r} must be a number from 0 to {largest:g}."
        raise BadRequestError(message)
    return float(value)


class FaultBox:
    """The faults that are on, and how often each has happened.

    Args:
        seed: of the draws, so that a test meets the same faults each time.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - for repeatable tests, not for secrets
        self._faults: dict[int, Fault] = {}
        self._next = 1
        self.happened: Counter[str] = Counter()

    def add(self, fault: Fault) -> dict[str, Any]:
        """Turn a fault on and return it as JSON, with its id."""
        number, self._next = self._next, self._next + 1
        self._faults[number] = fault
        return {"id": number, **asdict(fault)}

    def listed(self) -> list[dict[str, Any]]:
        """Return the faults that are on as JSON."""
        return [{"id": number, **asdict(fault)} for number, fault in self._faults.items()]

    def clear(self, number: int | None = None) -> bool:
        """Turn one fault off, or all of them; answer whether there was one."""
        if number is None:
            found, self._faults = bool(self._faults), {}
            return found
        return self._faults.pop(number, None) is not None

    def draw(self) -> list[Fault]:
        """Return what the next request meets, in the order in which the faults were turned on."""
        met: list[Fault] = []
        for number, fault in list(self._faults.items()):
            if fault.kind in ENDINGS and any(other.kind in ENDINGS for other in met):
                continue
            if self._random.random() >= fault.probability:
                continue
            met.append(fault)
            self.happened[fault.kind] += 1
            if fault.count == 1:
                del self._faults[number]
            elif fault.count is not None:
                self._faults[number] = replace(fault, count=fault.count - 1)
        return met

    def take_away(self, answers: list[dict[str, Any]], fraction: float) -> None:
        """Replace a share of the values in answers by null."""
        for answer in answers:
            for section in ("current", "current_weather", "hourly"):
                for name, value in answer.get(section, {}).items():
                    if name in {"time", "interval"}:
                        continue
                    answer[section][name] = (
                        [None if self._random.random() < fraction else item for item in value]
                        if isinstance(value, list)
                        else (None if self._random.random() < fraction else value)
                    )
