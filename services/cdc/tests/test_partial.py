"""Row events that leave something out, byte by byte, and what the pipeline does with rows that are not told."""

from __future__ import annotations

import struct
from typing import Any

import bson
import pytest

from cdc_support import binlog_events as made
from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.decode import BadRow, PartialRow, Row
from isotherm_cdc.binlog.partial import PartialDecoder
from isotherm_cdc.checkpoint import Checkpoint, TableSnapshot, from_document, initial_fields
from isotherm_cdc.errors import DataError, UnsupportedEvent
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline import window
from isotherm_cdc.pipeline.batch import Limits
from isotherm_cdc.pipeline.pipeline import Pipeline
from isotherm_cdc.pipeline.window import SnapshotRow
from isotherm_cdc.values import json_diff
from isotherm_cdc.values.columns import Column, Kind, Table

ORIGIN = made.ORIGIN
TABLE = Table("d", "t", (Column("a", Kind.INTEGER, 4), Column("b", Kind.INTEGER, 4)), (0,))
JSON_TABLE = Table("d", "t", (Column("a", Kind.INTEGER, 4), Column("j", Kind.JSON, 4)), (0,))
ONE = b"\0\1\0\0\0"
DOCUMENT = b"\x00\x01\x00\x0c\x00\x0b\x00\x01\x00\x05\x01\x00a"
"""The object {"a": 1} in MySQL's binary form."""


def key(number: int) -> bytes:
    return bson.encode({"_id": number})


def update(
    before: bytes, after: bytes, present_before: int, present_after: int, kind: int = events.UPDATE_ROWS[1]
) -> bytes:
    body = (1).to_bytes(6, "little") + b"\1\0\2\0\2" + bytes([present_before, present_after])
    assert kind in (*events.UPDATE_ROWS, events.PARTIAL_UPDATE_ROWS)
    return body + before + after


def test_minimal_images() -> None:
    """A delete tells its key, an update of some columns only its key; both keys when the key changes."""
    decoder = PartialDecoder(TABLE)
    deleted = made.rows(events.DELETE_ROWS[1], ONE, ONE, present=b"\1").body
    assert decoder.rows("delete", deleted) == [Row("delete", key(1), None)] * 2
    wider = Table("d", "t", (*TABLE.columns, Column("c", Kind.INTEGER, 4)), (0,))
    changed = bytearray(update(ONE, b"\0\7\0\0\0", 1, 2))
    changed[10] = 3
    assert PartialDecoder(wider).rows("update", bytes(changed)) == [PartialRow("update", key(1))]
    moved = update(ONE, b"\0\2\0\0\0", 1, 1)
    assert decoder.rows("update", moved) == [PartialRow("update", key(2), old_key=key(1))]
    assert decoder.rows("insert", made.rows(events.WRITE_ROWS[1], ONE, present=b"\1").body) == [
        PartialRow("insert", key(1))
    ]


def test_what_both_images_tell_together() -> None:
    """The row before and the columns that changed make a whole row."""
    (row,) = PartialDecoder(TABLE).rows(
        "update", update(b"\0" + struct.pack("<ii", 1, 2), b"\0" + struct.pack("<i", 9), 3, 2)
    )
    assert isinstance(row, Row)
    assert bson.decode(struct.pack("<i", len(row.elements or b"") + 5) + (row.elements or b"") + b"\0") == {
        "_id": 1,
        "a": 1,
        "b": 9,
    }


@pytest.mark.parametrize(
    ("present", "image", "problem"),
    [(2, b"\0\1\0\0\0", "not a of its key"), (1, b"\0\1\0", "cannot be read"), (1, b"", "cannot be read")],
)
def test_what_has_no_key_or_is_broken_is_refused(present: int, image: bytes, problem: str) -> None:
    """An event is never passed over, and never read beyond its end."""
    body = update(b"\0\1\0\0\0", image, present, 1)
    with pytest.raises(UnsupportedEvent, match=problem):
        PartialDecoder(TABLE).rows("update", body)


def differences(*changes: tuple[int, str, bytes]) -> bytes:
    parts = []
    for operation, path, value in changes:
        parts += [bytes([operation, len(path)]), path.encode()]
        parts += [bytes([len(value)]), value] if operation != 2 else []
    return b"".join(parts)


def json_update(changes: bytes, document: bytes | None = DOCUMENT) -> bytes:
    if document is None:
        before, present = ONE, 1
    else:
        before, present = ONE + struct.pack("<I", len(document)) + document, 3
    after = b"\1\1" + ONE + struct.pack("<I", len(changes)) + changes
    return update(before, after, present, 3, events.PARTIAL_UPDATE_ROWS)


def test_json_differences() -> None:
    """They are applied to the document before; without it, or where they do not fit, the row is read again."""
    decoder = PartialDecoder(JSON_TABLE)
    two = b"\x05\x02\x00"
    (row,) = decoder.rows(
        "update", json_update(differences((0, "$.a", two), (1, "$.bb", two), (1, "$.b", two))), differences=True
    )
    assert isinstance(row, Row)
    document = bson.decode(struct.pack("<i", len(row.elements or b"") + 5) + (row.elements or b"") + b"\0")
    assert list(document["j"].items()) == [("a", 2), ("b", 2), ("bb", 2)]
    for body in (
        json_update(differences((0, "$.x", two))), json_update(differences((2, "$[0]", b""))), json_update(b"\x00\x09$"),
        json_update(differences((0, "$.a", two)), None), json_update(differences((7, "$.a", two))),
    ):  # fmt: skip
        assert decoder.rows("update", body, differences=True) == [PartialRow("update", key(1))]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("$", ()), ("$.a", ("a",)), ("$[3].b", (3, "b")), ('$."a.b"."c\\"d\\\\"', ("a.b", 'c"d\\')),
        ('$."\\u65e5\\n"[0][1]', ("日\n", 0, 1)), ('$."\\ud83d\\ude00"', ("\U0001f600",)), ("$.é", ("é",)),
    ],
)  # fmt: skip
def test_paths(text: str, path: tuple[Any, ...]) -> None:
    """As MySQL writes them, quoted where a name needs it."""
    assert json_diff.parse_path(text) == path


@pytest.mark.parametrize("text", ["", "a", "$.", "$.*", "$[*]", "$**.a", "$[last]", '$."a', "$[1"])
def test_what_is_no_path_to_one_place(text: str) -> None:
    """It is refused rather than taken for another."""
    with pytest.raises(ValueError, match="path"):
        json_diff.parse_path(text)
    with pytest.raises(DataError):
        json_diff.apply({"a": 1}, differences((2, text, b"")))


def pipeline(**changes: Any) -> Pipeline:
    return Pipeline(Checkpoint("p", "s", 1).moved(**changes), Limits(rows=5))


def feed(target: Pipeline, number: int, *rows: Row | PartialRow | BadRow) -> None:
    target.start(ORIGIN, number, 1)
    target.rows("d.t", 0, rows, 100, partial=True)
    target.end()


def test_rows_that_are_not_told_are_read_by_their_keys() -> None:
    """The batch that passes them orders it; a changed key's old document goes at once; the order outlives the reader."""
    target = pipeline()
    feed(
        target,
        1,
        PartialRow("update", key(1)),
        PartialRow("update", key(3), old_key=key(2)),
        Row("delete", key(4), None),
    )
    batch = target.take()
    assert batch is not None
    assert {name: elements for name, (elements, _) in batch.writes["d.t"].items()} == {key(2): None, key(4): None}
    (state,) = batch.snapshot
    assert (state.keys, state.read) == ((key(1), key(3)), True)
    stored = from_document(
        {"_id": "p", "term": 1, **initial_fields("s"), "snapshot": {"tables": [state.to_document()]}}
    )
    assert stored.snapshot == (state,)
    known = target.open_window("d.t", keys=state.keys)
    assert str(known) == f"{ORIGIN}:1"
    target.close_window([SnapshotRow(key(3), b"three", ("3",))], GtidSet.parse(f"{ORIGIN}:1"), last=False)
    batch = target.take()
    assert batch is not None
    assert {name: elements for name, (elements, _) in batch.writes["d.t"].items()} == {key(3): b"three"}
    assert batch.snapshot == ()


def test_a_row_that_changes_again_unseen_is_read_once_more() -> None:
    """What was read is written, for nothing newer is known, but it may be older than the change."""
    target = pipeline(snapshot=(TableSnapshot("d.t", read=True, keys=(key(1), key(2))),))
    target.open_window("d.t", keys=(key(1), key(2)))
    feed(target, 1, PartialRow("update", key(1)), Row("update", key(2), b"newer"))
    rows = [SnapshotRow(key(1), b"read", ("1",)), SnapshotRow(key(2), b"read", ("2",))]
    target.close_window(rows, GtidSet.parse(f"{ORIGIN}:1"), last=False)
    batch = target.take()
    assert batch is not None
    assert {name: elements for name, (elements, _) in batch.writes["d.t"].items()} == {
        key(1): b"read",
        key(2): b"newer",
    }
    assert [state.keys for state in batch.snapshot] == [(key(1),)]


def test_a_reading_that_is_under_way_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys do not disturb where a table's reading stands, nor do too many of them."""
    state = TableSnapshot("d.t", cursor=("7",), ghosts_before=3, rows=7)
    target = pipeline(seq=3, snapshot=(state,))
    feed(target, 1, PartialRow("update", key(1)))
    batch = target.take()
    assert batch is not None
    (after,) = batch.snapshot
    assert (after.cursor, after.ghosts_before, after.keys, after.read) == (("7",), 3, (key(1),), False)
    target.open_window("d.t", keys=after.keys)
    target.close_window([SnapshotRow(key(1), b"read", ("1",))], GtidSet.parse(f"{ORIGIN}:1"), last=False)
    batch = target.take()
    assert batch is not None
    (after,) = batch.snapshot
    assert (after.cursor, after.keys, after.read) == (("7",), (), False)
    monkeypatch.setattr(window, "MOST_KEYS", 2)
    feed(target, 2, *(PartialRow("update", key(number)) for number in range(3)))
    batch = target.take()
    assert batch is not None
    (after,) = batch.snapshot
    assert (after.cursor, after.keys, after.again) == (("7",), (), True)


def test_a_table_is_read_to_its_end_however_many_rows_are_not_told() -> None:
    """Sessions that log rows in part and never rest keep neither the table's reading from its end nor the next table's."""
    tables = TableSnapshot("d.t", ghosts_before=3), TableSnapshot("d.u")
    target = pipeline(seq=3, snapshot=tables)
    read: list[tuple[str, str]] = []
    for number in range(1, 30):
        feed(target, number, *(PartialRow("update", key(number % 7 + more)) for more in range(3)))
        while target.take() is not None:
            pass
        to_read, state = target.to_read(), target.snapshot[0]
        assert to_read is not None
        read.append((to_read, state.table))
        if to_read == "sweep":
            target.request_sweep(state.table)
            continue
        keys = state.keys[:2] if to_read == "keys" else ()
        target.open_window(state.table, keys=keys)
        at = int(state.cursor[0]) + 1 if state.cursor else 0
        rows = [SnapshotRow(key(at), b"read", (str(at),))] if not keys else []
        target.close_window(rows, GtidSet.parse(f"{ORIGIN}:1-{number}"), last=at == 3)
    assert ("sweep", "d.t") in read
    assert read.count(("rows", "d.u")) == 4
    assert [state.table for state in target.snapshot] == ["d.t"]
    assert ("keys", "d.t") in read[-3:]


def test_too_many_rows_wait_for_the_end_of_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun anew each time it might never come to its end; when it has, the table is read once more, without ghosts."""
    monkeypatch.setattr(window, "MOST_KEYS", 2)
    target = pipeline(seq=3, snapshot=(TableSnapshot("d.t", cursor=("7",), ghosts_before=3),))
    feed(target, 1, *(PartialRow("update", key(number)) for number in range(3)))
    batch = target.take()
    assert batch is not None
    (state,) = batch.snapshot
    assert (state.cursor, state.keys, state.again) == (("7",), (), True)
    assert TableSnapshot.from_document(state.to_document()) == state
    target.open_window("d.t")
    target.close_window([], GtidSet.parse(f"{ORIGIN}:1"), last=True)
    target.take()
    target.request_sweep("d.t")
    batch = target.take()
    assert batch is not None
    assert [clear.up_to_seq for clear in batch.clears] == [3]
    assert batch.snapshot == (TableSnapshot("d.t"),)
