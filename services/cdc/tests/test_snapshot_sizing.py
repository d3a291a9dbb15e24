"""How many rows a snapshot's chunk may have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isotherm_cdc.snapshot.sizing import ChunkSize


def test_small_rows_come_as_many_as_are_allowed() -> None:
    """The bound in bytes changes nothing while rows are small."""
    size = ChunkSize(1024, 8 << 20, 100)
    size.read(1024, 1024 * 100)
    assert size.limit == 1024


def test_a_table_of_large_rows_begins_with_few() -> None:
    """What the source says of a table's rows counts before any was read."""
    assert ChunkSize(1024, 8 << 20, 1 << 20).limit == 8
    assert ChunkSize(1024, 8 << 20, 64 << 20).limit == 1
    assert ChunkSize(1024, 8 << 20, None).limit == 1024


def test_the_limit_shrinks_at_once_and_grows_slowly() -> None:
    """A chunk of large rows makes the next one small; small rows after it double the limit at most."""
    size = ChunkSize(1024, 8 << 20, 100)
    size.read(100, 100 << 20)
    assert size.limit == 8
    size.read(8, 800)
    assert size.limit == 16


def test_an_empty_chunk_tells_nothing() -> None:
    """The limit stays when nothing was read."""
    size = ChunkSize(1024, 8 << 20, 1 << 20)
    size.read(0, 0)
    assert size.limit == 8


@given(
    st.integers(1, 5000),
    st.integers(1024, 14 << 20),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 1 << 30))),
)
def test_there_is_always_room_for_a_row(rows: int, size_bytes: int, chunks: list[tuple[int, int]]) -> None:
    """Whatever was read, the next chunk has at least one row and at most the rows that are set."""
    size = ChunkSize(rows, size_bytes, None)
    for count, read_bytes in chunks:
        size.read(count, read_bytes)
        assert 1 <= size.limit <= rows
