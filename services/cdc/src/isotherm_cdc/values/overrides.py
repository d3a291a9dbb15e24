"""Columns that a setting wants in another form, or not at all (CDC_COLUMN_OVERRIDES).

An override is a function of the value that the column has otherwise, so both ways into MongoDB agree by themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from isotherm_cdc.errors import SourceUnusable
from isotherm_cdc.values.actions import ACTIONS
from isotherm_cdc.values.columns import Action, Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENTRY = re.compile(r"(?P<schema>[^.=]+)\.(?P<table>[^.=]+)\.(?P<column>.+)=(?P<action>[a-z0-9]+)(?::(?P<length>\d+))?")
_SHORTEST_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Entry:
    schema: str
    table: str
    column: str
    action: Action

    def meets(self, table: Table) -> bool:
        return self.schema == table.schema and self.table in ("*", table.name)


def problem(entries: Iterable[str]) -> str | None:
    """Return what is wrong with a setting of overrides (the end of a sentence), None when it is right."""
    for text in entries:
        entry = _ENTRY.fullmatch(text)
        if entry is None:
            return f"must be a list of schema.table.column=action, which {text!r} is not"
        rule = ACTIONS.get(entry["action"])
        if rule is None:
            return f"knows the actions {', '.join(ACTIONS)}, not {entry['action']!r}"
        if (entry["length"] is not None) != rule.has_length:
            return f"must say {entry['action']}{':length' if rule.has_length else ' without a length'} in {text!r}"
    return None


class Overrides:
    """What is to be done to which columns."""

    def __init__(self, entries: Iterable[str] = (), salt: str = "") -> None:
        """Read the setting, which `problem` has found right."""
        self._salt = salt.encode()
        self._entries = [self._entry(text) for text in entries]

    def _entry(self, text: str) -> _Entry:
        found = _ENTRY.fullmatch(text)
        assert found is not None
        name = found["action"]
        action = Action(name, int(found["length"] or 0), self._salt if name == "hash" else b"")
        return _Entry(found["schema"], found["table"], found["column"].lower(), action)

    def check(self) -> None:
        """Check that hashes are salted.

        Raises:
            ValueError: they are not.
        """
        if len(self._salt) < _SHORTEST_SALT_BYTES and any(entry.action.name == "hash" for entry in self._entries):
            message = (
                f"CDC_COLUMN_HASH_SALT must have at least {_SHORTEST_SALT_BYTES} characters when CDC_COLUMN_OVERRIDES "
                "hashes a column: without it a hash can be guessed."
            )
            raise ValueError(message)

    def apply(self, table: Table) -> Table:
        """Return the table with its columns as the setting wants them.

        Raises:
            SourceUnusable: a column cannot be so.
        """
        wanted = {entry.column: entry.action for entry in self._entries if entry.meets(table)}
        if not wanted:
            return table
        keys = set(table.key)
        columns = [
            self._overridden(table, column, wanted[column.name.lower()], is_key=position in keys)
            if column.name.lower() in wanted
            else column
            for position, column in enumerate(table.columns)
        ]
        return replace(table, columns=tuple(columns))

    def tables(self, names: Iterable[str]) -> list[str]:
        """Return those of the tables (`schema.table`) that the setting names columns of."""
        wanted = {(entry.schema, entry.table) for entry in self._entries}
        return [
            name for name in names if (parts := name.split(".", 1)) and {(parts[0], "*"), (parts[0], parts[1])} & wanted
        ]

    def check_table(self, table: Table) -> None:
        """Check what the setting says of a table as it is now.

        Raises:
            SourceUnusable: it names a column that the table does not have, or one that cannot be so.
        """
        names = {column.name.lower() for column in table.columns}
        for entry in self._entries:
            if entry.meets(table) and entry.table != "*" and entry.column not in names:
                message = (
                    f"CDC_COLUMN_OVERRIDES names the column {entry.column}, which {table.full_name} does not have."
                )
                raise SourceUnusable(message)
        self.apply(table)

    @staticmethod
    def _overridden(table: Table, column: Column, action: Action, *, is_key: bool) -> Column:
        rule = ACTIONS[action.name]
        reason = None
        if is_key and not rule.keeps_keys_apart:
            reason = "it is part of the primary key, and rows could no longer be told apart"
        elif column.kind not in rule.kinds:
            reason = f"it is a column of kind {column.kind.name}"
        if reason is not None:
            message = f"CDC_COLUMN_OVERRIDES wants {action.name} for {table.full_name}.{column.name}, which cannot be: {reason}."
            raise SourceUnusable(message)
        kind = Kind.EXCLUDED if action.name == "exclude" else Kind.OVERRIDDEN
        return Column(column.name, kind, source=column, action=action)
