"""`isotherm-cdc verify`: every row against its document, while both change.

A chunk of rows is read, then the source's executed set; when the checkpoint has passed that set, the documents are read.
Whatever differs by then is looked at again by itself: a difference counts when neither the row nor the document changes
from one look to the next, so that changes under way raise no alarm.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import bson

from isotherm_cdc import mysql
from isotherm_cdc.admin.client import wait
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.settings import TableFilter
from isotherm_cdc.snapshot.tables import captured_tables
from isotherm_cdc.values.columns import Kind
from isotherm_cdc.verify.counted import CountedComparison
from isotherm_cdc.verify.differences import Difference, Result, TableResult
from isotherm_cdc.verify.rendering import same, shown
from isotherm_cdc.verify.source import SourceRow, SourceTable
from isotherm_common.process import ServiceError, TryAgainLater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pymongo.collection import Collection

    from isotherm_cdc.admin.client import Admin
    from isotherm_cdc.settings import Settings

CHUNK_ROWS = 1000
KEYS_AT_ONCE = 200
LOOKS = 12
BETWEEN_LOOKS_SECONDS = 0.25
Document = dict[str, Any]


def verify(
    settings: Settings,
    admin: Admin,
    tables: Iterable[str],
    timeout_seconds: float,
    limit: int,
    tell: Callable[[str], None],
) -> Result:
    """Compare tables with their collections.

    Args:
        settings: how both are reached.
        admin: the pipeline.
        tables: `schema.table`; none: all that are captured.
        timeout_seconds: how long to wait for the reader to catch up with a chunk.
        limit: how many differences of a table are told.
        tell: is given each line of the report.

    Raises:
        ServiceError: a table is not captured, or not there.
        TryAgainLater: the reader does not catch up in time.
    """
    names = _captured(settings, list(dict.fromkeys(tables)))
    result = Result()
    for name in names:
        comparison = _Comparison(settings, admin, name, timeout_seconds)
        try:
            found = comparison.run()
        finally:
            comparison.close()
        result.tables.append(found)
        for difference in found.differences[:limit]:
            for line in difference.lines():
                tell(line)
        if len(found.differences) > limit:
            tell(f"… and {len(found.differences) - limit} more in {name}")
        tell(found.summary())
    return result


def _captured(settings: Settings, wanted: list[str]) -> list[str]:
    captured = TableFilter(settings.tables, settings.table_exclude_list)
    for name in wanted:
        if not captured(name):
            message = f"{name} is not captured: look at CDC_TABLE_INCLUDE_LIST and CDC_TABLE_EXCLUDE_LIST."
            raise ServiceError(message)
    connection = mysql.connect(settings.mysql)
    try:
        there = captured_tables(connection, captured.schemas, captured)
    finally:
        connection.close()
    for name in wanted:
        if name not in there:
            message = f"There is no table {name} in MySQL."
            raise ServiceError(message)
    return wanted or there


class _Comparison:
    """One table's."""

    def __init__(self, settings: Settings, admin: Admin, name: str, timeout_seconds: float) -> None:
        self._admin = admin
        self._name = name
        self._timeout_seconds = timeout_seconds
        self._source = SourceTable(settings, name)
        schema, _, table = name.partition(".")
        self._collection: Collection[Document] = admin.client[schema][table]
        self._result = TableResult(name)

    def close(self) -> None:
        self._source.close()

    def run(self) -> TableResult:
        result, table = self._result, self._source.table
        assert table is not None
        self._wait_until_read()
        compared = {column.name for column in self._source.columns}
        result.skipped = [column.name for column in table.columns if column.name not in compared]
        if table.counted:
            counted = CountedComparison(self._source, self._collection, result, self._wait_for, self._columns)
            counted.run(LOOKS, BETWEEN_LOOKS_SECONDS)
            return result
        digest = hashlib.sha256()
        suspects: list[Any] = []
        cursor: tuple[str, ...] | None = None
        while rows := self._source.chunk(cursor, CHUNK_ROWS):
            cursor = rows[-1].cursor
            self._wait_for(self._source.executed())
            documents = self._documents([_identity(row.key) for row in rows])
            for row in rows:
                digest.update(repr(row.texts).encode())
                if not self._equal(row, documents.get(row.key)):
                    suspects.append(_identity(row.key))
            result.rows += len(rows)
        suspects += self._without_row()
        result.sha256 = digest.hexdigest()
        for start in range(0, len(suspects), KEYS_AT_ONCE):
            self._settle(suspects[start : start + KEYS_AT_ONCE])
        return result

    def _wait_until_read(self) -> None:
        def done() -> bool:
            snapshot = (self._admin.checkpoint() or {}).get("snapshot") or {"tables": []}
            return all(table["table"] != self._name for table in snapshot["tables"])

        if not wait(done, self._timeout_seconds):
            message = f"{self._name} is still being read whole: verify it when that is done (isotherm-cdc status)."
            raise TryAgainLater(message)

    def _wait_for(self, executed: GtidSet) -> None:
        def passed() -> bool:
            checkpoint = self._admin.checkpoint()
            return checkpoint is not None and executed <= GtidSet.parse(checkpoint["gtid_set"])

        if not wait(passed, self._timeout_seconds):
            message = (
                f"The reader has not caught up with what MySQL had {self._timeout_seconds:g} s ago: it does not run, is paused "
                "or is far behind (isotherm-cdc status). Verify later, or with a larger --timeout."
            )
            raise TryAgainLater(message)

    def _documents(self, keys: list[Any]) -> dict[bytes, Document]:
        found = self._collection.find({"_id": {"$in": keys}})
        return {bson.encode({"_id": document["_id"]}): document for document in found}

    def _without_row(self) -> list[Any]:
        """Return the keys of documents that have no row at a first look."""
        extra: list[Any] = []
        keys: list[Any] = []

        def look() -> None:
            rows = self._source.rows(keys)
            extra.extend(key for key in keys if bson.encode({"_id": key}) not in rows)
            keys.clear()

        for document in self._collection.find({}, {"_id": 1}).batch_size(CHUNK_ROWS):
            keys.append(document["_id"])
            if len(keys) == KEYS_AT_ONCE:
                look()
        look()
        return extra

    def _settle(self, suspects: list[Any]) -> None:
        """Look again and again until each suspect is equal, or differs without changing."""
        before: dict[bytes, tuple[SourceRow | None, Any]] = {}
        open_keys = {bson.encode({"_id": key}): key for key in suspects}
        for attempt in range(LOOKS):
            if attempt:
                time.sleep(BETWEEN_LOOKS_SECONDS)
            rows = self._source.rows(open_keys.values())
            self._wait_for(self._source.executed())
            documents = self._documents(list(open_keys.values()))
            for encoded, key in list(open_keys.items()):
                row, document = rows.get(encoded), documents.get(encoded)
                if (row is None and document is None) or (row is not None and self._equal(row, document)):
                    del open_keys[encoded]
                elif before.get(encoded) == (row, document):
                    self._result.differences.append(self._difference(key, row, document))
                    del open_keys[encoded]
                before[encoded] = row, document
            if not open_keys:
                return
        self._result.unsettled += open_keys.values()

    def _equal(self, row: SourceRow, document: Document | None) -> bool:
        return document is not None and not self._columns(row, document)

    def _difference(self, key: Any, row: SourceRow | None, document: Document | None) -> Difference:
        if row is None:
            return Difference("extra", self._name, key)
        if document is None:
            return Difference("missing", self._name, key)
        return Difference("different", self._name, key, self._columns(row, document))

    def _columns(self, row: SourceRow, document: Document) -> dict[str, tuple[str, str]]:
        """Return what differs between a row and its document, its fields and their order included."""
        found = {}
        for column, text in zip(self._source.columns, row.texts, strict=True):
            if column.field not in document:
                found[column.name] = shown(column, text), "(no such field)"
            elif not same(column, text, document[column.field]):
                found[column.name] = shown(column, text), repr(document[column.field])
        table = self._source.table
        assert table is not None
        expected = ["_id", *(column.field for column in table.columns if column.kind is not Kind.EXCLUDED), "_cdc"]
        if not found and list(document) != expected:
            found["(fields)"] = ", ".join(expected), ", ".join(document)
        return found


def _identity(key: bytes) -> Any:
    return bson.decode(key)["_id"]
