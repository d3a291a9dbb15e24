"""Every type at its boundaries, against values written by hand: as a snapshot reads it, as an insert and an update tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
import pytest

from cdc_support.capture import Capture
from cdc_support.operator import ask
from cdc_support.type_matrix import FAMILIES, Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

SELECTED, INSERTED, UPDATED = 0, 1000, 2000


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A session that takes zero and impossible dates, and invalid ENUM values."""
    with Capture.of(stack) as made:
        made.sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "SET SESSION time_zone = '+00:00'")
        made.sql("SET SESSION innodb_strict_mode = OFF")
        yield made


def columns_of(family: list[tuple[str, Values]]) -> str:
    """Return the columns of a family's table, one for each definition."""
    return ", ".join(
        f"c{number} {definition}" + ("" if "INVISIBLE" in definition else " NULL")
        for number, (definition, _) in enumerate(family)
    )


def rows_of(family: list[tuple[str, Values]]) -> Iterator[dict[str, tuple[str, Any]]]:
    """Yield rows that together hold every value, each column's in its order."""
    for row in range(max(len(values) for _, values in family)):
        yield {f"c{number}": values[row] for number, (_, values) in enumerate(family) if row < len(values)}


@pytest.mark.contract("D5", "D6", "D7", "D8", "D9")
def test_every_type_arrives_as_promised(capture: Capture) -> None:
    """The same value comes of a snapshot, an insert and an update, and it is the one that the contract and `verify` name."""
    for name, family in FAMILIES.items():
        capture.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, {columns_of(family)}) ROW_FORMAT = DYNAMIC")
        insert(capture, name, family, SELECTED)
    capture.start()
    capture.wait()
    for name, family in FAMILIES.items():
        insert(capture, name, family, INSERTED)
        update(capture, name, family, UPDATED)
    capture.wait()
    wrong: list[str] = []
    for name, family in FAMILIES.items():
        documents = {document["_id"]: document for document in capture.collection(name).find()}
        for number, row in enumerate(rows_of(family)):
            for start in (SELECTED, INSERTED, UPDATED):
                document = documents[start + number]
                assert bool(document["_cdc"].get("snapshot")) == (start == SELECTED)
                wrong += [
                    f"{family[int(column[1:])][0]} {sql[:80]} ({start}): {document[column]!r:.200} for {expected!r:.200}"
                    for column, (sql, expected) in row.items()
                    if bson.encode({"": document[column]}) != bson.encode({"": expected})
                ]
    assert not wrong, "\n".join(wrong)
    different = capture.differences(*FAMILIES)
    assert not different, "\n".join(different)
    ask(capture, "verify", *(f"{capture.stack.database}.{name}" for name in FAMILIES))


def insert(capture: Capture, table: str, family: list[tuple[str, Values]], start: int) -> None:
    """Insert a family's rows."""
    for number, row in enumerate(rows_of(family)):
        values = ", ".join(sql for sql, _ in row.values())
        capture.sql(f"INSERT INTO {table} (id, {', '.join(row)}) VALUES ({start + number}, {values})")


def update(capture: Capture, table: str, family: list[tuple[str, Values]], start: int) -> None:
    """Insert rows of nulls and bring them to a family's values."""
    for number, row in enumerate(rows_of(family)):
        values = ", ".join(f"{column} = {sql}" for column, (sql, _) in row.items())
        capture.sql(f"INSERT INTO {table} (id) VALUES ({start + number})")
        capture.sql(f"UPDATE {table} SET {values} WHERE id = {start + number}")
