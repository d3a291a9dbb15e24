"""Row events that MySQL 9.7 wrote, against values written by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import bson
import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from isotherm_cdc.binlog.decode import BadRow, Row, RowDecoder
from isotherm_cdc.binlog.table_map import parse
from isotherm_cdc.errors import ServiceError, UnsupportedEvent
from isotherm_cdc.values.columns import Column, Kind
from isotherm_cdc.values.mapping import RULES

TABLE_MAP = bytes.fromhex(
    "9d0000000000010002687a0001740019030f0108f6f604050a12121113130dfefe0ffefe10f5fff2fc1d0a000c0328020408"
    "0306060206fe10fe040400f701f801020104040402fcffff010101a1030a08fcff003f3f3ffcff000701000d010204520269"
    "64016b0474696e7903626967046465635f04776964650166016403646179066d6f6d656e74056d6963726f02747302743202"
    "7436017901630162027662016501730462697473016a01670176037478740b0408fcff0005070301610162016306050201e9"
    "0162080201000c04ffffff80"
)
INSERT = bytes.fromhex(
    "9d00000000001100020019ffffffff00000000ffffffff0281e980ffffffffffffffff78a432eafff38c149aa4350dfb38d2"
    "075bcd1500bc614e5bcdcccc3d9a9999999999b93f5ed00f99027f7efb2706fef3ff7efb0f423f000000010000017ffffef6"
    "4b9105ffffff01016101780100010502013a000000000200390012000100130001000214000a3100616e05001d000501000b"
    "13000400000401000c1b00000000000000f83f0178ffffffffffffffff19000000e610000001010000000000000000000040"
    "000000000000f03f080000000000803f000000c00400746578740000c00000000000007f0000000000000000800000000000"
    "7ffffffffffffffffffffffffffffffffffe000080bf010000000000008000000099b2140000000080000000000000000000"
    "0000000000b46efb0080000000000100000000000000003200000002040031000f10000f19000f23000f2d00f6070b028000"
    "0001320a08000000000044b2190b0880e5f97cefffffff0f0200ff0000"
)
UPDATE = bytes.fromhex(
    "9d00000000001100020019ffffffffffffffff0000c00000000000007f00000000000000008000000000007fffffffffffff"
    "fffffffffffffffffffffe000080bf010000000000008000000099b21400000000800000000000000000000000000000b46e"
    "fb0080000000000100000000000000003200000002040031000f10000f19000f23000f2d00f6070b0280000001320a080000"
    "00000044b2190b0880e5f97cefffffff0f0200ff00000000c00001000000007f00000000000000008000000000007fffffff"
    "fffffffffffffffffffffffffffe000080bf010000000000008000000099b214000000008000000000000000000000000000"
    "00b46efb0080000000000100000000000000003200000002040031000f10000f19000f23000f2d00f6070b0280000001320a"
    "08000000000044b2190b0880e5f97cefffffff0f0200ff0000"
)
DELETE = bytes.fromhex(
    "9d00000000001100020019ffffffff0000c00001000000007f00000000000000008000000000007fffffffffffffffffffff"
    "fffffffffffffe000080bf010000000000008000000099b21400000000800000000000000000000000000000b46efb008000"
    "0000000100000000000000003200000002040031000f10000f19000f23000f2d00f6070b0280000001320a08000000000044"
    "b2190b0880e5f97cefffffff0f0200ff0000"
)
CHARSETS = {8: "latin1", 63: "binary", 255: "utf8mb4"}
TABLE = parse(TABLE_MAP, CHARSETS)


def document(row: Row | BadRow) -> dict[str, Any]:
    assert isinstance(row, Row)
    assert row.elements is not None
    body = row.elements
    return bson.decode((len(body) + 5).to_bytes(4, "little") + body + b"\0")


@pytest.mark.contract("D2", "D3", "D5", "D6", "D7", "D8", "D9")
def test_boundary_values() -> None:
    """Every family of types at its boundaries, in the table's order, with the key before it."""
    first, second = RowDecoder(TABLE).rows("insert", INSERT)
    assert document(first) == {
        "_id": {"k": "\x81é", "id": Int64(4294967295)},
        "id": Int64(4294967295),
        "k": "\x81é",
        "tiny": -128,
        "big": Decimal128("18446744073709551615"),
        "dec_": Decimal128("-123456789.012"),
        "wide": "12345678901234567890123456789012345678.91",
        "f": 0.10000000149011612,
        "d": 0.1,
        "day": "2024-02-30",
        "moment": datetime(1969, 12, 31, 23, 59, 59, 999000),  # noqa: DTZ001 - read naive
        "micro": Int64(253402300799999999),
        "ts": Int64(1000001),
        "t2": Int64(-1_100_000),
        "t6": Int64(-3020398_000_001),
        "y": 1901,
        "c": "a",
        "b": b"x\0\0\0",
        "vb": b"\0",
        "e": "é",
        "s": ["a", "c"],
        "bits": Int64(513),
        "j": {"a": [1, 1.5, None, True, "x"], "n": Decimal128("18446744073709551615")},
        "g": {
            "srid": 4326,
            "wkb": bytes.fromhex("01010000000000000000000040000000000000f03f"),
            "geojson": {"type": "Point", "coordinates": [2.0, 1.0]},
        },
        "v": Binary(b"\x27\x00" + bytes.fromhex("0000803f000000c0"), 9),
        "txt": "text",
    }
    assert document(second) == {
        "_id": {"k": "", "id": Int64(0)},
        "id": Int64(0),
        "k": "",
        "tiny": 127,
        "big": Int64(0),
        "dec_": Decimal128("0.000"),
        "wide": "-0.01",
        "f": -1.0,
        "d": -5e-324,
        "day": "0000-00-00",
        "moment": "2024-00-10 00:00:00.000",
        "micro": "0000-00-00 00:00:00.000000",
        "ts": "0000-00-00 00:00:00.000000",
        "t2": Int64(3020399_000_000),
        "t6": Int64(1),
        "y": 0,
        "c": "",
        "b": bytes(4),
        "vb": b"",
        "e": "",
        "s": [],
        "bits": Int64(0),
        "j": [Decimal128("1.50"), "2024-01-02", "-01:02:03.400000", "base64:type15:AP8="],
        "g": None,
        "v": None,
        "txt": "",
    }
    assert list(document(first)) == ["_id", *(column.name for column in TABLE.columns)]


def test_a_changed_key_names_both() -> None:
    """An update of the key has the key before and the key after, and its delete the key alone."""
    (row,) = RowDecoder(TABLE).rows("update", UPDATE)
    assert isinstance(row, Row)
    assert row.old_key is not None
    assert bson.decode(row.old_key) == {"_id": {"k": "", "id": 0}}
    assert bson.decode(row.key) == {"_id": {"k": "", "id": 1}}
    (gone,) = RowDecoder(TABLE).rows("delete", DELETE)
    assert isinstance(gone, Row)
    assert gone.elements is None
    assert gone.key == row.key


def test_a_bad_row_does_not_take_the_next_with_it() -> None:
    """A value that cannot be told becomes a dead letter with the row's bytes; the row after it is read."""
    broken = INSERT.replace(b"an\x05\x00", b"\x00n\x05\x00")
    bad, good = RowDecoder(TABLE).rows("insert", broken)
    assert isinstance(bad, BadRow)
    assert "BSON" in bad.error
    assert b"\x00n\x05\x00" in bad.data
    assert document(good)["tiny"] == 127


def test_bytes_that_are_no_text_are_kept() -> None:
    """What a column's character set cannot explain is binary data of the user-defined subtype, as it is."""
    first, _ = RowDecoder(TABLE).rows("insert", INSERT.replace(b"text", b"te\xffx"))
    assert document(first)["txt"] == Binary(b"te\xffx", 128)


def test_partial_images_are_refused() -> None:
    """An event that leaves a column out would falsify documents."""
    partial = INSERT[:11] + bytes([INSERT[11] & 0xFE]) + INSERT[12:]
    with pytest.raises(UnsupportedEvent, match="binlog_row_image"):
        list(RowDecoder(TABLE).rows("insert", partial))


@given(st.integers(12, len(INSERT) - 1))
def test_a_cut_event_is_an_error(length: int) -> None:
    """An event that ends too early never yields a wrong last row in silence."""
    whole = list(RowDecoder(TABLE).rows("insert", INSERT))
    try:
        rows = list(RowDecoder(TABLE).rows("insert", INSERT[:length]))
    except ServiceError:
        return
    assert rows == whole[: len(rows)]


@given(st.integers(15, len(INSERT) - 1), st.integers(0, 255))
def test_changed_bytes_are_an_error_or_a_value(at: int, byte: int) -> None:
    """A damaged event ends in rows, dead letters or a clear error: never in another exception."""
    try:
        rows = list(RowDecoder(TABLE).rows("insert", INSERT[:at] + bytes([byte]) + INSERT[at + 1 :]))
    except ServiceError:
        return
    assert all(isinstance(row, (Row, BadRow)) for row in rows)


def test_every_kind_has_a_rule() -> None:
    """No column can be met that one of the two ways does not know."""
    assert set(RULES) == set(Kind)


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        (Column("x", Kind.INTEGER, 8, unsigned=True), b"18446744073709551615", Decimal128("18446744073709551615")),
        (Column("x", Kind.INTEGER, 4), b"-5", -5),
        (Column("x", Kind.TIME, fraction_digits=2), b"-00:00:01.10", Int64(-1_100_000)),
        (Column("x", Kind.YEAR), b"0000", 0),
        (Column("x", Kind.DATE), b"0000-00-00", "0000-00-00"),
        (Column("x", Kind.SET, labels=("a", "b"), charset="utf8mb4"), b"0", []),
        (Column("x", Kind.ENUM, labels=("a", "b"), charset="utf8mb4"), b"2", "b"),
        (Column("x", Kind.DECIMAL, precision=10, scale=2), b"-0.10", Decimal128("-0.10")),
        (Column("x", Kind.STRING, charset="latin1"), b"\x81", "\x81"),
        (Column("x", Kind.BINARY, length_bytes=3), b"a\0\0", b"a\0\0"),
        (Column("x", Kind.JSON), b'{"a": [1, 1.5, 1e3]}', {"a": [1, 1.5, 1000.0]}),
    ],
)
def test_what_a_snapshot_selects_becomes_the_same_values(column: Column, text: bytes, value: Any) -> None:
    """The text of a SELECT is read as the bytes of a row event are."""
    assert RULES[column.kind].convert(column)(text) == value
