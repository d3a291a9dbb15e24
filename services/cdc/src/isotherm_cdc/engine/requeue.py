"""Dead letters back into the pipeline: their rows are read again as they are now.

What a letter holds is history. Its row is read through the snapshot's windows, so that nothing newer is overwritten, and
the letter goes in the transaction that writes the row (or finds that there is none any more).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isotherm_cdc.binlog.decode import RowDecoder
from isotherm_cdc.checkpoint import TableSnapshot
from isotherm_cdc.errors import DataError
from isotherm_cdc.sink.documents import key_of
from isotherm_cdc.snapshot.keys import NO_SUCH_KEY, key_condition
from isotherm_cdc.values.columns import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNREADABLE = (*NO_SUCH_KEY, IndexError)


def plan(
    letters: Iterable[dict[str, Any]], captured: Callable[[str], bool], table_of: Callable[[str], Table | None]
) -> tuple[list[TableSnapshot], dict[str, Any], dict[str, str]]:
    """Return what is to be read, the key of each letter's row, and why the other letters cannot be put back.

    Args:
        letters: the documents.
        captured: whether a table is captured.
        table_of: looks a table up in MySQL as it is now.
    """
    conditions: dict[str, dict[str, list[str]]] = {}
    keys: dict[str, Any] = {}
    impossible: dict[str, str] = {}
    tables: dict[str, Table | None] = {}
    whole: dict[str, list[str]] = {}
    for letter in letters:
        name = letter["table"]
        if name not in tables:
            tables[name] = table_of(name) if captured(name) else None
        table = tables[name]
        if table is None:
            impossible[letter["_id"]] = f"{name} is not there, or not captured"
            continue
        if table.counted:
            keys[letter["_id"]] = None
            whole.setdefault(name, []).append(letter["_id"])
            continue
        try:
            key = _key(letter, table)
            condition = key_condition(table, key)
        except _UNREADABLE as error:
            reason = str(error) if isinstance(error, DataError) else "the key of its row cannot be told"
            impossible[letter["_id"]] = f"{reason}: have the table read again (isotherm-cdc snapshot {name})"
            continue
        keys[letter["_id"]] = key
        conditions.setdefault(name, {}).setdefault(condition, []).append(letter["_id"])
    states = [
        TableSnapshot(
            name,
            where=" OR ".join(wanted),
            letters=tuple(letter for letters_of_row in wanted.values() for letter in letters_of_row),
        )
        for name, wanted in conditions.items()
    ]
    # A row without a key cannot be found: its table is read whole.
    states += [TableSnapshot(name, letters=tuple(found)) for name, found in whole.items()]
    return states, keys, impossible


def _key(letter: dict[str, Any], now: Table) -> Any:
    """Return the `_id` that the letter's row has: as it was told then, or read from the row's bytes now."""
    if letter.get("key") is not None:
        return letter["key"]
    layout = letter.get("layout")
    if layout is None or letter["row"] is None:
        message = "the key of its row cannot be told"
        raise DataError(message)
    schema, _, name = letter["table"].partition(".")
    # What a setting makes of a column is not kept with the letter (it may be a secret): the settings of now count.
    changed = {column.name: column for column in now.columns if column.source is not None}
    columns = [_as_now(column.plain, changed.get(column.name)) for column in map(_column, layout["columns"])]
    decoder = RowDecoder(Table(schema, name, tuple(columns), tuple(layout["key"])))
    return key_of(decoder.key_of(letter["operation"], letter["row"]))


def _as_now(column: Column, now: Column | None) -> Column:
    return column if now is None else Column(column.name, now.kind, source=column, action=now.action)


def _column(document: dict[str, Any]) -> Column:
    source = document.get("source")
    return Column(
        **{
            **document,
            "kind": Kind[document["kind"]],
            "labels": tuple(document["labels"]),
            "source": None if source is None else _column(source),
            "action": None,
        }
    )
