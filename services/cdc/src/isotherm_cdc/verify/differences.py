"""What a comparison finds, as it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Difference:
    """One row and its document.

    Attributes:
        kind: `missing`: a row without a document; `extra`: a document without a row; `different`: both, not equal.
        table: `schema.table`.
        key: the `_id`.
        columns: for `different`, each column that differs: what MySQL has, what the document has.
    """

    kind: Literal["missing", "extra", "different"]
    table: str
    key: Any
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Write it for people."""
        head = f"{self.kind:<9} {self.table} _id={self.key!r}"
        if not self.columns:
            return [head]
        return [f"{head} {name}: MySQL {ours}, MongoDB {theirs}" for name, (ours, theirs) in self.columns.items()]


@dataclass
class TableResult:
    """What is known of one table.

    Attributes:
        table: `schema.table`.
        rows: rows compared.
        sha256: of the rows as MySQL renders them, in key order: the same table has the same everywhere.
        differences: what differs.
        unsettled: keys of rows that change so fast that they could not be compared.
        skipped: columns that are not compared.
    """

    table: str
    rows: int = 0
    sha256: str = ""
    differences: list[Difference] = field(default_factory=list)
    unsettled: list[Any] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Write the result in one line."""
        rest = f", {len(self.unsettled)} change too fast to be compared" if self.unsettled else ""
        rest += f", not compared: {', '.join(self.skipped)}" if self.skipped else ""
        if self.differences:
            return f"{self.table}: {self.rows} rows, {len(self.differences)} differences{rest}"
        return f"{self.table}: {self.rows} rows equal{rest}, sha256 {self.sha256}"


@dataclass
class Result:
    """What is known of all tables."""

    tables: list[TableResult] = field(default_factory=list)

    @property
    def different(self) -> bool:
        """Whether anything differs."""
        return any(table.differences for table in self.tables)

    @property
    def unsettled(self) -> bool:
        """Whether anything could not be compared."""
        return any(table.unsettled for table in self.tables)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "equal": not self.different and not self.unsettled,
            "tables": [
                {
                    "table": table.table,
                    "rows": table.rows,
                    "sha256": table.sha256,
                    "skipped": table.skipped,
                    "unsettled": table.unsettled,
                    "differences": [
                        {
                            "kind": found.kind,
                            "_id": found.key,
                            "columns": {name: {"mysql": a, "mongodb": b} for name, (a, b) in found.columns.items()},
                        }
                        for found in table.differences
                    ],
                }
                for table in self.tables
            ],
        }
