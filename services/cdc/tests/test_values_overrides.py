"""Columns in another form."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import pytest
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from isotherm_cdc.errors import SourceUnusable
from isotherm_cdc.settings import Settings
from isotherm_cdc.values import mapping
from isotherm_cdc.values.columns import Column, Kind, Table
from isotherm_cdc.values.overrides import Overrides, problem
from isotherm_common.settings import SettingsError, load

SALT = "0123456789abcdef"
MICRO = Column("x", Kind.DATETIME, fraction_digits=6)
ENVIRONMENT = {"MYSQL_USER": "u", "MYSQL_PASSWORD": "p", "MONGODB_URI": "mongodb://127.0.0.1"}


def table_of(column: Column, *, key: bool = False) -> Table:
    return Table("s", "t", (Column("id", Kind.INTEGER, 4), column), (1,) if key else (0,))


def changed(column: Column, action: str, value: Any) -> Any:
    (_, overridden) = Overrides([f"s.t.x={action}"], SALT).apply(table_of(column)).columns
    return mapping.changed(overridden, value)


@pytest.mark.parametrize(
    ("column", "action", "value", "expected"),
    [
        (Column("x", Kind.DECIMAL, precision=10, scale=2), "string", Decimal128("-0.10"), "-0.10"),
        (Column("x", Kind.DECIMAL, precision=10, scale=2), "double", Decimal128("-0.10"), -0.1),
        (Column("x", Kind.DECIMAL, precision=40, scale=2), "double", "12.50", 12.5),
        (Column("x", Kind.INTEGER, 8, unsigned=True), "string", Decimal128("18446744073709551615"), "18446744073709551615"),
        (Column("x", Kind.INTEGER, 8), "double", Int64(5), 5.0),
        (Column("x", Kind.INTEGER, 1), "bool", 0, False),
        (Column("x", Kind.INTEGER, 1), "bool", -1, True),
        (Column("x", Kind.BIT, 1), "bool", Int64(1), True),
        (Column("x", Kind.YEAR), "string", 0, "0000"),
        (Column("x", Kind.FLOAT), "string", 0.10000000149011612, "0.1"),
        (Column("x", Kind.FLOAT), "string", 16777216.0, "16777216.0"),
        (Column("x", Kind.FLOAT), "string", 3.4028234663852886e38, "3.4028235e+38"),
        (Column("x", Kind.DOUBLE), "string", 0.1, "0.1"),
        (Column("x", Kind.DOUBLE), "string", 1.0, "1.0"),
        (Column("x", Kind.DOUBLE), "string", 1e300, "1e+300"),
        (Column("x", Kind.JSON), "string", [1.0, 1e300], "[1.0, 1e+300]"),
        (Column("x", Kind.DATE), "string", datetime(1000, 1, 2), "1000-01-02"),  # noqa: DTZ001
        (Column("x", Kind.DATE), "string", "0000-00-00", "0000-00-00"),
        (Column("x", Kind.DATETIME, fraction_digits=3), "string", datetime(1, 1, 1, 2, 3, 4, 5000), "0001-01-01 02:03:04.005"),  # noqa: DTZ001
        (Column("x", Kind.TIMESTAMP), "string", datetime(2000, 1, 1), "2000-01-01 00:00:00"),  # noqa: DTZ001
        (MICRO, "string", Int64(-1), "1969-12-31 23:59:59.999999"),
        (MICRO, "date", Int64(1_999_999), datetime(1970, 1, 1, 0, 0, 1, 999_999)),  # noqa: DTZ001 - BSON cuts it
        (MICRO, "date", "0000-00-00 00:00:00.000000", "0000-00-00 00:00:00.000000"),
        (Column("x", Kind.TIME, fraction_digits=2), "string", Int64(-3020398990000), "-838:59:58.99"),
        (Column("x", Kind.SET, labels=("a", "b")), "string", ["a", "b"], "a,b"),
        (Column("x", Kind.JSON), "string", {"a": [Decimal128("1.50"), None, True, "é"]}, '{"a": [1.50, null, true, "é"]}'),
        (Column("x", Kind.JSON), "string", None, "null"),
        (Column("x", Kind.JSON), "string", "s", '"s"'),
        (Column("x", Kind.STRING, charset="utf8mb4"), "truncate:2", "😀éa", "😀é"),
        (Column("x", Kind.BYTES), "truncate:2", b"abc", b"ab"),
        (Column("x", Kind.STRING, charset="utf8mb4"), "truncate:1", Binary(b"\xff\xfe", 128), Binary(b"\xff", 128)),
        (Column("x", Kind.STRING, charset="utf8mb4"), "mask:3", "secret", "***"),
        (Column("x", Kind.BYTES), "hex", b"\0\xff", "00ff"),
        (Column("x", Kind.BYTES), "base64", b"\0\xff", "AP8="),
        (Column("x", Kind.STRING, charset="utf8mb4"), "hash", "é", hashlib.sha256(f"{SALT}é".encode()).hexdigest()),
        (Column("x", Kind.BYTES), "hash", b"\xff", hashlib.sha256(SALT.encode() + b"\xff").hexdigest()),
        (Column("x", Kind.INTEGER, 4), "hash", 5, hashlib.sha256(f"{SALT}5".encode()).hexdigest()),
    ],
)  # fmt: skip
def test_actions(column: Column, action: str, value: Any, expected: Any) -> None:
    """Each action makes of a value what its name says."""
    found = changed(column, action, value)
    assert found == expected
    assert type(found) is type(expected)


def test_both_ways_are_overridden() -> None:
    """What a row event holds and what a snapshot selects become the same."""
    column = Column("x", Kind.INTEGER, 1)
    overridden = Overrides(["s.t.X=bool"]).apply(table_of(column)).columns[1]
    rule = mapping.RULES[overridden.kind]
    assert rule.decode(overridden)(b"\x05", 0) == (True, 1)
    assert rule.convert(overridden)(b"5") is True
    assert rule.extent(overridden)(b"\x05", 0) == 1


def test_an_excluded_column_is_neither_selected_nor_named() -> None:
    """It is stepped over in row events."""
    table = Overrides(["s.*.x=exclude"]).apply(table_of(Column("x", Kind.BYTES, 1)))
    excluded = table.columns[1]
    assert table.fields == ("id", None)
    assert mapping.select_of(excluded, "`x`") == "NULL"
    assert mapping.RULES[excluded.kind].decode(excluded)(b"\x02ab", 0) == (None, 3)


@pytest.mark.parametrize("action", ["exclude", "hash", "mask:1", "truncate:1"])
def test_keys_stay_apart(action: str) -> None:
    """What could make one key of two is refused for a key's column."""
    with pytest.raises(SourceUnusable, match="part of the primary key"):
        Overrides([f"s.t.x={action}"], SALT).apply(table_of(Column("x", Kind.STRING, 1, charset="ascii"), key=True))


def test_a_key_may_have_another_lossless_form() -> None:
    """Binary keys as hexadecimal digits are what people ask for."""
    table = Overrides(["s.t.x=hex"]).apply(table_of(Column("x", Kind.BINARY, 1, length_bytes=2), key=True))
    assert mapping.RULES[Kind.OVERRIDDEN].convert(table.columns[1])(b"\x01") == "0100"
    assert mapping.order_of(table.columns[1], "`x`") == "`x`"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("s.t=string", "schema.table.column=action"),
        ("s.t.c", "schema.table.column=action"),
        ("s.t.c=frobnicate", "knows the actions"),
        ("s.t.c=mask", "mask:length"),
        ("s.t.c=string:3", "without a length"),
    ],
)
def test_mistakes_in_the_setting_are_told(entry: str, message: str) -> None:
    """They end the start, with all other mistakes."""
    assert message in (problem([entry]) or "")
    with pytest.raises(SettingsError, match="CDC_COLUMN_OVERRIDES"):
        load(Settings, {**ENVIRONMENT, "CDC_COLUMN_OVERRIDES": entry})


def test_a_hash_wants_salt() -> None:
    """Without it, a hash of a telephone number is the number."""
    with pytest.raises(SettingsError, match="CDC_COLUMN_HASH_SALT"):
        load(Settings, {**ENVIRONMENT, "CDC_COLUMN_OVERRIDES": "s.t.c=hash"})
    settings = load(Settings, {**ENVIRONMENT, "CDC_COLUMN_OVERRIDES": "s.t.a.b=hash", "CDC_COLUMN_HASH_SALT": SALT})
    assert settings.overrides.tables(["s.t", "s.u", "r.t"]) == ["s.t"]


def test_actions_that_do_not_fit_or_have_no_column_are_told() -> None:
    """A misspelt name would leave a secret in sight."""
    table = table_of(Column("x", Kind.STRING, 1, charset="ascii"))
    with pytest.raises(SourceUnusable, match=r"wants bool for s\.t\.x"):
        Overrides(["s.t.x=bool"]).check_table(table)
    with pytest.raises(SourceUnusable, match=r"names the column y, which s\.t does not have"):
        Overrides(["s.t.y=string"]).check_table(table)
    Overrides(["s.*.y=string", "s.u.y=string"]).check_table(table)
