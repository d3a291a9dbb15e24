"""Character sets, JSON and geometry, each on its own."""

from __future__ import annotations

import math
import struct

import bson
import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from isotherm_cdc.errors import DataError, UnsupportedEvent
from isotherm_cdc.values import geometry, json_values, temporal
from isotherm_cdc.values.charsets import Ambiguous, as_key, decoder, encoded, label

CHARSETS = [
    "armscii8", "ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
    "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew",
    "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman",
    "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4",
]  # fmt: skip


@pytest.mark.parametrize("charset", CHARSETS)
@given(data=st.binary(max_size=40))
def test_any_bytes_become_text_or_stay_bytes(charset: str, data: bytes) -> None:
    """Nothing is lost, and nothing raises."""
    found = decoder(charset)(data)
    if isinstance(found, str):
        found.encode()
    else:
        assert (bytes(found), found.subtype) == (data, 128)


@pytest.mark.parametrize("charset", CHARSETS)
@given(data=st.binary(max_size=8))
def test_text_leads_back_to_its_bytes(charset: str, data: bytes) -> None:
    """A key is looked for by the bytes that are stored, but for those that are bytes in documents too."""
    found = decoder(charset)(data)
    if isinstance(found, str):
        assert encoded(found, charset) == data or isinstance(found, Ambiguous)


@pytest.mark.parametrize("charset", CHARSETS)
def test_the_space_is_in_every_character_set(charset: str) -> None:
    """Wide sets write it with several bytes."""
    width = {"ucs2": 2, "utf16": 2, "utf16le": 2, "utf32": 4}.get(charset, 1)
    little = charset == "utf16le"
    assert decoder(charset)((32).to_bytes(width, "little" if little else "big")) == " "


@pytest.mark.parametrize(
    ("charset", "digits", "text"),
    [
        ("latin1", "8081", "€\x81"),
        ("sjis", "815c8160815f5c", "―〜\\\\"),
        ("cp932", "8160", "\uff5e"),
        ("ujis", "a1c0f5a18ffea1", "\\\ue000\ue6fa"),
        ("gb18030", "a8bc8431a4379439fc36", "ḿ\ufffd😀"),
        ("big5", "f9d6", "碁"),
        ("swe7", "5b7d", "Äå"),
    ],
)
def test_where_python_differs(charset: str, digits: str, text: str) -> None:
    """MySQL's meaning counts."""
    assert decoder(charset)(bytes.fromhex(digits)) == text


@pytest.mark.parametrize(
    ("charset", "usual", "unusual", "text"),
    [("sjis", "5c", "815f", "\\"), ("cp932", "fbfc", "eee0", "髙"), ("armscii8", "28", "a5", "(")],
)
@pytest.mark.contract("D2")
def test_text_written_in_two_ways(charset: str, usual: str, unusual: str, text: str) -> None:
    """It is the same text in a column, and two keys."""
    first, second = (decoder(charset)(bytes.fromhex(digits)) for digits in (usual, unusual))
    assert (first, second) == (text, text)
    assert bson.encode({"": first}) == bson.encode({"": second})
    assert as_key(first) == text
    assert as_key(second) == Binary(bytes.fromhex(unusual), 128)


def test_unknown_character_sets_are_refused() -> None:
    """With what to do about it."""
    with pytest.raises(UnsupportedEvent, match="convert the column to utf8mb4"):
        decoder("klingon")


def test_labels_are_always_text() -> None:
    """A label names a value; it may not change its type."""
    assert label("é".encode(), "binary") == "é"
    assert label(b"\xff", "utf8mb4") == "x'ff'"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", Int64(5)),
        ("-9223372036854775808", Int64(-(2**63))),
        ("9223372036854775808", Decimal128("9223372036854775808")),
        ("1" * 35, "1" * 35),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("-0.0", -0.0),
    ],
)
def test_numbers_in_json(text: str, value: object) -> None:
    """Whole numbers are never doubles; whether digits after the point are exact has to be asked."""
    found = json_values.from_text(text)
    assert repr(found) == repr(value)


def test_decimals_in_json_keep_their_digits() -> None:
    """Where MySQL says so."""
    found = json_values.from_text('{"a": [1.50, 1.50]}', lambda path: path == ("a", 1))
    assert found == {"a": [1.5, Decimal128("1.50")]}
    assert json_values.number_paths('[1, 1.5, 1.5e3, {"x": 2.0}]') == [(1,), (3, "x")]


def test_decimals_of_row_events_are_the_same() -> None:
    """A whole DECIMAL is an integer there too."""
    assert json_values.from_binary(b"\x0f\xf6\x03\x01\x00\x85") == Int64(5)
    assert json_values.from_binary(b"\x0f\xf6\x04\x02\x01\x81\x05") == Decimal128("1.5")


def wkb(kind: int, body: bytes) -> bytes:
    return b"\x01" + struct.pack("<I", kind) + body


def test_geojson_only_for_wgs84() -> None:
    """Other reference systems have other coordinates."""
    stored = wkb(1, struct.pack("<2d", 2, 1))
    assert geometry.document(struct.pack("<I", 4326) + stored)["geojson"] == {
        "type": "Point",
        "coordinates": [2.0, 1.0],
    }
    assert geometry.document(struct.pack("<I", 4258) + stored) == {"srid": 4258, "wkb": stored}


@pytest.mark.parametrize(
    "stored",
    [
        wkb(7, struct.pack("<I", 0)),
        wkb(7, struct.pack("<I", 1) + wkb(7, struct.pack("<I", 0))),
        wkb(2, struct.pack("<I4d", 2, 1, 1, 1, 1)),
        wkb(3, struct.pack("<II6d", 1, 3, 0, 0, 1, 1, 0, 0)),
        wkb(3, struct.pack("<II8d", 1, 4, 0, 0, 1, 1, 0, 1, 2, 2)),
        wkb(2, struct.pack("<I", 0xFFFFFFFF)),
        wkb(1, struct.pack("<2d", 2, 1)) + b"x",
        wkb(9, b""),
        b"\x00" + wkb(1, struct.pack("<2d", 2, 1))[1:],
        b"",
    ],
    ids=[
        "empty",
        "nested",
        "one place",
        "two places",
        "open",
        "far too long",
        "longer",
        "unknown",
        "big-endian",
        "nothing",
    ],
)
def test_geometry_without_geojson_keeps_its_wkb(stored: bytes) -> None:
    """What a 2dsphere index would refuse is not offered to it."""
    assert geometry.document(struct.pack("<I", 4326) + stored) == {"srid": 4326, "wkb": stored}


@pytest.mark.parametrize("digits", [0, 3, 6])
def test_impossible_times_of_day_are_refused(digits: int) -> None:
    """What MySQL cannot have written is no value."""
    with pytest.raises(DataError):
        temporal.timestamp_value(5, 1_000_000, digits)
    with pytest.raises(DataError):
        temporal.datetime_value(2024, 0, 1, 24, 0, 0, 0, digits)
    with pytest.raises(DataError):
        temporal.datetime_value(10_000, 1, 1, 0, 0, 0, 0, digits)
    assert temporal.datetime_value(2024, 0, 1, 23, 59, 59, 0, 0) == "2024-00-01 23:59:59"


def test_too_few_bytes_are_no_geometry() -> None:
    """Not even a reference system."""
    with pytest.raises(DataError):
        geometry.document(b"\x01")


def test_negative_zero_in_json() -> None:
    """It keeps its sign."""
    assert math.copysign(1, json_values.from_text("-0.0")) == -1
