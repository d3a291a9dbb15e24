"""The checkpoint's form, and what is thought when it is not where it was left."""

from __future__ import annotations

import pytest
from bson.int64 import Int64

from isotherm_cdc.checkpoint import Checkpoint, Position, TableSnapshot, from_document, initial_fields, judge

MINE = Checkpoint("p", "s", term=3, seq=10, attempt_id="old")
ATTEMPT = MINE.moved(seq=11, attempt_id="new")


@pytest.mark.contract("K1")
def test_document_is_the_contracts() -> None:
    """The stored document has exactly the contract's fields, 64-bit where it says so."""
    document = {"_id": "p", "term": Int64(1), **initial_fields("ab" * 16)}
    assert set(document) == {
        "_id", "stream", "term", "seq", "attempt_id", "gtid_set", "txn", "event_idx", "row_idx", "ddl", "snapshot",
        "resume_floor", "committed_at", "source_ts",
    }  # fmt: skip
    assert all(isinstance(document[name], Int64) for name in ("seq", "event_idx", "row_idx", "resume_floor"))
    assert not from_document(document).started


def test_document_is_read_back() -> None:
    """Everything that is stored is read back."""
    table = TableSnapshot("a.b", ("1", "X'00'"), ghosts_before=4, rows=9, chunks=2, estimate=100)
    full = MINE.moved(
        position=Position("g:1", (("d.t", 5), ("d.u", 3))), snapshot=(table,), source_ts=5, committed_at=1, started=True
    )
    assert from_document({"_id": "p", "term": 3, "stream": "s", **full.fields()}) == full


@pytest.mark.contract("K3")
@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (ATTEMPT, "committed"),
        (MINE, "retry"),
        (ATTEMPT.moved(term=4), "fenced"),
        (MINE.moved(term=4), "fenced"),
        (ATTEMPT.moved(attempt_id="other"), "conflict"),
        (MINE.moved(term=2), "conflict"),
        (MINE.moved(seq=12), "conflict"),
        (MINE.moved(stream="other", term=9), "conflict"),
        (None, "conflict"),
    ],
)
def test_verdicts(found: Checkpoint | None, verdict: str) -> None:
    """A lost acknowledgement is told from being fenced, and both from a checkpoint that somebody has changed."""
    assert judge(found, MINE, ATTEMPT) == verdict
