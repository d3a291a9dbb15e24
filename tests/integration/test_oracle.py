"""The oracle itself: equal sides are equal to it, and whatever is planted in one of them it names.

The documents are written by hand from docs/contracts.md; no service takes part.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bson import Decimal128, Int64

from oracle.compare import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pymongo
    from pymysql.connections import Connection

    from isotherm_local.harness import Mongodb, Mysql

SCHEMA = f"oracle_{os.getpid()}"
GTID = "a65333b1-e821-11f1-8912-02fc00000001:7"
Plant = tuple["Connection[Any]", "pymongo.MongoClient[dict[str, Any]]"]


def document(number: int, name: str) -> dict[str, Any]:
    """Return the document of a row, by the contracts."""
    return {
        "_id": {"name": name, "n": number},
        "n": number,
        "name": name,
        "big": Int64(number),
        "price": Decimal128(f"{number}.50"),
        "at": Int64(1_795_535_662_123_456 + number),
        "day": dt.datetime(2026, 11, 24),  # noqa: DTZ001 - read back without a zone
        "kind": "x",
        "data": {"a": [number, None]},
        "ratio": 0.5,
        "_cdc": {"seq": Int64(3), "ts": Int64(1), "gtid": GTID},
    }


@pytest.fixture
def sides(mysql: Mysql, mongodb: Mongodb) -> Iterator[Plant]:
    """Three equal rows and documents."""
    with contextlib.closing(mysql.connect()) as connection, mongodb.connect() as client, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {SCHEMA}")
        cursor.execute(f"CREATE DATABASE {SCHEMA}")
        cursor.execute(
            f"CREATE TABLE {SCHEMA}.t (n INT, name VARCHAR(20), big BIGINT, price DECIMAL(8,2), at DATETIME(6), day DATE, "
            "kind ENUM('x','y'), data JSON, ratio DOUBLE, PRIMARY KEY (name, n))"
        )
        client[SCHEMA]["t"].delete_many({})
        for number, name in enumerate(("a", "é", "b ")):
            cursor.execute(
                f"INSERT INTO {SCHEMA}.t VALUES ({number}, '{name}', {number}, {number}.5, "
                f"'2026-11-24 15:54:22.{123456 + number}', '2026-11-24', 'x', '{{\"a\": [{number}, null]}}', 0.5)"
            )
            client[SCHEMA]["t"].insert_one(document(number, name))
        yield connection, client
        cursor.execute(f"DROP DATABASE {SCHEMA}")
        client[SCHEMA]["t"].delete_many({})


def found(sides: Plant) -> list[str]:
    """Compare."""
    return differences(sides[0], sides[1], SCHEMA, ["t"])


def test_equal_sides_are_equal(sides: Plant) -> None:
    """Nothing is found where nothing was planted."""
    assert found(sides) == []


def change(**fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what changes fields of a document."""
    return lambda document: {**document, **fields}


CDC = {"seq": Int64(3), "ts": Int64(1), "gtid": GTID}


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (change(ratio=0.5000000000000001), "0.5000000000000001"),
        (change(price=Decimal128("1.51")), "1.51"),
        (change(price=Decimal128("1.5")), "1.5"),
        (change(price=1.5), "Decimal128"),
        (change(big=1), "int64"),
        (change(n=Int64(1)), "int32"),
        (change(at=Int64(1_795_535_662_123_458)), "123458"),
        (change(day=dt.datetime(2026, 11, 25)), "2026-11-25"),  # noqa: DTZ001 - read back without a zone
        (change(kind="y"), "'y'"),
        (change(kind=None), "None"),
        (change(data={"a": [2, None]}), "[2,null]"),
        (change(data={"a": [1]}), "[1]"),
        (change(_cdc={**CDC, "seq": 3}), "_cdc"),
        (change(_cdc={**CDC, "snapshot": True}), "_cdc"),
        (change(_cdc={"ts": Int64(1), "seq": Int64(3), "gtid": GTID}), "_cdc"),
        (change(extra=1), "fields"),
        (lambda document: {name: value for name, value in document.items() if name != "kind"}, "fields"),
        (lambda document: dict([*list(document.items())[:1], *reversed(list(document.items())[1:])]), "fields"),
    ],
)
def test_a_changed_document_is_named(
    sides: Plant, plant: Callable[[dict[str, Any]], dict[str, Any]], named: str
) -> None:
    """A value, a type, an order, a field more or less: one document differs, and the report says in what."""
    collection = sides[1][SCHEMA]["t"]
    before = document(1, "é")
    collection.replace_one({"_id": before["_id"]}, plant(before))
    told = found(sides)
    assert told
    assert named in told[0]


@pytest.mark.parametrize(
    ("identifier", "named"),
    [
        ({"n": 1, "name": "é"}, "sub-document"),
        ({"name": "é", "n": Int64(1)}, "int32"),
        ({"name": "É", "n": 1}, "in My"),
    ],
)
def test_another_identifier_is_named(sides: Plant, identifier: dict[str, Any], named: str) -> None:
    """The order of the key's parts, their types and their very bytes count."""
    collection = sides[1][SCHEMA]["t"]
    before = document(1, "é")
    collection.delete_one({"_id": before["_id"]})
    collection.insert_one({**before, "_id": identifier})
    assert any(named in sentence for sentence in found(sides))


def test_what_is_on_one_side_only_is_named(sides: Plant) -> None:
    """A document without a row, and a row without a document."""
    collection = sides[1][SCHEMA]["t"]
    collection.delete_one({"_id": {"name": "a", "n": 0}})
    collection.insert_one(document(9, "ghost"))
    assert sorted(sentence.rpartition(": ")[2] for sentence in found(sides)) == ["in MongoDB only", "in MySQL only"]


def test_a_changed_row_is_named(sides: Plant) -> None:
    """It works the other way round."""
    with sides[0].cursor() as cursor:
        cursor.execute(f"UPDATE {SCHEMA}.t SET at = '2026-11-24 15:54:22.123450' WHERE n = 1")
    assert len(found(sides)) == 1


def test_it_imports_nothing_of_the_services() -> None:
    """A mistake in the services' mapping cannot hide in the oracle."""
    tests = Path(__file__).parent.parent
    code = "import sys, oracle.compare; print([name for name in sys.modules if name.startswith('isotherm')])"
    environment = {**os.environ, "PYTHONPATH": str(tests)}
    output = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"
