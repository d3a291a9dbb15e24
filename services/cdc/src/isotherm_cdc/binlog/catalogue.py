"""Which tables are captured, and which of them are known to be there at the place in the log that has been reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from isotherm_cdc.binlog.ddl import Effect, Statement, TableChange


class Catalogue:
    """Outlives connections: what has been read of the log stays true."""

    def __init__(
        self,
        captured: Callable[[str], bool],
        tables: Iterable[str] = (),
        *,
        former: Iterable[str] = (),
        exact: bool = True,
        lower_case: bool = False,
        reads_changed: bool = True,
    ) -> None:
        """Begin.

        Args:
            captured: whether a `schema.table` is captured.
            tables: the captured tables that the source has, or may have.
            former: those that it had when the checkpoint was written: they may be dropped further on in the log.
            exact: whether they are there at the place in the log where reading begins; otherwise they may be newer.
            lower_case: whether the source compares names without case (`lower_case_table_names`): the log's row events
                then have them in lower case, its statements as they were written.
            reads_changed: whether tables that statements create or change are to be read.
        """
        self.captured = captured
        self.tables = set(tables)
        self.lower_case = lower_case
        self._reads_changed = reads_changed
        self._present = set(self.tables) if exact else set()
        self._former = set(former)

    def see(self, table: str) -> None:
        """Rows of a captured table have come: it is there."""
        self.tables.add(table)
        self._present.add(table)

    def fold(self, table: str) -> str:
        """Return a name of a statement as row events write it."""
        return table.lower() if self.lower_case else table

    def follow(self, statement: Statement) -> tuple[TableChange, ...]:
        """Take note of a statement, and return what it does to captured tables."""
        if statement.only_if_missing and all(self.fold(table) in self._present for table in statement.created):
            return ()
        changes: dict[str, TableChange] = {}
        for change in statement.changes:
            table = self.fold(change.table)
            if self.captured(table):
                changes[table] = type(change)(self._effect(change.effect, statement), table)
        for table in map(self.fold, statement.gone):
            self._present.discard(table)
        for table in map(self.fold, statement.created):
            if self.captured(table):
                self.see(table)
        self.tables.difference_update(map(self.fold, statement.gone))
        return tuple(changes.values())

    def _effect(self, effect: Effect, statement: Statement) -> Effect:
        if self._reads_changed or effect not in ("reread", "rekey"):
            return effect
        # A table that is created has no rows but those that follow in the log.
        is_new = statement.created and not statement.gone and not statement.only_if_missing
        return "truncate" if is_new else "altered"

    def drop_schema(self, schema: str) -> list[str]:
        """Take note of DROP DATABASE, and return the captured tables that it drops."""
        schema = schema.lower() if self.lower_case else schema
        tables = {table for table in self.tables | self._former if table.partition(".")[0] == schema}
        self._present -= tables
        self.tables -= tables
        return sorted(table for table in tables if self.captured(table))
