"""Looking at tables that change between two looks."""

from __future__ import annotations

from typing import Any

import pytest

from isotherm_cdc.snapshot import reader, tables
from isotherm_cdc.values.columns import Column, Kind, Table

NUMBER = ("int", "int", 10, 0, None, None, None)
OLD = [("a", *NUMBER), ("b", *NUMBER)]
NEW = [("a", *NUMBER), ("k", *NUMBER)]


def answers(monkeypatch: pytest.MonkeyPatch, *found: list[tuple[Any, ...]]) -> None:
    """Let MySQL answer so, one query after another."""
    waiting = iter(found)
    monkeypatch.setattr(tables.mysql, "query", lambda *_: next(waiting))


@pytest.mark.parametrize(
    ("columns", "key"), [(OLD, []), (OLD, [("k",)])], ids=["it was away in between", "it had another key by then"]
)
def test_a_table_that_changes_between_two_questions_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, columns: list[tuple[Any, ...]], key: list[tuple[Any, ...]]
) -> None:
    """Columns of one moment and the key of another are no table."""
    answers(monkeypatch, columns, key, NEW, [("k",)], NEW)
    assert tables.read_table(None, "d", "t") == Table(  # type: ignore[arg-type]
        "d", "t", (Column("a", Kind.INTEGER, 4), Column("k", Kind.INTEGER, 4)), (1,)
    )


def test_a_table_that_is_gone_in_the_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was seen of it before."""
    answers(monkeypatch, OLD, [("a",)], [], [], [])
    assert tables.read_table(None, "d", "t") is None  # type: ignore[arg-type]


def test_a_cursor_of_another_key_is_no_place_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key has changed at the source, and the stream has not told yet: the chunk cannot be read."""
    table = Table("d", "t", (Column("a", Kind.INTEGER, 4), Column("k", Kind.INTEGER, 4)), (1, 0))
    monkeypatch.setattr(reader.mysql, "connect", lambda *_, **__: None)
    monkeypatch.setattr(reader.mysql, "query", lambda *_: [])
    monkeypatch.setattr(reader, "read_table", lambda *_: table)
    monkeypatch.setattr(reader.mysql, "gtid_executed", lambda _: None)
    found = reader.TableReader(None, "d.t")  # type: ignore[arg-type]
    with pytest.raises(reader.TableChanged):
        found.read(("5",), 10)
