"""What tells a table's rows apart: its primary key, else a unique key without NULL, else (if so wished) all columns.

Of several unique keys it is the one that MySQL itself takes for the primary key: table maps and partial row images name it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pymysql

from isotherm_cdc import mysql
from isotherm_cdc.errors import SourceUnusable
from isotherm_cdc.snapshot.queries import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isotherm_cdc.values.columns import Table
    from isotherm_cdc.values.overrides import Overrides

_NO_SUCH_TABLE = 1146
Keyless = Literal["fail", "hash"]


def identified(connection: pymysql.Connection[Any], table: Table, keyless: Keyless) -> Table:
    """Return the table with a key.

    Raises:
        SourceUnusable: it has none, and its rows are not to be counted.
    """
    return table if table.key else choose(table, unique_keys(connection, table), keyless)


def choose(table: Table, unique: Iterable[tuple[str, ...]], keyless: Keyless) -> Table:
    """Choose the key of a table without a primary key.

    Args:
        table: the table.
        unique: the columns of its unique keys without NULL, in MySQL's order.
        keyless: what to do when there is none.

    Raises:
        SourceUnusable: there is none, and rows are not to be counted.
    """
    positions = {column.name: position for position, column in enumerate(table.columns)}
    for names in unique:
        if all(name in positions for name in names):
            return replace(table, key=tuple(positions[name] for name in names))
    if keyless == "hash":
        return replace(table, key=tuple(range(len(table.columns))), counted=True)
    message = (
        f"{table.full_name} has no primary key, and no unique key whose columns are all NOT NULL: add one, exclude the table "
        "(CDC_TABLE_EXCLUDE_LIST), or set CDC_KEYLESS=hash."
    )
    raise SourceUnusable(message)


def unique_keys(connection: pymysql.Connection[Any], table: Table) -> list[tuple[str, ...]]:
    """Return the columns of a table's unique keys that hold whole columns without NULL, in MySQL's own order."""
    try:
        rows = mysql.query(connection, f"SHOW KEYS FROM {quote(table.schema)}.{quote(table.name)}")
    except pymysql.err.ProgrammingError as error:
        if error.args[0] != _NO_SUCH_TABLE:
            raise
        return []
    keys: dict[str, list[str]] = {}
    unfit: set[str] = set()
    for row in rows:
        _, not_unique, index, _, column, _, _, part, _, nullable, *_ = (
            value.decode() if isinstance(value, bytes) else value for value in row
        )
        if int(not_unique) or column is None or nullable or part is not None:
            unfit.add(index)
        keys.setdefault(index, []).append(column)
    return [tuple(columns) for index, columns in keys.items() if index not in unfit]


def overridden(table: Table, overrides: Overrides) -> Table:
    """Apply overrides; where all columns stand for a key, none of them is a key to them."""
    if not table.counted:
        return overrides.apply(table)
    return replace(overrides.apply(replace(table, key=())), key=table.key)
