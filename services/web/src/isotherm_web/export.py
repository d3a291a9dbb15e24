"""The map as a CSV file, in the units that were asked for (contract H9). Pure."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

from isotherm_web.rows import LAYERS, SOURCES, unscaled
from isotherm_web.units import TEMPERATURE, WIND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isotherm_web.geometry import Location
    from isotherm_web.rows import Row

_SOURCE_NAMES = {number: name for name, number in SOURCES.items()}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_DIGITS = 1


def encode_csv(rows: Iterable[tuple[Location, Row]], temperature: str, wind: str) -> bytes:
    """Return one line for each location, empty where there is no value; the header names the units."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            *("location_id", "name", "latitude", "longitude", "valid_at"),
            *(f"{LAYERS[0]}_{temperature}", f"{LAYERS[1]}_{wind}", f"{LAYERS[2]}_degrees"),
            *("source", "fetched_at"),
        ]
    )
    for place, row in rows:
        degrees_c, speed, direction = (unscaled(value) for value in row.values)
        writer.writerow(
            [
                place.id,
                _text(place.name),
                place.latitude,
                place.longitude,
                _iso(row.valid_at),
                "" if degrees_c is None else round(TEMPERATURE[temperature](degrees_c), _DIGITS),
                "" if speed is None else round(WIND[wind](speed), _DIGITS),
                "" if direction is None else direction,
                _SOURCE_NAMES.get(row.source, ""),
                _iso(row.fetched_at),
            ]
        )
    return out.getvalue().encode()


def _text(name: str | None) -> str:
    """Return a name that no spreadsheet takes for a formula."""
    if name is None:
        return ""
    return f"'{name}" if name.startswith(_FORMULA_STARTS) else name


def _iso(seconds: int) -> str:
    return "" if seconds == 0 else dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
