"""Geometry as documents (contract D9): always its SRID and WKB, and GeoJSON where MongoDB's 2dsphere can use it.

MySQL stores longitude before latitude whatever order the reference system has, which is GeoJSON's order too. Only SRID
4326 is what GeoJSON means by its coordinates.
"""

from __future__ import annotations

import itertools
import struct
from typing import Any

from isotherm_cdc.errors import DataError

_WGS84 = 4326
_SRID_BYTES = 4
_COUNT = struct.Struct("<I")
_POINT = struct.Struct("<2d")
_NAMES = {
    1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon",
    7: "GeometryCollection",
}  # fmt: skip
_POINT_TYPE, _LINE, _POLYGON, _COLLECTION = 1, 2, 3, 7
_SMALLEST_BYTES = 9
_LITTLE_ENDIAN = 1
_RING_POINTS = 4
_LINE_POINTS = 2

Point = list[float]


def document(data: bytes) -> dict[str, Any]:
    """Return the document of a geometry in MySQL's form (SRID and WKB).

    Raises:
        DataError: the bytes are no geometry.
    """
    if len(data) < _SRID_BYTES:
        message = f"the bytes {data.hex()} are no geometry"
        raise DataError(message)
    srid = int.from_bytes(data[:_SRID_BYTES], "little", signed=True)
    wkb = data[_SRID_BYTES:]
    result: dict[str, Any] = {"srid": srid, "wkb": wkb}
    if srid == _WGS84 and (found := geojson(wkb)) is not None:
        result["geojson"] = found
    return result


def geojson(wkb: bytes) -> dict[str, Any] | None:
    """Return GeoJSON, or None when MongoDB has none for it (empty, nested or degenerate)."""
    try:
        found, end = _geometry(wkb, 0, nested=False)
    except (struct.error, IndexError, _NoGeojson):
        return None
    return found if end == len(wkb) else None


class _NoGeojson(Exception):  # noqa: N818 - it names the outcome
    """The geometry is valid, but not as GeoJSON."""


def _geometry(wkb: bytes, at: int, *, nested: bool) -> tuple[dict[str, Any], int]:
    kind, at = _header(wkb, at)
    name = _NAMES.get(kind)
    if name is None or (nested and kind == _COLLECTION):
        raise _NoGeojson
    if kind == _COLLECTION:
        count, at = _count(wkb, at)
        members = []
        for _ in range(count):
            member, at = _geometry(wkb, at, nested=True)
            members.append(member)
        return {"type": name, "geometries": members}, at
    if kind in _SIMPLE:
        coordinates, at = _SIMPLE[kind](wkb, at)
        return {"type": name, "coordinates": coordinates}, at
    count, at = _count(wkb, at)
    parts = []
    for _ in range(count):
        _, at = _header(wkb, at)
        part, at = _SIMPLE[kind - 3](wkb, at)
        parts.append(part)
    return {"type": name, "coordinates": parts}, at


def _header(wkb: bytes, at: int) -> tuple[int, int]:
    if wkb[at] != _LITTLE_ENDIAN:
        raise _NoGeojson
    return _COUNT.unpack_from(wkb, at + 1)[0], at + 5


def _count(wkb: bytes, at: int) -> tuple[int, int]:
    count = _COUNT.unpack_from(wkb, at)[0]
    if not count or count * _SMALLEST_BYTES > len(wkb):
        raise _NoGeojson
    return count, at + 4


def _point(wkb: bytes, at: int) -> tuple[Point, int]:
    return list(_POINT.unpack_from(wkb, at)), at + _POINT.size


def _points(wkb: bytes, at: int, fewest: int) -> tuple[list[Point], int]:
    count, at = _count(wkb, at)
    points = []
    for _ in range(count):
        point, at = _point(wkb, at)
        points.append(point)
    distinct = sum(one != other for one, other in itertools.pairwise(points))
    if distinct + 1 < fewest:
        raise _NoGeojson
    return points, at


def _line(wkb: bytes, at: int) -> tuple[list[Point], int]:
    return _points(wkb, at, _LINE_POINTS)


def _polygon(wkb: bytes, at: int) -> tuple[list[list[Point]], int]:
    count, at = _count(wkb, at)
    rings = []
    for _ in range(count):
        ring, at = _points(wkb, at, _RING_POINTS)
        if ring[0] != ring[-1]:
            raise _NoGeojson
        rings.append(ring)
    return rings, at


_SIMPLE: dict[int, Any] = {_POINT_TYPE: _point, _LINE: _line, _POLYGON: _polygon}
