"""The units that values can be asked for in; inside the service everything is in SI units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_web.errors import BadQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BEAUFORT_FROM = (0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7)
"""Speeds in m/s at which each Beaufort force from 1 to 12 begins."""


def _beaufort(value: float) -> float:
    return sum(value >= limit for limit in _BEAUFORT_FROM)


TEMPERATURE: Mapping[str, Callable[[float], float]] = {
    "celsius": lambda value: value,
    "fahrenheit": lambda value: value * 1.8 + 32,
}
WIND: Mapping[str, Callable[[float], float]] = {
    "mps": lambda value: value,
    "kmh": lambda value: value * 3.6,
    "mph": lambda value: value * 3600 / 1609.344,
    "knots": lambda value: value * 3600 / 1852,
    "beaufort": _beaufort,
}


def choose(name: str, value: str | None, known: Mapping[str, Callable[[float], float]]) -> str:
    """Return the unit that parameter `name` asks for, the SI one without it.

    Raises:
        BadQuery: there is no such unit.
    """
    if value is None:
        return next(iter(known))
    if value not in known:
        message = f"{name} must be one of {', '.join(known)}, not {value[:40]!r}."
        raise BadQuery(message)
    return value
