"""Damaged binary log events: what MySQL 9.7 wrote of every type, mutated, ends in an error or in rows.

Checksums find damage on the way; these tests are for what comes through all the same, or was written so. FUZZ_EXAMPLES=20000
makes them longer.
"""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdc_support import binlog_events as made
from isotherm_cdc.binlog import events, table_map
from isotherm_cdc.binlog.catalogue import Catalogue
from isotherm_cdc.binlog.compiled import CompiledDecoder
from isotherm_cdc.binlog.decode import BadRow, Operation, Row, RowDecoder
from isotherm_cdc.binlog.events import Event
from isotherm_cdc.binlog.transactions import Assembler
from isotherm_cdc.errors import DataError, UnsupportedEvent
from isotherm_cdc.values import json_values
from isotherm_common.process import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_cdc.values.columns import Table

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
MOST_BYTES = 32 << 20
"""What decoding one event of some kilobytes may allocate."""
OPERATIONS: dict[int, Operation] = {
    events.WRITE_ROWS[1]: "insert",
    events.UPDATE_ROWS[1]: "update",
    events.DELETE_ROWS[1]: "delete",
}
FUZZ = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@cache
def captured() -> tuple[dict[int, str], list[Event]]:
    """The character sets by collation, and the events."""
    file = Path(__file__).parent / "data/events.json.gz"
    found = json.loads(gzip.decompress(file.read_bytes()))
    charsets = {int(number): name for number, name in found["charsets"].items()}
    return charsets, [Event(kind, flags, bytes.fromhex(body)) for kind, flags, body in found["events"]]


@cache
def row_events() -> list[tuple[Table, Operation, bytes]]:
    """Every row event with its table."""
    charsets, stream = captured()
    tables: dict[int, Table] = {}
    found = []
    for event in stream:
        table_id = int.from_bytes(event.body[:6], "little")
        if event.kind == events.TABLE_MAP:
            tables[table_id] = table_map.parse(event.body, charsets)
        elif event.kind in OPERATIONS:
            found.append((tables[table_id], OPERATIONS[event.kind], event.body))
    return found


def assembler() -> Assembler:
    return Assembler(Catalogue(lambda table: table.startswith("fuzz.")), captured()[0])


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[int, int, bytes]]:
    """Some replacements: a position (of 65536 parts), how many bytes go, what comes."""
    one = st.tuples(
        st.integers(0, 65535),
        st.sampled_from([0, 1, 1, 1, 2, 4, 100]),
        st.one_of(
            st.sampled_from([b"", b"\0", b"\xff", b"\xff" * 4, b"\x7f", b"\x80", b"\0" * 4, b"\xfe", b"\xfc\xff\xff"]),
            st.binary(max_size=9),
        ),
    )
    return draw(st.lists(one, min_size=1, max_size=4))


def mutated(body: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for position, gone, come in changes:
        at = position * (len(body) + 1) // 65536
        body = body[:at] + come + body[at + gone :]
    return body


@contextmanager
def bounded() -> Iterator[None]:
    """No allocation without bound."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


def rows_of(decoder: RowDecoder, operation: Operation, body: bytes) -> list[Any]:
    """Return the rows, the last entry being the class of an error."""
    found: list[Any] = []
    try:
        found.extend(decoder.rows(operation, body))
    except ServiceError as error:
        found.append(type(error))
    return found


def documents(rows: list[Any]) -> list[Any]:
    """Decode what the rows hold: BSON that cannot be read would be a wrong row."""
    found = []
    for row in rows:
        if isinstance(row, Row):
            elements = row.elements or b""
            frame = (len(elements) + 5).to_bytes(4, "little") + elements + b"\0"
            found.append((bson.decode(row.key), bson.decode(frame, TOLERANT)))
        elif isinstance(row, BadRow):
            found.append((row.operation, row.data))
    return found


TOLERANT: Any = bson.CodecOptions(datetime_conversion=bson.DatetimeConversion.DATETIME_MS)


def test_the_events_as_they_were_written_are_read() -> None:
    """The corpus is whole: every event of it is understood, and both decoders say the same."""
    target = assembler()
    for event in captured()[1]:
        for part in target.unpacked(event):
            target.feed(part)
    assert len(row_events()) > 50
    for table, operation, body in row_events():
        plain = list(RowDecoder(table).rows(operation, body))
        assert plain == list(CompiledDecoder(table).rows(operation, body))
        assert all(isinstance(row, Row) for row in plain)
        assert documents(plain)


@FUZZ
@given(choice=st.integers(0, 1 << 20), changes=mutations())
def test_a_damaged_row_event(choice: int, changes: list[tuple[int, int, bytes]]) -> None:
    """It ends in rows, dead letters or an error; generated and plain decoder agree; memory is bounded."""
    table, operation, body = row_events()[choice % len(row_events())]
    damaged = mutated(body, changes)
    fast = CompiledDecoder(table)
    rows_of(fast, operation, body)
    with bounded():
        plain = rows_of(RowDecoder(table), operation, damaged)
    assert rows_of(fast, operation, damaged) in (plain, plain[-1:])
    documents(plain)
    whole = sum(len(row.data) for row in plain if isinstance(row, BadRow))
    assert whole <= len(damaged)


@FUZZ
@given(choice=st.integers(0, 1 << 20), cut=st.integers(0, 65535))
def test_a_shortened_row_event_yields_no_row_from_beyond_its_end(choice: int, cut: int) -> None:
    """The rows before the cut are as they were, and the one at it is an error."""
    table, operation, body = row_events()[choice % len(row_events())]
    whole = list(RowDecoder(table).rows(operation, body))
    shortened = body[: cut * len(body) // 65536]
    rows = rows_of(RowDecoder(table), operation, shortened)
    good = [row for row in rows if isinstance(row, Row)]
    assert good == whole[: len(good)]
    assert len(good) < len(whole)


@FUZZ
@given(choice=st.integers(0, 1 << 20), changes=mutations())
def test_a_damaged_event_of_any_kind(choice: int, changes: list[tuple[int, int, bytes]]) -> None:
    """In its transaction it ends in messages or in an error that names the transaction; never in another exception."""
    _, stream = captured()
    position = choice % len(stream)
    begin = max(at for at in range(position + 1) if stream[at].kind in (events.GTID, events.GTID_TAGGED))
    target = assembler()
    with bounded():
        try:
            for at in range(begin, min(position + 4, len(stream))):
                event = stream[at]
                damaged = Event(event.kind, event.flags, mutated(event.body, changes)) if at == position else event
                for part in target.unpacked(damaged):
                    target.feed(part)
        except ServiceError:
            return


@FUZZ
@given(choice=st.integers(0, 1 << 20), changes=mutations())
def test_a_damaged_table_map(choice: int, changes: list[tuple[int, int, bytes]]) -> None:
    """It is a table or an error."""
    charsets, stream = captured()
    maps = [event.body for event in stream if event.kind == events.TABLE_MAP]
    with bounded():
        try:
            table = table_map.parse(mutated(maps[choice % len(maps)], changes), charsets)
            CompiledDecoder(table)
        except ServiceError:
            return


def test_a_table_map_whose_key_has_a_column_too_many() -> None:
    """It is refused before anything reads a row by it."""
    body = made.table_map().body
    assert body.endswith(b"\x08\x01\x00"), "the key is the last of the metadata: column 0"
    with pytest.raises(UnsupportedEvent, match=r"d\.t has 2 columns and a key of columns \(2,\)"):
        table_map.parse(body[:-1] + b"\x02", {8: "latin1", 45: "utf8mb4", 63: "binary"})


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes_as_json(data: bytes) -> None:
    """A value or an error, soon and within bounds."""
    with bounded():
        try:
            json_values.from_binary(data)
        except DataError:
            return


def test_json_that_contains_itself() -> None:
    """It would never end."""
    with pytest.raises(DataError):
        json_values.from_binary(b"\2\2\0\x20\0" + bytes([2, 0, 0]) * 2 + bytes(64))


def test_json_that_uses_its_parts_twice() -> None:
    """Sixty arrays, each with the next one twice, would be 2^60 values."""
    step = b"\2\0\x0a\0" + bytes([2, 10, 0]) * 2
    with pytest.raises(DataError, match="more than once"):
        json_values.from_binary(b"\2" + step * 60 + b"\0\0\4\0")


def test_json_that_repeats_a_long_text() -> None:
    """Ten thousand references to one text would be a gigabyte."""
    text = b"\xff\xff\x03" + b"x" * 65535
    count = 9000
    head = (2 * 2 + count * 3).to_bytes(2, "little")
    data = b"\x02" + count.to_bytes(2, "little") + b"\0\0" + (b"\x0c" + head) * count + text
    with bounded(), pytest.raises(DataError, match="more than once"):
        json_values.from_binary(data)
