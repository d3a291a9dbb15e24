"""Which tables a start reads whole."""

from __future__ import annotations

import pytest

from isotherm_cdc.checkpoint import Checkpoint, TableSnapshot, from_document
from isotherm_cdc.engine.starting import to_read

NOW = ["s.a", "s.b"]


def checkpoint(**changes: object) -> Checkpoint:
    return Checkpoint("p", "x", 2, seq=9, started=True, tables=("s.a", "s.b")).moved(**changes)


@pytest.mark.parametrize("mode", ["initial", "when_needed", "always"])
def test_the_first_start_reads_everything(mode: str) -> None:
    """There can be no documents yet that have no row."""
    first = Checkpoint("p", "x", 1)
    assert to_read(first, NOW, mode, lost=False) == (TableSnapshot("s.a"), TableSnapshot("s.b"))  # type: ignore[arg-type]


def test_no_data_reads_nothing() -> None:
    """Neither at the first start nor for tables that come later."""
    assert to_read(Checkpoint("p", "x", 1), NOW, "no_data", lost=False) == ()
    assert to_read(checkpoint(tables=("s.a",)), NOW, "no_data", lost=False) == ()


def test_a_restart_reads_nothing_again() -> None:
    """What has been read stays read."""
    assert to_read(checkpoint(), NOW, "initial", lost=False) == ()


def test_always_reads_at_every_start_but_does_not_begin_anew_what_was_interrupted() -> None:
    """A reader that is killed again and again comes to an end all the same."""
    assert [table.ghosts_before for table in to_read(checkpoint(), NOW, "always", lost=False)] == [9, 9]
    half = (TableSnapshot("s.b", cursor=("7",), ghosts_before=4),)
    assert to_read(checkpoint(snapshot=half), NOW, "always", lost=False) == half


@pytest.mark.contract("K10")
def test_a_table_that_is_captured_newly_is_read() -> None:
    """A longer include list is enough; documents that were there before and have no row go."""
    assert to_read(checkpoint(tables=("s.a",)), NOW, "initial", lost=False) == (TableSnapshot("s.b", ghosts_before=9),)
    half = (TableSnapshot("s.a", cursor=("7",)),)
    both = to_read(checkpoint(tables=("s.a",), snapshot=half), NOW, "initial", lost=False)
    assert [table.table for table in both] == ["s.a", "s.b"]


def test_a_checkpoint_of_an_earlier_version_makes_nothing_new() -> None:
    """It does not tell its tables, and has no pauses: nothing is read again for that."""
    old = {
        "_id": "p", "stream": "x", "term": 1, "seq": 3, "attempt_id": "", "gtid_set": "", "event_idx": 0, "row_idx": 0,
        "resume_floor": 0, "committed_at": 1,
        "snapshot": {"tables": [{"table": "s.a", "cursor": ["1"], "read": False, "ghosts_before": None, "rows": 1,
                                 "chunks": 1, "estimate": None}]},
    }  # fmt: skip
    found = from_document(old)
    assert (found.paused, found.snapshot_paused, found.tables) == (False, False, None)
    assert to_read(found, NOW, "initial", lost=False) == (TableSnapshot("s.a", cursor=("1",), rows=1, chunks=1),)


def test_a_lost_position_reads_everything_again() -> None:
    """Also in no_data: the policy has said so. What was half read begins anew."""
    half = (TableSnapshot("s.a", cursor=("7",)),)
    again = tuple(TableSnapshot(table, ghosts_before=9) for table in NOW)
    assert to_read(checkpoint(snapshot=half), NOW, "no_data", lost=True) == again


def test_a_table_that_is_gone_is_finished_only_for_its_documents() -> None:
    """Read for the first time it is forgotten; read again, what it left in MongoDB is still to be deleted."""
    states = (TableSnapshot("s.gone"), TableSnapshot("s.left", ghosts_before=5))
    assert to_read(checkpoint(snapshot=states), NOW, "initial", lost=False) == (states[1],)
