"""Random tables and values, read by a snapshot and told by the binary log, compared with MySQL row by row.

CDC_RANDOM_ROUNDS=50 makes it longer; CDC_RANDOM_SEED=7 repeats what failed.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pymysql
import pytest

from cdc_support.capture import Capture
from cdc_support.random_tables import Maker, RandomColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

TABLES = 12
"""In a round."""
ROWS = 8
ROUNDS = int(os.environ.get("CDC_RANDOM_ROUNDS", "1"))
SEED = int(os.environ.get("CDC_RANDOM_SEED", time.time_ns() % 1_000_000))


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A session that takes zero dates and cuts what does not fit."""
    with Capture.of(stack) as made:
        made.sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "SET SESSION time_zone = '+00:00'")
        yield made


def test_random_tables(capture: Capture) -> None:
    """Whatever the types and values, both ways make of a row what MySQL says that it is."""
    maker = Maker(SEED)
    capture.start(CDC_SNAPSHOT_CHUNK_ROWS="3", ready=True)
    for round_number in range(ROUNDS):
        process = capture.stack.processes["cdc"]
        process.stop()
        fresh = [create(capture, maker, f"r{round_number}_{number}") for number in range(TABLES)]
        for name, columns, nullable in fresh:
            fill(capture, maker, name, columns, nullable, first=0)
        snapshot_again(capture)
        process.start().wait_ready()
        capture.wait(120)
        for name, columns, nullable in fresh:
            fill(capture, maker, name, columns, nullable, first=100)
            change(capture, maker, name, columns, nullable)
        capture.wait(120)
        written = sum(capture.collection(name).count_documents({}) for name, _, _ in fresh)
        assert written > TABLES * ROWS / 2
        different = capture.differences(*(name for name, _, _ in fresh))
        assert not different, f"CDC_RANDOM_SEED={SEED}\n" + "\n".join(different)
        letters = list(capture.collection("_cdc_dead_letters").find({}, {"row": 0}))
        assert not letters, f"CDC_RANDOM_SEED={SEED}\n{letters}"


def snapshot_again(capture: Capture) -> None:
    """Have the next start read every table."""
    capture.client[capture.stack.database]["_cdc_checkpoints"].delete_many({})


def create(capture: Capture, maker: Maker, name: str) -> tuple[str, list[RandomColumn], set[int]]:
    """Create a random table; rows that InnoDB cannot hold are made anew."""
    while True:
        statement, columns = maker.table(name)
        try:
            capture.sql(statement)
        except pymysql.err.MySQLError:
            continue
        body = statement.partition("PRIMARY KEY")[0]
        nullable = {number for number in range(len(columns)) if f"c{number} {columns[number].definition} NULL" in body}
        return name, columns, nullable


def fill(
    capture: Capture, maker: Maker, name: str, columns: list[RandomColumn], nullable: set[int], *, first: int
) -> None:
    """Insert rows; what a type does not take is left out."""
    names = ", ".join(f"c{number}" for number in range(len(columns)))
    for row in range(ROWS):
        for _ in range(5):
            values = ", ".join(maker.values(columns, first + row, nullable))
            try:
                capture.sql(f"INSERT IGNORE INTO {name} ({names}) VALUES ({values})")
            except pymysql.err.MySQLError:
                continue
            break


def change(capture: Capture, maker: Maker, name: str, columns: list[RandomColumn], nullable: set[int]) -> None:
    """Update and delete some rows, keys too."""
    chance = random.Random(SEED)
    for row in [*range(ROWS), *range(100, 100 + ROWS)]:
        if chance.random() < 0.2:
            capture.sql(f"DELETE FROM {name} WHERE c0 = {row}")
            continue
        values = maker.values(columns, row, nullable)
        chosen = [number for number in range(1, len(columns)) if chance.random() < 0.5]
        if chosen:
            assignments = ", ".join(f"c{number} = {values[number]}" for number in chosen)
            try:
                capture.sql(f"UPDATE IGNORE {name} SET {assignments} WHERE c0 = {row}")
            except pymysql.err.MySQLError:
                continue
