"""The generated decoder against the plain one: whatever the bytes, both say the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isotherm_cdc.binlog.compiled import MOST_READERS, CompiledDecoder
from isotherm_cdc.binlog.decode import Operation, Row, RowDecoder
from isotherm_cdc.values.columns import Column, Kind, Table

_LABELS = tuple(f"label {number}" for number in range(9))
COLUMNS: list[tuple[Column, int]] = [
    *[
        (Column(f"i{size}{unsigned:d}", Kind.INTEGER, size, unsigned=unsigned), size)
        for size in (1, 2, 3, 4, 8)
        for unsigned in (False, True)
    ],
    (Column("float", Kind.FLOAT), 4),
    (Column("double", Kind.DOUBLE), 8),
    *[
        (Column(f"decimal{precision}_{scale}", Kind.DECIMAL, precision=precision, scale=scale), size)
        for precision, scale, size in (
            (10, 2, 5), (1, 0, 1), (9, 9, 4), (34, 4, 16), (20, 10, 10), (34, 0, 16), (65, 30, 30), (18, 0, 8),
        )
    ],
    (Column("date", Kind.DATE), 3),
    (Column("year", Kind.YEAR), 1),
    *[
        (Column(f"{kind.name}{digits}", kind, fraction_digits=digits), size + (digits + 1) // 2)
        for kind, size in ((Kind.DATETIME, 5), (Kind.TIMESTAMP, 4), (Kind.TIME, 3))
        for digits in range(7)
    ],
    *[
        (Column(f"text {charset} {size}", Kind.STRING, size, charset=charset), -size)
        for charset in ("utf8mb4", "latin1", "utf16", "sjis", "ascii")
        for size in (1, 2)
    ],
    (Column("mediumtext", Kind.STRING, 3, charset="utf8mb3"), -3),
    (Column("binary", Kind.BINARY, 1, length_bytes=5, charset="binary"), -1),
    (Column("blob", Kind.BYTES, 4, charset="binary"), -4),
    (Column("varbinary", Kind.BYTES, 1, charset="binary"), -1),
    (Column("enum", Kind.ENUM, 1, charset="utf8mb4", labels=_LABELS), 1),
    (Column("empty label", Kind.ENUM, 2, charset="utf8mb4", labels=("", "a")), 2),
    (Column("set", Kind.SET, 2, charset="utf8mb4", labels=_LABELS), 2),
    *[(Column(f"bit{size}", Kind.BIT, size), size) for size in (1, 2, 7, 8)],
    (Column("json", Kind.JSON, 4), -4),
    (Column("point", Kind.GEOMETRY, 4), -4),
    (Column("vector", Kind.VECTOR, 4), -4),
]  # fmt: skip
PLAIN_BYTES = {
    Kind.DATE: [bytes.fromhex("ecd00f"), bytes.fromhex("000000")],
    Kind.YEAR: [b"\x00", b"\x7c"],
    Kind.DATETIME: [bytes.fromhex("99b2e8b1c20003e7"), bytes.fromhex("8000000000000000")],
    Kind.TIMESTAMP: [bytes.fromhex("65a0b1c2000062"), bytes.fromhex("00000000000000")],
    Kind.TIME: [bytes.fromhex("80b1c2000001"), bytes.fromhex("7ffffffffffe")],
    Kind.JSON: [bytes.fromhex("0001000c000b0001000501006100"), b"\x04\x00"],
    Kind.GEOMETRY: [bytes.fromhex("e6100000010100000000000000000000400000000000000000")],
    Kind.VECTOR: [bytes.fromhex("0000803f000000c0")],
    Kind.ENUM: [b"\x01\x00", b"\x00\x00"],
    Kind.SET: [b"\x05\x00", b"\x00\x00"],
}


@st.composite
def values(draw: st.DrawFn, column: Column, size: int) -> bytes:
    """The bytes of one value in a row event: those of a value, or any."""
    known = PLAIN_BYTES.get(column.kind)
    if known and draw(st.booleans()):
        chosen = draw(st.sampled_from(known))
        data = chosen[:size].ljust(size, b"\0") if size > 0 else chosen
    elif size > 0:
        data = draw(st.binary(min_size=size, max_size=size))
    elif column.kind is Kind.STRING and draw(st.booleans()):
        data = draw(st.text(max_size=40)).encode()
    else:
        data = draw(st.binary(max_size=12))
    return data if size > 0 else len(data).to_bytes(-size, "little") + data


@st.composite
def events(draw: st.DrawFn, columns: list[tuple[Column, int]], key: tuple[int, ...]) -> tuple[Operation, bytes]:
    """The body of a row event."""
    operation: Operation = draw(st.sampled_from(["insert", "update", "delete"]))
    count = len(columns)
    width = (count + 7) // 8
    head = bytes(8) + b"\x02\x00" + bytes([count]) + b"\xff" * width * (2 if operation == "update" else 1)
    images = []
    patterns = draw(st.lists(st.integers(0, (1 << count) - 1), min_size=1, max_size=2))
    for _ in range(draw(st.integers(1, 4)) * (2 if operation == "update" else 1)):
        nulls = draw(st.sampled_from([0, *patterns]))
        nulls &= ~sum(1 << position for position in key)
        body = b"".join(
            draw(values(column, size)) for position, (column, size) in enumerate(columns) if not nulls >> position & 1
        )
        images.append(nulls.to_bytes(width, "little") + body)
    if operation == "update" and draw(st.booleans()):
        images = [image for image in images[::2] for _ in range(2)]
    return operation, head + b"".join(images)


def outcome(decoder: RowDecoder, operation: Operation, body: bytes) -> Any:
    """The rows, or that there is an error."""
    try:
        return list(decoder.rows(operation, body))
    except Exception as error:  # noqa: BLE001 - `Assembler` makes one kind of error of all
        return type(error), str(error)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_both_ways_agree(data: st.DataObject) -> None:
    """Any table, any key, any bytes, with rows that are null here and there: the same rows, dead letters and errors."""
    columns = data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=9, unique_by=lambda item: item[0].name))
    key = tuple(data.draw(st.permutations(range(len(columns)))))[: data.draw(st.integers(1, min(3, len(columns))))]
    table = Table("d", "t", tuple(column for column, _ in columns), key)
    fast, plain = CompiledDecoder(table), RowDecoder(table)
    for _ in range(3):
        operation, body = data.draw(events(columns, key))
        cut = data.draw(st.sampled_from([len(body), len(body), len(body) - 1, len(body) * 2 // 3]))
        expected = outcome(plain, operation, body[:cut])
        for _ in range(2):
            assert outcome(fast, operation, body[:cut]) == expected
    assert not fast.distrusted


@pytest.mark.parametrize(("column", "size"), COLUMNS, ids=lambda item: getattr(item, "name", None))
def test_every_kind_has_a_generated_reader(column: Column, size: int) -> None:
    """A plain value of every kind is read by a generated function from its second row on, beside an integer key."""
    table = Table("d", "t", (Column("id", Kind.INTEGER, 4), column), (0,))
    decoder = CompiledDecoder(table)
    data = PLAIN_BYTES.get(column.kind, [b"\x01" * abs(size)])[0]
    value = data[:size].ljust(size, b"\0") if size > 0 else len(data).to_bytes(-size, "little") + data
    body = bytes(8) + b"\x02\x00\x02\xff" + b"\x00" + b"\x07\0\0\0" + value
    first = decoder.rows("insert", body)
    assert decoder.generated == 1, "nothing was generated"
    assert decoder.rows("insert", body) == first == list(RowDecoder(table).rows("insert", body))
    assert not decoder.distrusted


def test_the_generated_reader_does_the_work() -> None:
    """Once a function is there, the plain path is not asked again."""
    table = Table("d", "t", (Column("id", Kind.INTEGER, 4), Column("b", Kind.DOUBLE)), (0,))
    decoder = CompiledDecoder(table)
    body = bytes(8) + b"\x02\x00\x02\xff\xff" + (b"\x00" + b"\x07\0\0\0" + bytes(8)) * 2
    decoder.rows("update", body)
    decoder._one = None  # type: ignore[assignment,method-assign] - whoever asked would fail
    (row,) = decoder.rows("update", body)
    assert isinstance(row, Row)


def test_a_reader_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated function whose first row differs from the plain path's is thrown away."""
    from isotherm_cdc.binlog import compiled  # noqa: PLC0415 - to replace a name in it

    monkeypatch.setattr(compiled, "compile_reader", lambda *_: lambda _, at: (b"", b"wrong", b"", at + 4))
    table = Table("d", "t", (Column("id", Kind.INTEGER, 4),), (0,))
    decoder = CompiledDecoder(table)
    body = bytes(8) + b"\x02\x00\x01\xff" + b"\x00" + b"\x07\0\0\0"
    for _ in range(3):
        assert decoder.rows("insert", body) == list(RowDecoder(table).rows("insert", body))
    assert decoder.distrusted == 1


def test_the_number_of_readers_is_bounded() -> None:
    """A wide table with nulls in every combination is read right, with no more functions than the bound."""
    columns = (Column("id", Kind.INTEGER, 4), *[Column(f"c{number}", Kind.INTEGER, 1) for number in range(9)])
    table = Table("d", "t", columns, (0,))
    decoder, plain = CompiledDecoder(table), RowDecoder(table)
    for nulls in range(1 << 9):
        image = (nulls << 1).to_bytes(2, "little") + bytes(4) + b"\x05" * (9 - nulls.bit_count())
        body = bytes(8) + b"\x02\x00\x0a\xff\xff" + image
        assert decoder.rows("insert", body) == list(plain.rows("insert", body))
    assert decoder.generated == MOST_READERS
