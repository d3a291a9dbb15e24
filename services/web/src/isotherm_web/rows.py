"""One location's latest weather, as browsers need it: int16 scaled by ten, times in Unix seconds."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LAYERS = ("temperature_2m", "wind_speed_10m", "wind_direction_10m")
"""The layers of the map, in the order in which they are sent."""

NULL = -32768
"""How a missing value is written."""

SCALE = 10
SOURCES = {"open-meteo": 1, "simulator": 2}
_LARGEST = 3276.7
_MICROSECONDS = 1_000_000
_LARGEST_TIME = 2**32 - 1


class Row(NamedTuple):
    """What is known of a location; without data `valid_at`, `fetched_at` and `source` are 0 and the values `NULL`.

    Attributes:
        seq: the batch that wrote, or deleted, the row.
        valid_at: the model time that the values are for.
        fetched_at: when they were fetched.
        source: 0 none, 1 open-meteo, 2 simulator.
        values: one for each of `LAYERS`.
    """

    seq: int
    valid_at: int = 0
    fetched_at: int = 0
    source: int = 0
    values: tuple[int, ...] = (NULL,) * len(LAYERS)

    @property
    def empty(self) -> bool:
        """Whether there is no data."""
        return self.valid_at == 0


NO_ROW = Row(0)
"""The row of a location that never had one."""


def scaled(value: Any) -> int:
    """Return `value` times ten as an int16, `NULL` for what is no finite number."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return NULL
    return round(max(-_LARGEST, min(_LARGEST, value)) * SCALE)


def unscaled(value: int) -> float | None:
    """Return the number that `value` stands for."""
    return None if value == NULL else value / SCALE


def unix_seconds(value: Any) -> int:
    """Return a BSON date or µs since 1970 (contract D7) as whole seconds, 0 for anything else."""
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        seconds = int(aware.timestamp())
    elif isinstance(value, int):
        seconds = int(value) // _MICROSECONDS
    else:
        return 0
    return max(0, min(_LARGEST_TIME, seconds))


def decode_row(seq: int, fields: Mapping[str, Any], base: Row | None = None) -> Row:
    """Make the row of a `weather_data` document.

    Args:
        seq: the batch that it belongs to.
        fields: the document, or with `base` only what changed in it.
        base: the row before.
    """
    if base is None:
        return Row(
            seq,
            unix_seconds(fields.get("valid_at")),
            unix_seconds(fields.get("fetched_at")),
            SOURCES.get(fields.get("source", ""), 0),
            tuple([scaled(fields.get(layer)) for layer in LAYERS]),
        )
    return Row(
        seq,
        unix_seconds(fields["valid_at"]) if "valid_at" in fields else base.valid_at,
        unix_seconds(fields["fetched_at"]) if "fetched_at" in fields else base.fetched_at,
        SOURCES.get(fields["source"], 0) if "source" in fields else base.source,
        tuple(
            scaled(fields[layer]) if layer in fields else old for layer, old in zip(LAYERS, base.values, strict=True)
        ),
    )
