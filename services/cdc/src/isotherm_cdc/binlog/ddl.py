"""What a statement in the binary log means for the documents.

The columns of a table need no DDL: every TABLE_MAP event tells them. What row events do not tell is that rows have
changed or gone without events of their own. Only a statement's first words, the names of tables and the kinds of an
ALTER TABLE's actions are looked at:

- TRUNCATE TABLE empties the collection.
- DROP TABLE and DROP DATABASE leave the collection (or empty it, if so configured).
- RENAME TABLE and EXCHANGE PARTITION: each name that is captured has its table read again, whatever it now holds: an
  old name that holds no table any more ends without documents.
- CREATE TABLE has the table read: documents of an earlier table of that name go.
- ALTER TABLE has it read again unless all of its actions are known to leave every row and every column as they were.
- A unique key that comes or goes, by ALTER TABLE or by a statement of its own, has a table without a primary key read
  again: its documents may have another key from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isotherm_cdc.binlog import alter
from isotherm_cdc.binlog.sql import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

Effect = Literal["truncate", "drop", "reread", "rekey", "altered"]
StatementKind = Literal["begin", "commit", "rollback", "savepoint", "rollback_to", "control", "xa_start", "xa_end",
                        "xa_commit", "xa_rollback", "dml", "ddl"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a statement does to one table.

    Attributes:
        effect: `truncate`, `drop`, `reread`, `rekey` (a `reread` if the table has no primary key) or `altered` (a `reread` if the
            table is being read anyway).
        table: `schema.table`.
    """

    effect: Effect
    table: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A QUERY event's statement, understood as far as it has to be.

    Attributes:
        kind: what it is.
        changes: what it does to the tables that it names, captured or not.
        name: of a savepoint, an XA transaction or the schema that DROP DATABASE names.
        created: the table that CREATE TABLE names.
        only_if_missing: whether the CREATE TABLE said IF NOT EXISTS.
        gone: tables that are no longer there under these names, as far as this statement tells.
        rows_follow: whether it (CREATE TABLE … SELECT) is followed by its rows in the same transaction.
    """

    kind: StatementKind
    changes: tuple[TableChange, ...] = ()
    name: str = ""
    created: tuple[str, ...] = ()
    only_if_missing: bool = False
    gone: tuple[str, ...] = ()
    rows_follow: bool = False


BEGIN = Statement("begin")
COMMIT = Statement("commit")

_DML = ("INSERT", "UPDATE", "REPLACE", "LOAD", "CALL", "DO", "WITH", "IMPORT", "SELECT", "EXECUTE", "TABLE", "VALUES")


def parse(sql: str, default_schema: str, mode: int = 0) -> Statement:
    """Read a statement.

    Args:
        sql: its text.
        default_schema: where names without a schema are.
        mode: the session's `sql_mode` as bits.
    """
    if sql == "BEGIN":
        return BEGIN
    if sql == "COMMIT":
        return COMMIT
    words = Words(sql, mode)
    first = words.next()
    if first is None or first.kind != "word":
        return Statement("dml" if first is not None and first.text == "(" else "ddl")
    verb = first.text.upper()
    if verb in _DML:
        return Statement("dml")
    reader = _READERS.get(verb)
    return reader(words, default_schema) if reader is not None else Statement("ddl")


def _begin(_: Words, __: str) -> Statement:
    return BEGIN


def _start(words: Words, _: str) -> Statement:
    return BEGIN if words.skip("TRANSACTION") else Statement("ddl")


def _commit(_: Words, __: str) -> Statement:
    return COMMIT


def _rollback(words: Words, _: str) -> Statement:
    words.skip("WORK")
    if not words.skip("TO"):
        return Statement("rollback")
    words.skip("SAVEPOINT")
    return Statement("rollback_to", name=_name(words))


def _savepoint(words: Words, _: str) -> Statement:
    return Statement("savepoint", name=_name(words))


def _release(_: Words, __: str) -> Statement:
    return Statement("control")


def _xa(words: Words, _: str) -> Statement:
    verb = words.next()
    name = "".join(token.text for token in words.rest())
    kinds: dict[str, StatementKind] = {
        "START": "xa_start", "BEGIN": "xa_start", "END": "xa_end", "COMMIT": "xa_commit", "ROLLBACK": "xa_rollback",
    }  # fmt: skip
    return Statement(kinds.get(verb.text.upper() if verb else "", "dml"), name=name)


def _delete(words: Words, schema: str) -> Statement:
    """`DELETE FROM t` and nothing else is how MySQL tells that a MEMORY table was empty after a restart."""
    words.skip("FROM")
    table = words.table(schema)
    if table is None or words.rest():
        return Statement("dml")
    return Statement("ddl", (TableChange("truncate", table),))


def _truncate(words: Words, schema: str) -> Statement:
    words.skip("TABLE")
    return _effect("truncate", [words.table(schema)])


def _drop(words: Words, schema: str) -> Statement:
    if words.skip("TEMPORARY"):
        return Statement("ddl")
    if words.skip("DATABASE", "SCHEMA"):
        words.skip_all("IF", "EXISTS")
        return Statement("ddl", name=_name(words))
    if words.skip("INDEX"):
        effect: Effect = "reread" if _name(words).upper() == "PRIMARY" else "rekey"
        return _effect(effect, [words.table(schema)] if words.skip("ON") else [])
    if not words.skip("TABLE", "TABLES"):
        return Statement("ddl")
    words.skip_all("IF", "EXISTS")
    tables = _tables(words, schema)
    return Statement("ddl", tuple(TableChange("drop", table) for table in tables), gone=tables)


def _create(words: Words, schema: str) -> Statement:
    if words.skip("UNIQUE"):
        return _create_unique_index(words, schema)
    if not words.skip("TABLE"):
        return Statement("ddl")
    only_if_missing = words.skip("IF")
    words.skip_all("NOT", "EXISTS")
    table = words.table(schema)
    if table is None:
        return Statement("ddl")
    rest = words.rest()
    while rest and rest[-1].text == ";":
        rest.pop()
    rows_follow = len(rest) > 1 and rest[-2].is_word("START") and rest[-1].is_word("TRANSACTION")
    change = TableChange("reread", table)
    return Statement(
        "ddl", (change,), created=(table,), only_if_missing=only_if_missing, rows_follow=rows_follow
    )  # fmt: skip


def _create_unique_index(words: Words, schema: str) -> Statement:
    while (token := words.next()) is not None:
        if token.is_word("ON"):
            return _effect("rekey", [words.table(schema)])
    return Statement("ddl")


def _rename(words: Words, schema: str) -> Statement:
    if not words.skip("TABLE", "TABLES"):
        return Statement("ddl")
    there: dict[str, bool] = {}
    while (old := words.table(schema)) is not None and words.skip("TO"):
        new = words.table(schema)
        if new is None:
            break
        there[old], there[new] = False, True
        words.skip_mark(",")
    return _renamed(there)


def _renamed(there: dict[str, bool]) -> Statement:
    return Statement(
        "ddl",
        tuple(TableChange("reread", table) for table in there),
        created=tuple(table for table, is_there in there.items() if is_there),
        gone=tuple(table for table, is_there in there.items() if not is_there),
    )


def _repair(words: Words, schema: str) -> Statement:
    words.skip("NO_WRITE_TO_BINLOG", "LOCAL")
    return _effect("reread", _tables(words, schema)) if words.skip("TABLE", "TABLES") else Statement("ddl")


def _alter(words: Words, schema: str) -> Statement:
    words.skip("ONLINE", "OFFLINE")
    words.skip("IGNORE")
    if not words.skip("TABLE"):
        return Statement("ddl")
    table = words.table(schema)
    if table is None:
        return Statement("ddl")
    reread, rekey, other, renamed = False, False, None, None
    for action in alter.actions(words.rest()):
        if action[0].is_word("RENAME") and not action[1:2][0].is_word("COLUMN", "INDEX", "KEY"):
            renamed = alter.other_table(action[1:], schema, "TO", "AS", "=")
        elif not alter.keeps_rows(action):
            reread = True
        rekey = rekey or alter.changes_keys(action)
        if action[0].is_word("EXCHANGE"):
            at = next((at for at, token in enumerate(action) if token.is_word("TABLE")), len(action))
            other = alter.other_table(action[at + 1 :], schema)
    if renamed is not None:
        return _renamed({table: False, renamed: True})
    changes = [TableChange("reread" if reread else "rekey", table)] if reread or rekey else []
    return Statement("ddl", (*changes, *([TableChange("reread", other)] if other is not None else [])))


def _effect(effect: Effect, tables: Iterable[str | None]) -> Statement:
    return Statement("ddl", tuple(TableChange(effect, table) for table in tables if table is not None))


def _tables(words: Words, schema: str) -> tuple[str, ...]:
    found = []
    while (table := words.table(schema)) is not None:
        found.append(table)
        if not words.skip_mark(","):
            break
    return tuple(found)


def _name(words: Words) -> str:
    token = words.next()
    return token.text if token is not None else ""


_READERS = {
    "BEGIN": _begin,
    "START": _start,
    "COMMIT": _commit,
    "ROLLBACK": _rollback,
    "SAVEPOINT": _savepoint,
    "RELEASE": _release,
    "XA": _xa,
    "DELETE": _delete,
    "TRUNCATE": _truncate,
    "DROP": _drop,
    "CREATE": _create,
    "RENAME": _rename,
    "REPAIR": _repair,
    "ALTER": _alter,
}
