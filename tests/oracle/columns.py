"""How one column is rendered as canonical text: by MySQL on one side, from BSON on the other."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import struct
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from bson import Binary, Decimal128, Int64

if TYPE_CHECKING:
    from collections.abc import Callable

_EXACT = Context(prec=100)
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - MySQL's DATETIME has no zone; BSON dates are read naive too
INT32_TYPES = {"tinyint", "smallint", "mediumint", "year"}
TEXT_TYPES = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
BYTE_TYPES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
GEOMETRY_TYPES = {
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geomcollection",
}  # fmt: skip


class Mismatch(ValueError):  # noqa: N818 - a finding, not a failure
    """A BSON value is not of the type that the contract names."""


@dataclass(frozen=True)
class Column:
    """A column as information_schema describes it."""

    name: str
    data_type: str
    column_type: str
    fraction_digits: int
    precision: int
    charset: str = ""

    @property
    def field(self) -> str:
        """The column's name in documents."""
        without = self.name.lstrip("_")
        taken = without.startswith("$") or (self.name.startswith("_") and without in ("id", "cdc"))
        return "_" + self.name if taken else self.name

    @property
    def sql(self) -> str:  # noqa: PLR0911 - one return for each family of types
        """The SQL expression whose text is compared (after `from_mysql`)."""
        name = "`" + self.name.replace("`", "``") + "`"
        if self.data_type in TEXT_TYPES:
            text = f"CONVERT({name} USING utf8mb4)"
            marks = "CHAR_LENGTH({0}) - CHAR_LENGTH(REPLACE({0}, '?', ''))"
            unknown = f"{text} IS NULL OR {marks.format(text)} > {marks.format(name)}"
            if not self.charset.startswith(("utf", "ucs", "gb18030")):
                unknown += f" OR LOCATE(_utf8mb4 X'EFBFBD', {text} COLLATE utf8mb4_bin) > 0"
            return f"IF({unknown}, CONCAT('bytes ', HEX({name})), HEX({text}))"
        if self.data_type in GEOMETRY_TYPES:
            return f"CONCAT(HEX({name}), IF(ST_SRID({name}) = 4326, ST_AsGeoJSON({name}), ''))"
        if self.data_type in BYTE_TYPES | {"vector"}:
            return f"HEX({name})"
        if self.data_type == "bit":
            return f"CAST(CAST({name} AS UNSIGNED) AS CHAR)"
        if self.data_type == "year" or self.data_type.endswith("int"):
            return f"CAST({name} + 0 AS CHAR)"
        if self.data_type == "enum":
            return f"CONCAT({name} + 0, ' ', CAST({name} AS CHAR))"
        if self.data_type in ("float", "double"):
            # As text it would have 22 characters at most, and a DOUBLE(10,2) two digits after the point.
            return f"CAST({name} AS DOUBLE)"
        if self.has_empty_label:
            return f"CONCAT({name} + 0 >> {self.labels.index('')} & 1, ' ', CAST({name} AS CHAR))"
        return f"CAST({name} AS CHAR)"

    @property
    def has_empty_label(self) -> bool:
        """Whether it is a SET with the empty string for a label: MySQL's text does not tell whether that is in it."""
        return self.data_type == "set" and "" in self.labels

    @property
    def labels(self) -> list[str]:
        """The labels of an ENUM or SET as far as information_schema tells them."""
        return re.findall(r"[(,]'((?:[^']|'')*)'", self.column_type)

    def from_mysql(self, value: str | float | None) -> str | None:
        """Bring MySQL's text or number into canonical form."""
        if value is None:
            return None
        if isinstance(value, float):
            return repr(value)
        return self._from_text(value)

    def _from_text(self, text: str) -> str | None:
        if self.data_type == "enum":
            index, _, label = text.partition(" ")
            return "index 0" if index == "0" and "" in self.labels else label
        if (self.data_type, text) == ("json", "null"):
            return None
        if self.has_empty_label:
            return re.sub(r"(?<= ),+|,+(?=,)|,+$", "", text)
        if self.data_type == "decimal" and "zerofill" in self.column_type:
            return re.sub(r"^0+(?=\d)", "", text)
        return _FROM_MYSQL.get(self.data_type, str)(text)

    def from_bson(self, value: Any) -> str | None:
        """Render a BSON value as canonical text, checking its type against the contract.

        Raises:
            Mismatch: the type is another than the contract names.
        """
        return None if value is None else _renderer(self)(self, value)

    def from_key(self, value: Any, beside: str | None) -> str | None:
        """Render the column's part of `_id`; `beside` is how the column itself was rendered.

        Raises:
            Mismatch: the type is another than the contract names.
        """
        if self.has_empty_label:
            _expect(value, Int64, "int64")
            return _set(self, [label for bit, label in enumerate(self.labels) if value >> bit & 1])
        if self.data_type == "set":
            _expect(value, str, "string")
            return str(value)
        text = self.from_bson(value)
        return beside if (text, beside) == ("0.0", "-0.0") else text


def _without_idle_fraction(text: str) -> str:
    return re.sub(r"\.?0+$", "", text) if "." in text else text


def _microseconds(text: str) -> str:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = text.lstrip("-").split(":")
    whole, _, fraction = seconds.partition(".")
    total = (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 1_000_000 + int(fraction.ljust(6, "0") or 0)
    return str(sign * total)


def _canonical_json(text: str) -> str:
    return _dump(json.loads(text, parse_float=Decimal))


def _dump(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_dump(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dump, value)) + "]"
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value)
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if len(number.as_tuple().digits) > 34:
        return json.dumps(format(number, "f"))
    return format(number.normalize(_EXACT), "f")


def _geometry_text(text: str) -> str:
    stored, brace, rest = text.partition("{")
    found = json.loads(brace + rest) if brace else None
    return stored + (_dump(found) if found and _indexable(found) else "")


def _indexable(geometry: dict[str, Any]) -> bool:
    """Whether MongoDB can index it: nothing empty, no collection in a collection, no line or ring of too few points."""
    kind, name = geometry["coordinates" if "coordinates" in geometry else "geometries"], geometry["type"]
    if not kind:
        return False
    if name == "GeometryCollection":
        return all(part["type"] != name and _indexable(part) for part in kind)
    lines = {"LineString": [kind], "MultiLineString": kind, "Polygon": kind}.get(name, [])
    lines = [ring for polygon in kind for ring in polygon] if name == "MultiPolygon" else lines
    fewest = 4 if "Polygon" in name else 2
    return all(1 + sum(a != b for a, b in itertools.pairwise(line)) >= fewest for line in lines)


_FROM_MYSQL: dict[str, Callable[[str], str]] = {
    "datetime": _without_idle_fraction,
    "timestamp": _without_idle_fraction,
    "time": _microseconds,
    "json": _canonical_json,
    **dict.fromkeys(GEOMETRY_TYPES, _geometry_text),
}


def _expect(value: Any, kind: type | tuple[type, ...], what: str) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        message = f"{type(value).__name__} {value!r} where the contract names {what}"
        raise Mismatch(message)


def _int32(_: Column, value: Any) -> str:
    _expect(value, int, "int32")
    if isinstance(value, Int64):
        message = f"int64 {value!r} where the contract names int32"
        raise Mismatch(message)
    return str(value)


def _int64(_: Column, value: Any) -> str:
    _expect(value, Int64, "int64")
    return str(int(value))


def _unsigned64(_: Column, value: Any) -> str:
    if isinstance(value, Decimal128):
        return format(value.to_decimal(), "f")
    return _int64(_, value)


def _double(_: Column, value: Any) -> str:
    _expect(value, float, "double")
    return repr(value)


def _decimal(column: Column, value: Any) -> str:
    if column.precision > 34:
        _expect(value, str, "string")
        return str(value)
    _expect(value, Decimal128, "Decimal128")
    return format(value.to_decimal(), "f")


def _date(_: Column, value: Any) -> str:
    if isinstance(value, str):
        return value
    _expect(value, dt.datetime, "date")
    return value.strftime("%Y-%m-%d").rjust(10, "0")


def _moment(column: Column, value: Any) -> str:
    if isinstance(value, str):
        return _without_idle_fraction(value)
    if column.fraction_digits > 3:
        _expect(value, Int64, "int64 µs")
        value = EPOCH + dt.timedelta(microseconds=int(value))
    _expect(value, dt.datetime, "date")
    return _without_idle_fraction(value.isoformat(sep=" ", timespec="microseconds"))


def _text(_: Column, value: Any) -> str:
    if isinstance(value, Binary) and value.subtype == 128:
        return "bytes " + value.hex().upper()
    _expect(value, str, "string")
    return value.encode().hex().upper()


def _bytes(_: Column, value: Any) -> str:
    _expect(value, bytes, "binary")
    return value.hex().upper()


def _label(_: Column, value: Any) -> str:
    if value == 0 and not isinstance(value, str):
        return "index 0"
    _expect(value, str, "string")
    return str(value)


def _set(column: Column, value: Any) -> str:
    _expect(value, list, "array")
    if column.has_empty_label:
        return f"{int('' in value)} {','.join(filter(None, value))}"
    return ",".join(value)


def _geometry(_: Column, value: Any) -> str:
    _expect(value, dict, "document {srid, wkb}")
    stored = (struct.pack("<I", value["srid"]) + bytes(value["wkb"])).hex().upper()
    if list(value) != ["srid", "wkb", "geojson"][: len(value)]:
        message = f"fields {list(value)} where the contract names srid, wkb and geojson"
        raise Mismatch(message)
    return stored + (_dump(value["geojson"]) if "geojson" in value else "")


def _vector(_: Column, value: Any) -> str:
    _expect(value, Binary, "BSON vector")
    return struct.pack(f"<{len(value.as_vector().data)}f", *value.as_vector().data).hex().upper()


def _json(_: Column, value: Any) -> str:
    return _dump(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.to_decimal() if isinstance(value, Decimal128) else value


_RENDERERS: dict[str, Callable[[Column, Any], str]] = {
    "bigint": _int64, "bit": _unsigned64, "float": _double, "double": _double, "decimal": _decimal, "date": _date,
    "datetime": _moment, "timestamp": _moment, "time": _int64, "enum": _label, "set": _set, "json": _json,
    "vector": _vector,
    **dict.fromkeys(INT32_TYPES, _int32),
    **dict.fromkeys(TEXT_TYPES, _text),
    **dict.fromkeys(BYTE_TYPES, _bytes),
    **dict.fromkeys(GEOMETRY_TYPES, _geometry),
}  # fmt: skip


def _renderer(column: Column) -> Callable[[Column, Any], str]:
    unsigned = "unsigned" in column.column_type
    if column.data_type == "int":
        return _int64 if unsigned else _int32
    if column.data_type == "bigint" and unsigned:
        return _unsigned64
    return _RENDERERS[column.data_type]
