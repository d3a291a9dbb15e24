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
from isotherm_cdc.snapshot.keys import key_condition
from isotherm_cdc.values.columns import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNREADABLE = (DataError, IndexError, KeyError, ValueError, TypeError, AttributeError)


def plan(
    letters: Iterable[dict[str, Any]], captured: Callable[[str], bool], table_of: Callable[[str], Table | None]
) -> tuple[list[TableSnapshot], dict[str, str]]:
    """Return what is to be read, and why the other letters cannot be put back.

    Args:
        letters: the documents.
        captured: whether a table is captured.
        table_of: looks a table up in MySQL as it is now.
    """
    conditions: dict[str, dict[str, list[str]]] = {}
    impossible: dict[str, str] = {}
    tables: dict[str, Table | None] = {}
    for letter in letters:
        name = letter["table"]
        if name not in tables:
            tables[name] = table_of(name) if captured(name) else None
        table = tables[name]
        if table is None:
            impossible[letter["_id"]] = f"{name} is not there, or not captured"
            continue
        try:
            condition = key_condition(table, _key(letter))
        except _UNREADABLE as error:
            reason = str(error) if isinstance(error, DataError) else "the key of its row cannot be told"
            impossible[letter["_id"]] = f"{reason}: have the table read again (isotherm-cdc snapshot {name})"
            continue
        conditions.setdefault(name, {}).setdefault(condition, []).append(letter["_id"])
    states = [
        TableSnapshot(
            name,
            where=" OR ".join(wanted),
            letters=tuple(letter for letters_of_row in wanted.values() for letter in letters_of_row),
        )
        for name, wanted in conditions.items()
    ]
    return states, impossible


def _key(letter: dict[str, Any]) -> Any:
    """Return the `_id` that the letter's row has: as it was told then, or read from the row's bytes now."""
    if letter.get("key") is not None:
        return letter["key"]
    layout = letter.get("layout")
    if layout is None or letter["row"] is None:
        message = "the key of its row cannot be told"
        raise DataError(message)
    schema, _, name = letter["table"].partition(".")
    decoder = RowDecoder(Table(schema, name, tuple(map(_column, layout["columns"])), tuple(layout["key"])))
    return key_of(decoder.key_of(letter["operation"], letter["row"]))


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
