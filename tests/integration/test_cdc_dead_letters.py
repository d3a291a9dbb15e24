"""Rows that no document can hold are kept as dead letters, with the batch that passed them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from bson import Int64

from cdc_support.capture import Capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A table whose JSON may hold what BSON cannot: a field name with a NUL character."""
    with Capture.of(stack) as made:
        made.sql("CREATE TABLE t (a INT PRIMARY KEY, j JSON)")
        yield made


@pytest.mark.contract("K6")
def test_a_row_that_no_document_can_hold_is_kept_and_passed(capture: Capture) -> None:
    """Its neighbours arrive; it is kept whole, with its transaction and the reason, and is never lost silently."""
    capture.start()
    capture.wait()
    capture.sql("""INSERT INTO t VALUES (1, '{"x": 1}'), (2, '{"x\\\\u0000y": 1}'), (3, '{"x": 3}')""")
    gtid_set = capture.scalar("SELECT @@gtid_executed")
    capture.wait()
    assert sorted(document["_id"] for document in capture.collection("t").find()) == [1, 3]
    (letter,) = capture.collection("_cdc_dead_letters").find()
    checkpoint = capture.checkpoint()
    assert list(letter) == [
        "_id", "stream", "seq", "gtid", "event_idx", "row_idx", "table", "key", "operation", "error", "row",
        "layout", "at",
    ]  # fmt: skip
    assert (letter["stream"], letter["operation"]) == (checkpoint["stream"], "insert")
    assert letter["table"] == f"{capture.stack.database}.t"
    assert (letter["event_idx"], letter["row_idx"]) == (0, 1)
    assert isinstance(letter["seq"], Int64)
    assert letter["gtid"].split(":")[0] in gtid_set
    assert isinstance(letter["row"], bytes)
    assert letter["error"]
    assert isinstance(letter["at"], dt.datetime)
