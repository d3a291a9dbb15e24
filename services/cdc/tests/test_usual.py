"""Transactions read in one pass say what they say event by event, wherever the connection's chunks end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cdc_support import binlog_events as made
from isotherm_cdc.binlog import events, kinds
from isotherm_cdc.binlog.catalogue import Catalogue
from isotherm_cdc.binlog.events import Event
from isotherm_cdc.binlog.messages import End, Message, Start, Whole
from isotherm_cdc.binlog.transactions import Assembler

CHARSETS = {8: "latin1", 45: "utf8mb4", 63: "binary"}
TABLES = {1: ("d", "t"), 2: ("d", "u"), 3: ("x", "t")}
XA = "X'01',X'',1"


def assembler() -> Assembler:
    return Assembler(Catalogue(lambda table: table.startswith("d."), ["d.t", "d.u"]), CHARSETS, unreadable="resnapshot")


@st.composite
def row_events(draw: st.DrawFn) -> list[Event]:
    """Table maps and rows, of captured tables and of others, now and then with a statement among them."""
    found: list[Event] = []
    for table_id in draw(st.lists(st.sampled_from(sorted(TABLES)), max_size=3)):
        schema, name = TABLES[table_id]
        found.append(made.table_map(table_id, name, schema=schema))
        keys = draw(st.lists(st.integers(0, 99), min_size=1, max_size=3))
        found += [made.insert(key, key + 1, table_id=table_id) for key in keys]
        if draw(st.booleans()):
            found.append(Event(events.ROWS_QUERY, events.IGNORABLE_FLAG, b"\0a comment"))
        if draw(st.integers(0, 9)) == 0:
            found.append(made.query("SAVEPOINT `a`"))
    return found


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Transactions of all kinds, one after the other."""
    stream: list[Event] = []
    for number in range(1, draw(st.integers(2, 8))):
        inside = draw(row_events())
        kind = draw(st.sampled_from(("usual", "usual", "usual", "xa", "commit", "ddl", "compressed")))
        if kind == "xa":
            stream += [
                made.gtid(number), made.query(f"XA START {XA}"), *inside, made.query(f"XA END {XA}"),
                made.xa_prepare(one_phase=True),
            ]  # fmt: skip
        elif kind == "ddl":
            stream += [made.gtid(number), made.query("TRUNCATE TABLE d.t")]
        elif kind == "compressed":
            stream += [made.gtid(number), made.payload(made.query("BEGIN"), *inside, made.xid())]
        else:
            end = made.query("COMMIT") if kind == "commit" else made.xid()
            stream += [made.gtid(number), made.query("BEGIN"), *inside, end]
    return stream


def by_event(stream: list[Event]) -> list[Message]:
    target = assembler()
    return [message for event in stream for message in target.feed(event)]


def in_passes(chunks: list[list[Event]]) -> tuple[list[Message], int]:
    """The messages, whole transactions as those they stand for, and how many of them there were."""
    target = assembler()
    found: list[Message] = []
    whole = 0
    for chunk in chunks:
        for message in target.read(chunk):
            if isinstance(message, Whole):
                whole += 1
                found += [Start(message.gtid), *message.rows, End()]
            else:
                found.append(message)
    return found, whole


@given(streams(), st.data())
def test_one_pass_says_the_same(stream: list[Event], data: st.DataObject) -> None:
    """Whatever the transactions are, and wherever a chunk ends."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=4)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    found, _ = in_passes(chunks)
    assert found == by_event(stream)


def test_usual_transactions_are_read_in_one_pass() -> None:
    """All but the one that brings a table's map for the first time, and the one that is cut off."""

    def transaction(number: int) -> list[Event]:
        return [made.gtid(number), made.query("BEGIN"), made.table_map(), made.insert(number), made.xid()]

    first, second, third, fourth = map(transaction, range(1, 5))
    found, whole = in_passes([first + second + third[:-1], third[-1:] + fourth])
    assert whole == len((second, fourth))
    assert found == by_event(first + second + third + fourth)


def test_a_row_that_cannot_be_read_is_left_to_the_assembler() -> None:
    """What is done about it is decided in one place."""
    broken = made.rows(events.WRITE_ROWS[1], b"\0")
    assert broken.kind in kinds.OPERATIONS
    good = [made.gtid(1), made.query("BEGIN"), made.table_map(), made.insert(1), made.xid()]
    bad = [made.gtid(2), made.query("BEGIN"), made.table_map(), broken, made.xid()]
    found, whole = in_passes([good + bad])
    assert whole == 0
    assert found == by_event(good + bad)
