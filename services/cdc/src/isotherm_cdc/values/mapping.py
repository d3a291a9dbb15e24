"""From MySQL's values to BSON's: the one table that both ways into MongoDB use (contracts D2 to D9).

Each kind of column has a `Rule`. Row events go through `Rule.decode`, rows that a snapshot selects go through
`Rule.select` and `Rule.convert`; what comes out is the same value. docs/type-mapping.md is made from this table.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isotherm_cdc.values import actions, decimals, geometry, json_values, labels, readers, temporal
from isotherm_cdc.values.charsets import decoder as text_decoder
from isotherm_cdc.values.columns import Column, Kind
from isotherm_cdc.values.readers import Convert, Decode, Extent, decode_fixed, decode_prefixed, fixed, prefixed

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Rule:
    """How columns of one kind are read.

    Attributes:
        mysql: the types that it is for.
        bson: what they become.
        decode: given the column, the function that reads its value at a position of a row event and returns it with
            the position after it.
        extent: given the column, the function that returns the position after its value without reading it.
        convert: given the column, the function that reads what MySQL prints for `select`.
        select: the SQL expression to select, made from the column's quoted name.
        order: the SQL expression that a key is ordered and compared by.
        cursor: the SQL expression whose text, as a literal, `order` is compared with; `order` itself when empty.
    """

    mysql: str
    bson: str
    decode: Callable[[Column], Decode]
    extent: Callable[[Column], Extent]
    convert: Callable[[Column], Convert]
    select: str = "{name}"
    order: str = "{name}"
    cursor: str = ""


def select_of(column: Column, name: str) -> str:
    """Return the SQL expression to select for a column, given its quoted name."""
    if column.kind is Kind.EXCLUDED:
        return "NULL"
    template = _WITH_LABELS if labels.are_doubtful(column.plain) else RULES[column.plain.kind].select
    return template.format(name=name)


def order_of(column: Column, name: str) -> str:
    """Return the SQL expression that a key's column is ordered and compared by, given its quoted name."""
    return RULES[column.plain.kind].order.format(name=name)


def cursor_of(column: Column, name: str) -> str:
    """Return the SQL expression to select for what `order_of` is compared with, given the column's quoted name."""
    rule = RULES[column.plain.kind]
    return (rule.cursor or rule.order).format(name=name)


def changed(column: Column, value: Any) -> Any:
    """Return the value of a column, read as the table has it, as its override wants it."""
    return actions.change(column)(value) if column.kind is Kind.OVERRIDDEN else value


def _convert_integer(column: Column) -> Convert:
    wrap = readers.integer_type(column)
    return lambda text: wrap(int(text))


def _convert_decimal(column: Column) -> Convert:
    precision, scale = column.precision, column.scale
    return lambda text: decimals.value(decimals.parse(text.decode(), scale), precision, scale)


def _convert_moment(column: Column) -> Convert:
    digits = column.fraction_digits
    return lambda text: temporal.parse_datetime(text.decode(), digits)


def _text(column: Column) -> Convert:
    return text_decoder(column.charset)


def _read_enum(column: Column) -> Convert:
    label = readers.enum_index(column)
    return lambda data: label(int.from_bytes(data, "little"))


def _convert_enum(column: Column) -> Convert:
    if labels.are_doubtful(column):
        return labels.enum_beside(column)
    label = readers.enum_index(column)
    return lambda text: label(int(text))


def _read_set(column: Column) -> Convert:
    members = readers.set_bits(column)
    return lambda data: members(int.from_bytes(data, "little"))


def _convert_set(column: Column) -> Convert:
    if labels.are_doubtful(column):
        return labels.set_beside(column)
    members = readers.set_bits(column)
    return lambda text: members(int(text))


def _same(_: Column) -> Convert:
    return bytes


def _geometry(_: Column) -> Convert:
    return geometry.document


def _source(column: Column) -> Column:
    assert column.source is not None
    return column.source


def _decode_overridden(column: Column) -> Decode:
    decode, change = RULES[_source(column).kind].decode(_source(column)), actions.change(column)

    def decode_value(data: bytes, at: int) -> tuple[Any, int]:
        value, at = decode(data, at)
        return change(value), at

    return decode_value


def _convert_overridden(column: Column) -> Convert:
    convert, change = RULES[_source(column).kind].convert(_source(column)), actions.change(column)
    return lambda text: change(convert(text))


def _extent_of_source(column: Column) -> Extent:
    return RULES[_source(column).kind].extent(_source(column))


def _decode_nothing(column: Column) -> Decode:
    extent = _extent_of_source(column)
    return lambda data, at: (None, extent(data, at))


def _size(column: Column) -> int:
    return column.size_bytes


_UNSIGNED = "CAST({name} AS UNSIGNED)"
_EXACT = "CAST({name} AS DOUBLE)"
_WITH_LABELS = "CONCAT(CAST({name} AS UNSIGNED), ' ', HEX({name}))"

RULES: dict[Kind, Rule] = {
    Kind.INTEGER: Rule(
        "TINYINT (also BOOL), SMALLINT, MEDIUMINT, INT, BIGINT",
        "int32; INT UNSIGNED and BIGINT are int64; BIGINT UNSIGNED is int64, above 2^63-1 Decimal128",
        readers.integer,
        fixed(_size),
        _convert_integer,
    ),
    Kind.FLOAT: Rule(
        "FLOAT",
        "double: exactly the stored value (0.1 is 0.10000000149011612)",
        readers.real(struct.Struct("<f")),
        fixed(lambda _: 4),
        lambda _: float,
        select=_EXACT,
        cursor=_EXACT,
    ),
    Kind.DOUBLE: Rule(
        "DOUBLE, REAL",
        "double",
        readers.real(struct.Struct("<d")),
        fixed(lambda _: 8),
        lambda _: float,
        select=_EXACT,
        cursor=_EXACT,
    ),
    Kind.DECIMAL: Rule(
        "DECIMAL, NUMERIC",
        "Decimal128 with the column's scale; with a precision above 34 digits a string as MySQL prints it",
        decode_fixed(readers.decimal_bytes, readers.decimal),
        fixed(readers.decimal_bytes),
        _convert_decimal,
    ),
    Kind.DATE: Rule(
        "DATE",
        "date, midnight UTC; a zero, partly zero or impossible date is the string that MySQL prints",
        decode_fixed(lambda _: 3, readers.date),
        fixed(lambda _: 3),
        lambda _: lambda text: temporal.parse_date(text.decode()),
    ),
    Kind.DATETIME: Rule(
        "DATETIME",
        "up to 3 fractional digits a date, its clock taken as UTC; 4 to 6 digits int64, µs since 1970; a zero, partly "
        "zero or impossible date is the string that MySQL prints",
        decode_fixed(lambda column: 5 + readers.fraction_bytes(column), readers.datetime),
        fixed(lambda column: 5 + readers.fraction_bytes(column)),
        _convert_moment,
    ),
    Kind.TIMESTAMP: Rule(
        "TIMESTAMP",
        "up to 3 fractional digits a date (UTC); 4 to 6 digits int64, µs since 1970; the zero timestamp is the string "
        "that MySQL prints",
        decode_fixed(lambda column: 4 + readers.fraction_bytes(column), readers.timestamp),
        fixed(lambda column: 4 + readers.fraction_bytes(column)),
        _convert_moment,
    ),
    Kind.TIME: Rule(
        "TIME",
        "int64, µs, signed",
        decode_fixed(lambda column: 3 + readers.fraction_bytes(column), readers.time),
        fixed(lambda column: 3 + readers.fraction_bytes(column)),
        lambda _: lambda text: temporal.parse_time(text.decode()),
    ),
    Kind.YEAR: Rule(
        "YEAR", "int32; 0000 is 0", decode_fixed(lambda _: 1, readers.year), fixed(lambda _: 1), lambda _: int
    ),
    Kind.STRING: Rule(
        "CHAR, VARCHAR, TINYTEXT, TEXT, MEDIUMTEXT, LONGTEXT",
        "string, whatever the character set; bytes that are no text of the column's character set are binary data of "
        "subtype 128, as they are",
        decode_prefixed(_text),
        prefixed,
        _text,
    ),
    Kind.BINARY: Rule(
        "BINARY",
        "binary data, padded with zero bytes to its length",
        decode_prefixed(readers.padded),
        prefixed,
        readers.padded,
    ),
    Kind.BYTES: Rule(
        "VARBINARY, TINYBLOB, BLOB, MEDIUMBLOB, LONGBLOB", "binary data", decode_prefixed(_same), prefixed, _same
    ),
    Kind.ENUM: Rule(
        "ENUM",
        'string, its label; index 0 (an invalid value) is "", or the int32 0 when "" is one of the labels',
        decode_fixed(_size, _read_enum),
        fixed(_size),
        _convert_enum,
        select=_UNSIGNED,
        cursor=_UNSIGNED,
    ),
    Kind.SET: Rule(
        "SET",
        "array of its labels in the order of the definition",
        decode_fixed(_size, _read_set),
        fixed(_size),
        _convert_set,
        select=_UNSIGNED,
        order=_UNSIGNED,
    ),
    Kind.BIT: Rule(
        "BIT",
        "int64, above 2^63-1 Decimal128",
        decode_fixed(_size, readers.bit),
        fixed(_size),
        lambda _: lambda text: decimals.unsigned(int(text)),
        select=_UNSIGNED,
        cursor=_UNSIGNED,
    ),
    Kind.JSON: Rule(
        "JSON",
        "the value of the same shape: integers int64 (above 2^63-1 Decimal128), DECIMAL Decimal128 (of more than 34 digits "
        "a string), other numbers double; dates, times and binary data the string that MySQL prints",
        decode_prefixed(lambda _: json_values.from_binary),
        prefixed,
        lambda _: lambda text: json_values.from_text(text.decode()),
    ),
    Kind.GEOMETRY: Rule(
        "GEOMETRY, POINT, LINESTRING, POLYGON, MULTIPOINT, MULTILINESTRING, MULTIPOLYGON, GEOMETRYCOLLECTION",
        "{srid: int32, wkb: binary data as stored, x or longitude first}; with SRID 4326 also geojson, for 2dsphere "
        "indexes, unless it is empty, nested or degenerate",
        decode_prefixed(_geometry),
        prefixed,
        _geometry,
    ),
    Kind.VECTOR: Rule(
        "VECTOR",
        "binary data of subtype 9: a BSON vector of float32",
        decode_prefixed(readers.vector),
        prefixed,
        readers.vector,
    ),
    Kind.OVERRIDDEN: Rule("", "", _decode_overridden, _extent_of_source, _convert_overridden),
    Kind.EXCLUDED: Rule("", "", _decode_nothing, _extent_of_source, lambda _: lambda _: None, select="NULL"),
}
"""What stands in docs/type-mapping.md."""
