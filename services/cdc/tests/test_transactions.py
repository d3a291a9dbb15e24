"""From events to transactions: what the log may hold besides rows, and what must never be passed over."""

from __future__ import annotations

from typing import Any

import bson
import pytest

from cdc_support import binlog_events as made
from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.catalogue import Catalogue
from isotherm_cdc.binlog.events import Event
from isotherm_cdc.binlog.messages import End, Message, Prepared, Rows, Schema, Start
from isotherm_cdc.binlog.prepared import PreparedTransactions
from isotherm_cdc.binlog.transactions import Assembler
from isotherm_cdc.errors import SourceUnusable, UnsupportedEvent

CHARSETS = {8: "latin1", 45: "utf8mb4", 63: "binary"}
XA = "X'01',X'',1"


def assembler(**options: Any) -> Assembler:
    catalogue = options.pop("catalogue", None) or Catalogue(lambda table: table.startswith("d."), ["d.t", "d.u"])
    return Assembler(catalogue, CHARSETS, **options)


def feed(target: Assembler, *stream: Event) -> list[Message]:
    return [message for event in stream for part in target.unpacked(event) for message in target.feed(part)]


def told(messages: list[Message]) -> list[Any]:
    """Messages as short values: GTID numbers, keys of rows, changes."""
    short: list[Any] = []
    for message in messages:
        if isinstance(message, Start):
            short.append(("start", message.gtid.number))
        elif isinstance(message, Rows):
            short.append((message.table, *(bson.decode(row.key)["_id"] for row in message.rows)))  # type: ignore[union-attr]
        elif isinstance(message, Schema):
            short.append([(change.effect, change.table) for change in message.changes])
        elif isinstance(message, Prepared):
            short.append(("prepared", message.gtid.number))
        elif isinstance(message, End):
            short.append(("end", message.prepared.number) if message.prepared else "end")
    return short


def transaction(number: int, *inner: Event, end: Event | None = None) -> list[Event]:
    return [made.gtid(number), made.query("BEGIN"), *inner, end or made.xid()]


def xa_transaction(number: int, *inner: Event, one_phase: bool = False) -> list[Event]:
    return [
        made.gtid(number), made.query(f"XA START {XA}"), *inner, made.query(f"XA END {XA}"),
        made.xa_prepare(one_phase=one_phase),
    ]  # fmt: skip


def outcome(number: int, verb: str) -> list[Event]:
    return [made.gtid(number), made.query(f"XA {verb} {XA}")]


def test_rows_of_a_transaction() -> None:
    """Rows come between the beginning and the end, those of tables that are not captured are left out."""
    messages = feed(
        assembler(),
        *transaction(1, made.table_map(), made.insert(5), made.table_map(2, schema="x"), made.insert(6, table_id=2)),
    )
    assert told(messages) == [("start", 1), ("d.t", 5), "end"]
    assert messages[0].gtid.commit_us == 1_000_000  # type: ignore[union-attr]


def test_a_compressed_transaction_is_unpacked_piece_by_piece() -> None:
    """Its events come one at a time: whole it may be larger than the memory."""
    inner = [made.query("BEGIN"), made.table_map(), made.insert(1), made.insert(2), made.xid()]
    target = assembler()
    assert target.feed(made.gtid(1)) == []
    parts = iter(target.unpacked(made.payload(*inner)))
    assert told(target.feed(next(parts))) == [("start", 1)]
    assert told([message for part in parts for message in target.feed(part)]) == [("d.t", 1), ("d.t", 2), "end"]


def test_a_broken_compressed_transaction_names_its_gtid() -> None:
    """Bytes that are no zstd frame stop the reader."""
    broken = made.payload(made.query("BEGIN"))
    target = assembler()
    target.feed(made.gtid(7))
    with pytest.raises(UnsupportedEvent, match=f"{made.ORIGIN}:7"):
        list(target.unpacked(Event(broken.kind, 0, broken.body[:-6] + b"broken")))


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "compressed"])
def test_xa_rows_count_when_committed(wrapped: bool) -> None:
    """They come with the transaction that commits them, which also tells that the prepared one is done."""
    target = assembler()
    prepare = xa_transaction(1, made.table_map(), made.insert(1), made.insert(2))
    if wrapped:
        prepare = [prepare[0], made.payload(*prepare[1:])]
    assert told(feed(target, *prepare)) == [("prepared", 1)]
    assert told(feed(target, *transaction(2, made.table_map(), made.insert(9)))) == [("start", 2), ("d.t", 9), "end"]
    assert told(feed(target, *outcome(3, "COMMIT"))) == [("start", 3), ("d.t", 1), ("d.t", 2), ("end", 1)]


def test_xa_rows_do_not_count_when_rolled_back() -> None:
    """Nothing of them is told but that they are done with."""
    target = assembler()
    feed(target, *xa_transaction(1, made.table_map(), made.insert(1)))
    assert told(feed(target, *outcome(2, "ROLLBACK"))) == [("start", 2), ("end", 1)]


def test_xa_in_one_phase_is_a_transaction_like_any_other() -> None:
    """XA COMMIT … ONE PHASE leaves nothing prepared."""
    messages = feed(assembler(), *xa_transaction(1, made.table_map(), made.insert(1), one_phase=True))
    assert told(messages) == [("start", 1), ("d.t", 1), "end"]


def test_an_xa_transaction_too_large_to_hold_has_its_tables_read_again() -> None:
    """Memory stays bounded; several prepared ones share the limit and give back what they held."""
    target = assembler(prepared=PreparedTransactions(limit_bytes=80))
    feed(target, *xa_transaction(1, made.table_map(), *(made.insert(n) for n in range(9))))
    assert told(feed(target, *outcome(2, "COMMIT"))) == [("start", 2), [("reread", "d.t")], ("end", 1)]
    feed(target, *xa_transaction(3, made.table_map(), made.insert(1)))
    assert told(feed(target, *outcome(4, "COMMIT"))) == [("start", 4), ("d.t", 1), ("end", 3)]


def test_the_commit_of_an_xa_transaction_prepared_before_the_beginning() -> None:
    """Its rows were never sent: everything is read again. Its rollback means nothing."""
    target = assembler()
    assert told(feed(target, *outcome(5, "ROLLBACK"))) == [("start", 5), "end"]
    assert told(feed(target, *outcome(6, "COMMIT"))) == [
        ("start", 6), [("reread", "d.t"), ("reread", "d.u")], "end",
    ]  # fmt: skip


def test_ddl_stands_in_a_transaction_of_its_own() -> None:
    """Also when it is no business of ours."""
    target = assembler()
    assert told(feed(target, made.gtid(1), made.query("TRUNCATE TABLE t"))) == [
        ("start", 1), [("truncate", "d.t")], "end",
    ]  # fmt: skip
    assert told(feed(target, made.gtid(2), made.query("CREATE USER u"))) == [("start", 2), [], "end"]
    assert told(feed(target, made.gtid(3), made.query("DROP DATABASE d"))) == [
        ("start", 3), [("drop", "d.t"), ("drop", "d.u")], "end",
    ]  # fmt: skip


def test_create_select_goes_on_with_its_rows() -> None:
    """One transaction holds the statement and the rows."""
    create = made.query("CREATE TABLE `n` (`a` int) START TRANSACTION")
    messages = feed(assembler(), *transaction(1, create, made.table_map(1, "n"), made.insert(1)))
    assert told(messages) == [("start", 1), [("reread", "d.n")], ("d.n", 1), "end"]


@pytest.mark.parametrize("keyed", [False, True])
def test_a_unique_key_that_comes_or_goes(keyed: bool) -> None:
    """It may be what tells rows apart, but not where there is a primary key."""
    asked: list[str] = []
    catalogue = Catalogue(lambda table: table == "d.t", ["d.t"])
    target = Assembler(catalogue, {}, has_primary_key=lambda table: asked.append(table) or keyed)  # type: ignore[func-returns-value]
    for number, sql in enumerate(("CREATE UNIQUE INDEX i ON t (a)", "DROP INDEX i ON t", "DROP INDEX i ON other"), 1):
        changes = [] if keyed or "other" in sql else [("reread", "d.t")]
        assert told(feed(target, made.gtid(number), made.query(sql))) == [("start", number), changes, "end"]
    assert asked == ["d.t", "d.t"]


def test_truncate_that_may_mean_a_temporary_table() -> None:
    """The flag of a session's own tables turns it into reading again, which is right whatever was meant."""
    messages = feed(assembler(), made.gtid(1), made.query("TRUNCATE t", flags=events.THREAD_SPECIFIC_FLAG))
    assert told(messages) == [("start", 1), [("reread", "d.t")], "end"]


def test_a_memory_table_is_emptied_by_a_restart() -> None:
    """MySQL logs DELETE FROM as a statement when a MEMORY table is opened first."""
    messages = feed(assembler(), *transaction(1, made.query("DELETE FROM `d`.`t`"), end=made.query("COMMIT")))
    assert told(messages) == [("start", 1), [("truncate", "d.t")], "end"]


def test_names_in_the_clients_character_set() -> None:
    """A statement is in the character set of the client that sent it, as the event's status says."""
    status = b"\x00\0\0\0\0" + b"\x01" + (4).to_bytes(8, "little") + b"\x06\x03std" + b"\x04" + b"\x08\0\x08\0\x08\0"
    event = made.query('TRUNCATE "é"', status=status, encoding="latin-1")
    assert told(feed(assembler(), made.gtid(1), event))[1] == [("truncate", "d.é")]


def test_savepoints() -> None:
    """Going back to a savepoint is nothing when no rows came since; otherwise their fate is not known."""
    target = assembler()
    marks = [made.query("SAVEPOINT `s`"), made.query("ROLLBACK TO `s`")]
    assert told(feed(target, *transaction(1, made.table_map(), made.insert(1), *marks))) == [
        ("start", 1), ("d.t", 1), "end",
    ]  # fmt: skip
    with pytest.raises(UnsupportedEvent, match="GTID"):
        feed(target, *transaction(2, made.table_map(), marks[0], made.insert(1), marks[1]))


UNREADABLE = {
    "statement": [made.query("INSERT INTO t VALUES (1)")],
    "load data": [Event(events.BEGIN_LOAD_QUERY, 0, b"")],
    "execute load": [Event(events.EXECUTE_LOAD_QUERY, 0, b"")],
    "rollback after rows": [made.table_map(), made.insert(1), made.query("ROLLBACK")],
    "incident": [Event(events.INCIDENT, 0, b"\1\0")],
    "no key": [made.table_map(), made.rows(events.WRITE_ROWS[1], b"\0\1\0\0\0", present=b"\2")],
    "a broken partial image": [made.table_map(), made.rows(events.WRITE_ROWS[1], b"\0\1\0", present=b"\1")],
    "no metadata": [made.table_map(metadata=False), made.insert(1)],
}


@pytest.mark.parametrize("inner", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_told_stops_with_its_gtid(inner: list[Event]) -> None:
    """Never passed over: the message names the transaction and the way on."""
    with pytest.raises((UnsupportedEvent, SourceUnusable), match=f"{made.ORIGIN}:7"):
        feed(assembler(), *transaction(7, *inner))


@pytest.mark.parametrize("inner", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_told_is_read_again_if_asked_for(inner: list[Event]) -> None:
    """The transaction goes on to its end, and the tables that it may have changed are read again."""
    ends = made.query("ROLLBACK") in inner
    messages = feed(assembler(unreadable="resnapshot"), *transaction(7, *inner)[: -1 if ends else None])
    short = told(messages)
    assert (short[0], short[-1]) == (("start", 7), "end")
    reread = {change.table for message in messages if isinstance(message, Schema) for change in message.changes}
    assert "d.t" in reread
    assert all(
        change.effect == "reread" for message in messages if isinstance(message, Schema) for change in message.changes
    )


def test_an_incident_alone_is_a_transaction() -> None:
    """MySQL writes it with a GTID and nothing else."""
    incident = Event(events.INCIDENT, 0, b"\1\0")
    target = assembler(unreadable="resnapshot")
    assert told(feed(target, made.gtid(1), incident)) == [("start", 1), [("reread", "d.t"), ("reread", "d.u")], "end"]
    with pytest.raises(UnsupportedEvent, match="incident"):
        assembler(unreadable="resnapshot").feed(incident)


@pytest.mark.parametrize("kind", [1, 6, 43, 90, 200, events.ANONYMOUS_GTID])
def test_unknown_events_are_refused(kind: int) -> None:
    """Whatever a future server writes is not passed over, unless it says itself that it may be."""
    for policy in ("fail", "resnapshot"):
        with pytest.raises(UnsupportedEvent):
            feed(assembler(unreadable=policy), made.gtid(1), made.query("BEGIN"), Event(kind, 0, b""))
    if kind != events.ANONYMOUS_GTID:
        assert feed(assembler(), made.gtid(1), Event(kind, events.IGNORABLE_FLAG, b"")) == []


def test_other_tables_may_be_written_in_any_way() -> None:
    """Partial rows of tables that are not captured are no reason to stop."""
    partial = made.rows(events.PARTIAL_UPDATE_ROWS)
    minimal = made.rows(events.WRITE_ROWS[1], b"\0\1\0\0\0", present=b"\1")
    stream = transaction(1, made.table_map(schema="x", metadata=False), partial, minimal)
    assert told(feed(assembler(), *stream)) == [("start", 1), "end"]


def test_the_order_of_events_is_checked() -> None:
    """Rows need a transaction and a table map; a transaction needs its end."""
    with pytest.raises(UnsupportedEvent, match="outside"):
        feed(assembler(), made.insert(1))
    with pytest.raises(UnsupportedEvent, match="table id 1"):
        feed(assembler(), made.gtid(1), made.query("BEGIN"), made.insert(1))
    with pytest.raises(UnsupportedEvent, match="did not end"):
        feed(assembler(), made.gtid(1), made.query("BEGIN"), made.gtid(2))
    with pytest.raises(SourceUnusable, match="gtid_mode"):
        feed(assembler(), made.query("BEGIN"), made.xid())
    with pytest.raises(SourceUnusable, match="gtid_mode"):
        feed(assembler(), made.query("DROP TABLE t"))


def test_an_empty_transaction() -> None:
    """GTIDs that an operator has skipped have a BEGIN and a COMMIT and nothing between."""
    assert told(feed(assembler(), *transaction(1, end=made.query("COMMIT")))) == [("start", 1), "end"]
    assert told(feed(assembler(), *transaction(2, end=made.query("ROLLBACK")))) == [("start", 2), "end"]
