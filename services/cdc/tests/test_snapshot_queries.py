"""The SQL of snapshots: chunks by key, one row by its document's `_id`, which key a table has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128, Int64

from isotherm_cdc.errors import DataError, SourceUnusable
from isotherm_cdc.snapshot.identity import choose
from isotherm_cdc.snapshot.keys import key_condition
from isotherm_cdc.snapshot.queries import chunk_query
from isotherm_cdc.values.columns import Action, Column, Kind, Table

A = Column("a", Kind.INTEGER, 4)
S = Column("s`x", Kind.STRING, 1, charset="latin1")
E = Column("e", Kind.ENUM, 1, charset="utf8mb4", labels=("x", "y"))


def table(*columns: Column, key: tuple[int, ...] = (0,)) -> Table:
    return Table("d", "t", columns, key)


def test_the_first_chunk_and_the_next() -> None:
    """Rows come in the order of the key, and go on behind the last one."""
    assert chunk_query(table(A), None, 5) == "SELECT `a`, `a` FROM `d`.`t` ORDER BY `a` LIMIT 5"
    assert chunk_query(
        table(A), ("7",), 5
    ) == "SELECT `a`, `a` FROM `d`.`t` WHERE (`a` > 7) ORDER BY `a` LIMIT 5".replace("(`a` > 7)", "((`a` > 7))")


def test_a_composite_key_goes_on_in_its_own_order() -> None:
    """Each part counts when those before it are equal; the first bounds the range that MySQL reads."""
    query = chunk_query(table(A, S, key=(1, 0)), ("_latin1 X'41'", "7"), 5)
    assert (
        "WHERE `s``x` >= _latin1 X'41' AND ((`s``x` > _latin1 X'41') OR (`s``x` = _latin1 X'41' AND `a` > 7))" in query
    )
    assert query.endswith("ORDER BY `s``x`, `a` LIMIT 5")


def test_a_condition_stands_by_itself() -> None:
    """It cannot change what the cursor says."""
    query = chunk_query(table(A), ("7",), 5, "a = 1 OR a = 2")
    assert "(`a` > 7)) AND (\na = 1 OR a = 2\n) ORDER" in query


@pytest.mark.parametrize(
    ("column", "value", "condition"),
    [
        (A, 5, "`k` = 5"),
        (Column("k", Kind.INTEGER, 8, unsigned=True), Decimal128("18446744073709551615"), "`k` = 18446744073709551615"),
        (Column("k", Kind.DECIMAL, precision=5, scale=2), Decimal128("-1.50"), "`k` = -1.50"),
        (Column("k", Kind.STRING, charset="latin1"), "ä'", "`k` = _latin1 X'e427'"),
        (Column("k", Kind.STRING, charset="sjis"), "\\", "`k` = _sjis X'5c'"),
        (Column("k", Kind.STRING, charset="latin1"), "한", "`k` = _utf8mb4 X'ed959c'"),
        (Column("k", Kind.STRING, charset="utf8mb4"), b"\xff", "`k` = _utf8mb4 X'ff'"),
        (Column("k", Kind.BINARY, length_bytes=2), b"\x00\x01", "`k` = X'0001'"),
        (Column("k", Kind.DATE), datetime(2026, 1, 2, tzinfo=UTC), "`k` = '2026-01-02 00:00:00.000000'"),
        (Column("k", Kind.DATE), "0000-00-00", "`k` = '0000-00-00'"),
        (Column("k", Kind.DATETIME, fraction_digits=6), Int64(1), "`k` = '1970-01-01 00:00:00.000001'"),
        (Column("k", Kind.TIME, fraction_digits=1), Int64(-3_600_500_000), "`k` = '-01:00:00.500000'"),
    ],
)
def test_a_row_is_found_by_its_id(column: Column, value: Any, condition: str) -> None:
    """What a document holds is written as MySQL compares it."""
    named = Column(**{**{name: getattr(column, name) for name in column.__slots__}, "name": "k"})
    assert key_condition(table(named), value) == f"({condition})"


def test_labels_are_compared_by_their_number() -> None:
    """As the key is ordered."""
    assert key_condition(table(E), "y").endswith(" = 2)")
    assert key_condition(table(E), "").endswith(" = 0)")


def test_a_composite_id_names_its_parts() -> None:
    """In the key's order."""
    assert key_condition(table(A, E, key=(1, 0)), {"e": "x", "a": 3}).endswith("= 1 AND `a` = 3)")


def test_a_key_that_an_override_has_changed_is_not_told() -> None:
    """A hash does not lead back to its row."""
    hashed = Column("a", Kind.OVERRIDDEN, source=A)
    with pytest.raises(DataError, match="cannot be found by its key"):
        key_condition(table(hashed), "abc")


@pytest.mark.parametrize(
    ("action", "column", "value", "condition"),
    [
        ("hex", Column("k", Kind.BYTES), "00ff", "`k` = X'00ff'"),
        ("base64", Column("k", Kind.BINARY, length_bytes=2), "AP8=", "`k` = X'00ff'"),
        ("string", Column("k", Kind.INTEGER, 8, unsigned=True), "18446744073709551615", "`k` = 18446744073709551615"),
        ("string", Column("k", Kind.DECIMAL, precision=5, scale=2), "-1.50", "`k` = -1.50"),
        ("string", Column("k", Kind.FLOAT), "0.1", "`k` = 0.10000000149011612"),
        ("string", Column("k", Kind.DOUBLE), "1e+300", "`k` = 1e+300"),
        ("string", Column("k", Kind.YEAR), "0000", "`k` = 0"),
        ("string", Column("k", Kind.TIME, fraction_digits=1), "-01:00:00.5", "`k` = '-01:00:00.500000'"),
        ("string", Column("k", Kind.DATETIME), "2026-01-02 00:00:00", "`k` = '2026-01-02 00:00:00'"),
        ("string", Column("k", Kind.STRING, charset="latin1"), "ä", "`k` = _latin1 X'e4'"),
        ("string", Column("k", Kind.ENUM, 1, charset="utf8mb4", labels=("x", "")), "0", "`k` = 0"),
        ("string", Column("k", Kind.SET, 1, charset="utf8mb4", labels=("x", "y")), "x,y", "CAST(`k` AS UNSIGNED) = 3"),
    ],
)
def test_overrides_that_keep_keys_apart_lead_back(action: str, column: Column, value: str, condition: str) -> None:
    """They are undone before the row is looked for."""
    changed = Column("k", Kind.OVERRIDDEN, source=column, action=Action(action))
    assert key_condition(table(changed), value) == f"({condition})"


def test_a_set_whose_labels_are_not_known_is_found_by_its_text() -> None:
    """Which bit such a label has is not to be had; its bytes are what MySQL prints."""
    doubtful = Column("k", Kind.SET, 1, charset="utf8mb4", labels=("a", "?"))
    assert key_condition(table(doubtful), "a,😀") == "(CAST(`k` AS BINARY) = X'612cf09f9880')"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (Column("k", Kind.DECIMAL, precision=40), "1 OR 1"),
        (Column("k", Kind.DECIMAL, precision=5), Decimal128("NaN")),
        (Column("k", Kind.DOUBLE), float("nan")),
        (Column("k", Kind.DATE), "x"),
    ],
)
def test_an_id_that_no_row_can_have_is_no_condition(column: Column, value: Any) -> None:
    """What others have written into a collection is not handed to MySQL."""
    with pytest.raises(ValueError, match="no "):
        key_condition(table(column), value)


def test_the_first_unique_key_stands_in_for_a_primary_key() -> None:
    """Of those without NULL the one that MySQL, too, takes in its place."""
    bare = table(A, E, key=())
    assert choose(bare, [("e", "a"), ("e",), ("a",)], "fail").key == (1, 0)
    assert choose(bare, [("e", "a")], "hash").key == (1, 0)


def test_without_any_key_the_setting_decides() -> None:
    """Refused by name, or counted by all columns."""
    bare = table(A, E, key=())
    with pytest.raises(SourceUnusable, match=r"d\.t has no primary key, and no unique key .* CDC_KEYLESS=hash"):
        choose(bare, [], "fail")
    counted = choose(bare, [], "hash")
    assert (counted.key, counted.counted) == ((0, 1), True)
