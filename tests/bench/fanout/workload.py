"""What both servers send: 1,000 of 10,000 cells change, again and again."""

from __future__ import annotations

import math

GRID = 10_000
VALID_AT, FETCHED_AT, SOURCE = 1795535100, 1795535662, 2
DIRECTION, WIND = 230.0, 4.0


def position(cell: int) -> tuple[float, float]:
    """Return latitude and longitude of a cell, in degrees."""
    return 1.7 * (cell // 100) - 84.15, 3.6 * (cell % 100) - 180


def temperature(cell: int, change: int) -> float:
    """Return a cell's temperature after so many changes, in °C."""
    return 30 * math.cos(math.radians(position(cell)[0])) - 12 + change / 10


def changed_cells(change: int, count: int) -> list[int]:
    """Return which cells a change touches."""
    return [(change * count + cell) % GRID for cell in range(count)]
