"""The SQL that a snapshot asks: the next rows of a table by its key, in the order in which MySQL compares the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymysql.converters import escape_string

from isotherm_cdc.values.columns import Column, Kind, Table
from isotherm_cdc.values.mapping import cursor_of, order_of, select_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.YEAR, Kind.FLOAT, Kind.DOUBLE, Kind.ENUM, Kind.SET, Kind.BIT})
_HAS_DECIMAL = (
    "INSTR({name}, '.') > 0 AND EXISTS(SELECT 1 FROM JSON_TABLE({name}, '$**[0]' "
    "COLUMNS(v JSON PATH '$')) AS found WHERE JSON_TYPE(v) = 'DECIMAL')"
)


def chunk_query(table: Table, cursor: tuple[str, ...] | None, limit: int, where: str | None = None) -> str:
    """Return the SELECT of the rows after `cursor`: the columns, the key for the cursor, a flag for each JSON column."""
    key = [table.columns[position] for position in table.key]
    columns = [select_of(column, quote(column.name)) for column in table.columns]
    columns += [cursor_of(column, quote(column.name)) for column in key]
    columns += [_HAS_DECIMAL.format(name=quote(column.name)) for column in table.columns if is_json(column)]
    conditions = [after(key, cursor)] if cursor else []
    conditions += [f"(\n{where}\n)"] if where is not None else []
    selected = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = ", ".join(order_of(column, quote(column.name)) for column in key)
    return (
        f"SELECT {', '.join(columns)} FROM {quote(table.schema)}.{quote(table.name)}{selected} "  # noqa: S608 - quoted
        f"ORDER BY {order} LIMIT {limit}"
    )


def view_query(table: Table) -> str:
    """Return the SELECT of all rows of a table without a key: the columns, a flag for each JSON column."""
    columns = [select_of(column, quote(column.name)) for column in table.columns]
    columns += [_HAS_DECIMAL.format(name=quote(column.name)) for column in table.columns if is_json(column)]
    return f"SELECT {', '.join(columns)} FROM {quote(table.schema)}.{quote(table.name)}"  # noqa: S608 - quoted


def is_json(column: Column) -> bool:
    """Whether a JSON document is selected for the column."""
    return column.plain.kind is Kind.JSON and column.kind is not Kind.EXCLUDED


def after(key: Sequence[Column], cursor: tuple[str, ...]) -> str:
    """Return the condition of the keys after `cursor`, in a form that MySQL's range access understands."""
    names = [order_of(column, quote(column.name)) for column in key]
    alternatives = [
        "("
        + " AND ".join([f"{names[i]} = {cursor[i]}" for i in range(depth)] + [f"{names[depth]} > {cursor[depth]}"])
        + ")"
        for depth in range(len(names))
    ]
    bound = f"{names[0]} >= {cursor[0]} AND " if len(names) > 1 else ""
    return f"{bound}({' OR '.join(alternatives)})"


def literal(column: Column, value: bytes) -> str:
    """Write a key's value as an SQL literal that compares as the column does."""
    column = column.plain
    if column.kind in _PLAIN:
        return value.decode("ascii")
    if column.kind is Kind.STRING:
        return f"_{column.charset} X'{value.hex()}'"
    if column.kind in (Kind.BINARY, Kind.BYTES):
        return f"X'{value.hex()}'"
    return f"'{value.decode('ascii')}'"


def quote(name: str) -> str:
    """Quote an identifier."""
    return "`" + name.replace("`", "``") + "`"


def quoted(text: str) -> str:
    """Quote a string."""
    return f"'{escape_string(text)}'"
