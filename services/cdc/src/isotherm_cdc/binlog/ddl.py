"""What a DDL statement means for the documents, without understanding the statement.

The columns of a table need no DDL: every TABLE_MAP event tells them. What row events do not tell is that rows have
changed or gone without events of their own. Only the first words of a statement and the tables' names are looked at:

- TRUNCATE TABLE empties the collection.
- DROP TABLE and DROP DATABASE leave the collection (or empty it, if so configured).
- Whatever else names a captured table first (CREATE, ALTER, RENAME with both names) has that table read again: an added
  column's default, a dropped partition, the swap of an online schema change, all end in equal documents that way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_NAME = r"(?:`(?:[^`]|``)+`|[\w$\u0080-\uffff]+)"
_TABLE = rf"{_NAME}(?:\s*\.\s*{_NAME})?"
_COMMENT = re.compile(r"/\*(?!!).*?\*/|(?:--[ \t]|#)[^\n]*(?:\n|$)", re.DOTALL)
_TRUNCATE = re.compile(rf"TRUNCATE\s+(?:TABLE\s+)?({_TABLE})", re.IGNORECASE)
_DROP = re.compile(rf"DROP\s+TABLES?\s+(?:IF\s+EXISTS\s+)?({_TABLE}(?:\s*,\s*{_TABLE})*)", re.IGNORECASE)
_DROP_SCHEMA = re.compile(rf"DROP\s+(?:DATABASE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?({_NAME})", re.IGNORECASE)
_RENAME = re.compile(r"RENAME\s+TABLES?\s+(.*)", re.IGNORECASE | re.DOTALL)
_ALTER = re.compile(rf"ALTER\s+(?:IGNORE\s+)?TABLE\s+({_TABLE})", re.IGNORECASE)
_ALTER_OTHER = re.compile(
    rf"(?:\bRENAME\s+(?:TO\s+|AS\s+|=\s*)?(?!COLUMN\b|INDEX\b|KEY\b)|\bWITH\s+TABLE\s+)({_TABLE})", re.IGNORECASE
)
_CREATE = re.compile(rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({_TABLE})", re.IGNORECASE)
_CONTROL = re.compile(r"(?:SAVEPOINT|ROLLBACK\s+(?:WORK\s+)?TO|RELEASE|XA\s+(?:START|BEGIN|END))\b", re.IGNORECASE)
_DML = re.compile(r"(?:INSERT|UPDATE|DELETE|REPLACE|LOAD|CALL|DO|WITH|IMPORT)\b", re.IGNORECASE)
_XA_OUTCOME = re.compile(r"XA\s+(?:COMMIT|ROLLBACK)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a statement does to one table.

    Attributes:
        effect: `truncate`, `drop` or `reread`.
        table: `schema.table`.
    """

    effect: Literal["truncate", "drop", "reread"]
    table: str


StatementKind = Literal["begin", "commit", "rollback", "control", "xa_outcome", "dml", "ddl"]


def classify(sql: str) -> StatementKind:
    """Say what a statement of a QUERY event is."""
    text = strip_comments(sql)
    word = text.upper()
    if word in ("BEGIN", "COMMIT", "ROLLBACK"):
        return {"BEGIN": "begin", "COMMIT": "commit"}.get(word, "rollback")  # type: ignore[return-value]
    for pattern, kind in ((_CONTROL, "control"), (_XA_OUTCOME, "xa_outcome"), (_DML, "dml")):
        if pattern.match(text):
            return kind  # type: ignore[return-value]
    return "ddl"


def rows_follow(sql: str) -> bool:
    """Whether the statement (CREATE TABLE … SELECT) is followed by its rows in the same transaction."""
    return strip_comments(sql).upper().endswith("START TRANSACTION")


def schema_of_drop(sql: str) -> str | None:
    """Return the schema that DROP DATABASE names."""
    match = _DROP_SCHEMA.match(strip_comments(sql))
    return _unquote(match[1]) if match else None


def table_changes(sql: str, default_schema: str) -> list[TableChange]:
    """Return what the statement does to the tables that it names."""
    text = strip_comments(sql)
    if match := _TRUNCATE.match(text):
        return [TableChange("truncate", _full_name(match[1], default_schema))]
    if match := _DROP.match(text):
        return [TableChange("drop", _full_name(name, default_schema)) for name in re.findall(_TABLE, match[1])]
    names: list[str] = []
    if match := _RENAME.match(text):
        for pair in re.finditer(rf"({_TABLE})\s+TO\s+({_TABLE})", match[1], re.IGNORECASE):
            names.extend((pair[1], pair[2]))
    elif match := _ALTER.match(text):
        names.append(match[1])
        names.extend(other[1] for other in _ALTER_OTHER.finditer(text, match.end()))
    elif match := _CREATE.match(text):
        names.append(match[1])
    return [TableChange("reread", _full_name(name, default_schema)) for name in names]


def strip_comments(sql: str) -> str:
    """Return the statement without comments at its ends (executable comments stay)."""
    return _COMMENT.sub(" ", sql).strip().rstrip(";").rstrip()


def _full_name(text: str, default_schema: str) -> str:
    names = [_unquote(name) for name in re.findall(_NAME, text)]
    return ".".join(names if len(names) > 1 else [default_schema, *names])


def _unquote(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
