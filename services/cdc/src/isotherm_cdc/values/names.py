"""Names that MySQL allows and MongoDB does not: columns are renamed by a rule, tables are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TAKEN = re.compile(r"_*(?:_id|_cdc|\$.*)", re.DOTALL)
_SCHEMA_CHARACTERS = frozenset('/\\. "$*<>:|?\0')
_LONGEST_SCHEMA_BYTES = 63
_LONGEST_NAMESPACE_BYTES = 255
_OWN_COLLECTIONS = "_cdc_"


def field_name(column: str) -> str:
    """Return the name of a column in documents.

    `_id` and `_cdc` are the document's own, and MongoDB does not replace documents whose fields begin with `$`. Such a
    name gets `_` before it; so does one that would then look like it (`__id`), so that no two names become one.
    """
    return f"_{column}" if _TAKEN.fullmatch(column) else column


def refusal(schema: str, table: str) -> str | None:
    """Return why MongoDB cannot have a collection for a table, None when it can (contract D1)."""
    reason = None
    if wrong := sorted(_SCHEMA_CHARACTERS.intersection(schema)):
        reason = f"a database's name may not hold {wrong[0]!r}"
    elif len(schema.encode()) > _LONGEST_SCHEMA_BYTES:
        reason = f"a database's name may have {_LONGEST_SCHEMA_BYTES} bytes"
    elif schema in ("admin", "local", "config"):
        reason = f"the database {schema} is MongoDB's own"
    elif "$" in table:
        reason = "a collection's name may not hold '$'"
    elif table.startswith("system."):
        reason = "collections whose names begin with 'system.' are MongoDB's own"
    elif table.startswith(_OWN_COLLECTIONS):
        reason = f"collections whose names begin with {_OWN_COLLECTIONS!r} keep the reader's own state"
    elif table.startswith(".") or table.endswith("."):
        reason = "a collection's name may not begin or end with '.'"
    elif len(f"{schema}.{table}".encode()) > _LONGEST_NAMESPACE_BYTES:
        reason = f"database and collection together may have {_LONGEST_NAMESPACE_BYTES} bytes"
    if reason is None:
        return None
    return f"MongoDB cannot have a collection for the table {schema}.{table} ({reason}): rename it, or exclude it."


def differing_only_in_case(schemas: Iterable[str]) -> list[str]:
    """Return a sentence for all schemas of one name in several cases: MongoDB takes only one such database."""
    alike: dict[bytes, set[str]] = {}
    for schema in schemas:
        # MongoDB folds the letters of ASCII only: those of bytes are these.
        alike.setdefault(schema.encode().lower(), set()).add(schema)
    return [
        f"MongoDB cannot have the databases {', '.join(first)} and {last}, whose names differ only in case: rename all but "
        "one, or exclude their tables."
        for *first, last in map(sorted, alike.values())
        if first
    ]
