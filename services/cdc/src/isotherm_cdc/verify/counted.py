"""Comparing a table without a key: how often each row is there, on both sides."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bson

from isotherm_cdc.verify.differences import Difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.collection import Collection

    from isotherm_cdc.gtid import GtidSet
    from isotherm_cdc.verify.differences import TableResult
    from isotherm_cdc.verify.source import SourceRow, SourceTable

Document = dict[str, Any]
Columns = dict[str, tuple[str, str]]
MOST_PAIRS = 40_000
"""Rows without a document, times documents without a row, that are held against each other."""


@dataclass(slots=True)
class _Equal:
    """Equal rows: one of them, and how many there are."""

    row: SourceRow
    count: int = 0


@dataclass(frozen=True)
class _Finding:
    """What differs about one key: the difference, and what it is judged by from one look to the next."""

    difference: Difference
    state: tuple[int, Any]


class CountedComparison:
    """One table's."""

    def __init__(
        self,
        source: SourceTable,
        collection: Collection[Document],
        result: TableResult,
        wait_for: Callable[[GtidSet], None],
        columns: Callable[[SourceRow, Document], Columns],
    ) -> None:
        """Prepare.

        Args:
            source: the table.
            collection: its documents.
            result: filled with what is found.
            wait_for: waits until the checkpoint has passed what the source had executed.
            columns: what differs between a row and its document.
        """
        self._source = source
        self._collection = collection
        self._result = result
        self._wait_for = wait_for
        self._columns = columns

    def run(self, looks: int, pause_seconds: float) -> None:
        """Look until nothing differs, or what differs does not change from one look to the next."""
        before: dict[bytes, tuple[int, Any]] = {}
        found: dict[bytes, _Finding] = {}
        for attempt in range(looks):
            if attempt:
                time.sleep(pause_seconds)
            found = self._look()
            if all(before.get(key) == one.state for key, one in found.items()):
                break
            before = {key: one.state for key, one in found.items()}
        for key, one in found.items():
            if before.get(key) == one.state:
                self._result.differences.append(one.difference)
            else:
                self._result.unsettled.append(one.difference.key)

    def _look(self) -> dict[bytes, _Finding]:
        """Read both sides whole."""
        rows: dict[bytes, _Equal] = {}
        for row in self._source.view():
            rows.setdefault(row.key, _Equal(row)).count += 1
        self._result.rows = sum(equal.count for equal in rows.values())
        self._result.sha256 = _digest(rows)
        self._wait_for(self._source.executed())
        found: dict[bytes, _Finding] = {}
        extra: dict[bytes, Document] = {}
        for document in self._collection.find():
            key = bson.encode({"_id": document["_id"]})
            equal = rows.pop(key, None)
            if equal is None:
                extra[key] = document
            elif differing := self._differing(equal, document):
                found[key] = self._finding("different", document["_id"], equal.count, document, differing)
        self._pair(rows, extra)
        for key, equal in rows.items():
            found[key] = self._finding("missing", bson.decode(key)["_id"], equal.count, None)
        for key, document in extra.items():
            found[key] = self._finding("extra", document["_id"], 0, document)
        return found

    def _pair(self, rows: dict[bytes, _Equal], extra: dict[bytes, Document]) -> None:
        """Find rows whose hash MySQL's text does not tell (decimals in JSON): their documents have all their values."""
        if len(rows) * len(extra) > MOST_PAIRS:
            return
        for key, equal in list(rows.items()):
            for other, document in extra.items():
                if not self._differing(equal, document):
                    del rows[key], extra[other]
                    break

    def _differing(self, equal: _Equal, document: Document) -> Columns:
        count = (document.get("_cdc") or {}).get("rows")
        differing = self._columns(equal.row, document)
        return differing if count == equal.count else {"(rows)": (str(equal.count), str(count)), **differing}

    def _finding(
        self, kind: Any, identity: Any, count: int, document: Document | None, columns: Columns | None = None
    ) -> _Finding:
        return _Finding(Difference(kind, self._source.full_name, identity, columns or {}), (count, document))


def _digest(rows: dict[bytes, _Equal]) -> str:
    """Return the hash of all rows in an order that depends on nothing but them."""
    parts = sorted((hashlib.sha256(repr(equal.row.texts).encode()).digest(), equal.count) for equal in rows.values())
    return hashlib.sha256(b"".join(digest + count.to_bytes(8, "big") for digest, count in parts)).hexdigest()
