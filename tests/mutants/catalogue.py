"""The sabotages: each a small change of one or two files, and the test that has to notice it."""

from __future__ import annotations

from dataclasses import dataclass

_TESTS = "services/cdc/tests"
MODEL = f"{_TESTS}/test_model.py::TestModel"


@dataclass(frozen=True)
class Edit:
    """A text that stands in a file once, and what takes its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """One sabotage.

    Attributes:
        name: what goes wrong.
        edits: how.
        test: which test notices.
    """

    name: str
    edits: tuple[Edit, ...]
    test: str = MODEL


def _mutant(name: str, file: str, old: str, new: str, test: str = MODEL) -> Mutant:
    return Mutant(name, (Edit(file, old, new),), test)


MUTANTS = (
    # The checkpoint and who may move it.
    _mutant(
        "no compare-and-set on term",
        "sink/commit.py",
        '"term": Int64(attempt.term), ',
        "",
    ),
    _mutant(
        "no compare-and-set on seq",
        "sink/commit.py",
        ', "seq": Int64(attempt.seq - 1)}',
        "}",
    ),
    _mutant("a takeover leaves the term as it is", "sink/takeover.py", '"term": Int64(1)', '"term": Int64(0)'),
    _mutant(
        "a fenced reader tries again",
        "checkpoint.py",
        'return "fenced"',
        'return "retry"',
        f"{_TESTS}/test_checkpoint.py::test_verdicts",
    ),
    _mutant(
        "an emptying that was cut short is forgotten by the next batch",
        "sink/sink.py",
        "ddl=self.checkpoint.ddl_after(batch.gtid_set)",
        "ddl=None",
        f"{_TESTS}/test_model.py::test_a_truncate_stays_begun_until_it_is_applied",
    ),
    Mutant(
        "seq reused",
        (
            Edit("sink/sink.py", "seq=self.checkpoint.seq + 1,", "seq=self.checkpoint.seq,"),
            Edit("sink/commit.py", "Int64(attempt.seq - 1)", "Int64(attempt.seq)"),
        ),
    ),
    _mutant(
        "lost acknowledgement repeated as a new batch",
        "sink/commit.py",
        'attempt) == "committed":\n            return',
        'attempt) == "committed":\n            attempt = attempt.moved(seq=attempt.seq + 1)',
    ),
    _mutant(
        "checkpoint outside the transaction",
        "sink/commit.py",
        '{"$set": attempt.fields()},\n            session=session,',
        '{"$set": attempt.fields()},',
    ),
    _mutant(
        "checkpoint before the writes",
        "sink/commit.py",
        "        for table, verb, statements in operations:\n",
        '        target.database[CHECKPOINTS].update_one({"_id": target.name}, {"$set": {}}, session=session)\n'
        "        for table, verb, statements in operations:\n",
    ),
    _mutant(
        "dead letter outside the transaction",
        "sink/commit.py",
        "session=target.session)\n    except DocumentTooLarge",
        "session=None if table == DEAD_LETTERS else target.session)\n    except DocumentTooLarge",
        f"{_TESTS}/test_model.py::test_dead_letters_are_in_with_their_batch",
    ),
    _mutant(
        "dead letter cannot be written again",
        "sink/dead_letters.py",
        'operations.upsert(DEAD_LETTERS, bson.encode({"_id": document["_id"]}), bson.encode(document))',
        "operations.insert(DEAD_LETTERS, document)",
        f"{_TESTS}/test_model.py::test_dead_letters_are_in_with_their_batch",
    ),
    _mutant("dead letter left out", "sink/sink.py", "dead_letters.add(operations, batch.dead, attempt, now)", "pass"),
    # What browsers are told.
    _mutant(
        "tombstone skipped",
        "sink/sink.py",
        "tombstones.add(operations, tombstone_start, key, tombstone_end)",
        "pass",
    ),
    _mutant("resume floor not raised on clear", "sink/clear.py", "            resume_floor=seq,\n", ""),
    _mutant(
        "resume floor not raised on purge",
        "sink/tombstones.py",
        "return attempt.moved(resume_floor=max(attempt.resume_floor, floor))",
        "return attempt",
        f"{_TESTS}/test_model.py::test_removing_tombstones_raises_the_floor_over_them",
    ),
    _mutant("cleared only in its first step", "sink/clear.py", "        total += len(keys)\n", "        return\n"),
    # From transactions to batches.
    _mutant(
        "GTID added before its rows are written",
        "pipeline/outlet.py",
        "            item.split = True\n",
        "            item.split = True\n            self._applied.add(item.origin_id, item.number)\n",
        f"{_TESTS}/test_pipeline.py::test_a_larger_one_goes_in_parts_that_say_where_they_stop",
    ),
    _mutant(
        "resume position off by one in a large transaction",
        "pipeline/outlet.py",
        "item.applied.get(run.table, 0) + number\n",
        "item.applied.get(run.table, 0) + number + 1\n",
        f"{_TESTS}/test_pipeline.py::test_a_larger_one_goes_in_parts_that_say_where_they_stop",
    ),
    _mutant(
        "resume position ignored",
        "pipeline/outlet.py",
        "self.resume = checkpoint.position",
        "self.resume = None",
        f"{_TESTS}/test_pipeline.py::test_a_larger_one_goes_in_parts_that_say_where_they_stop",
    ),
    _mutant(
        "key change without delete",
        "pipeline/transactions.py",
        "                writes[old_key] = None, origin\n",
        "                pass\n",
    ),
    _mutant(
        "a transaction that fits is split",
        "pipeline/transactions.py",
        "self.rows > limits.rows",
        "self.rows >= limits.rows",
        f"{_TESTS}/test_pipeline.py::test_a_transaction_that_fits_is_never_split",
    ),
    _mutant(
        "a lost connection leaves the open transaction",
        "pipeline/pipeline.py",
        "            self._waiting.items.pop()\n",
        "            pass\n",
        f"{_TESTS}/test_pipeline.py::test_a_lost_connection_takes_the_open_transaction_back",
    ),
    _mutant(
        "truncate does not empty the collection",
        "pipeline/outlet.py",
        'change.effect == "truncate" or ',
        "",
    ),
    # Snapshots.
    _mutant(
        "window not deduplicated",
        "pipeline/window.py",
        "row if self.counted or row.key not in self.touched else row.cursor for row",
        "row for row",
        f"{_TESTS}/test_pipeline.py::test_a_chunk_loses_the_rows_that_the_stream_touched_meanwhile",
    ),
    _mutant(
        "window does not note the old key",
        "pipeline/window.py",
        "                self.touched.add(row.old_key)\n",
        "                pass\n",
        f"{_TESTS}/test_pipeline.py::test_a_chunk_loses_the_rows_that_the_stream_touched_meanwhile",
    ),
    _mutant(
        "DDL leaves the window as it is",
        "pipeline/pipeline.py",
        "            window.valid = False\n",
        "            pass\n",
        f"{_TESTS}/test_pipeline.py::test_a_chunk_is_read_again_when_its_window_cannot_be_trusted",
    ),
    _mutant(
        "chunk read before the open transaction is committed",
        "pipeline/pipeline.py",
        "            known.add(self._open.origin_id, self._open.number)\n",
        "            pass\n",
        f"{_TESTS}/test_model.py::test_chunks_are_read_amid_transactions",
    ),
    _mutant(
        "chunk read before what was received is committed",
        "engine/snapshotting.py",
        "shared, state = self._shared, step.state\n        while not step.received <= reader.executed():",
        "shared, state = self._shared, step.state\n        while False:",
        f"{_TESTS}/test_snapshotting.py::test_a_chunk_waits_until_the_source_has_committed_what_was_received",
    ),
    _mutant(
        "chunk written before the stream has passed it",
        "pipeline/pipeline.py",
        "elif window.high - self._prepared <= self._received:",
        "else:",
        f"{_TESTS}/test_pipeline.py::test_a_chunk_waits_until_the_stream_has_passed_what_it_was_read_after",
    ),
    _mutant(
        "table not looked at within the window",
        "engine/snapshotting.py",
        "makes the chunk worthless.\n            reader.look()\n",
        "makes the chunk worthless.\n",
        f"{_TESTS}/test_snapshotting.py::test_a_chunk_whose_window_held_ddl_is_read_again",
    ),
    _mutant(
        "chunk never read again",
        "engine/snapshotting.py",
        'in ("none", "again")\n',
        'in ("none",)\n',
        f"{_TESTS}/test_snapshotting.py::test_a_chunk_whose_window_held_ddl_is_read_again",
    ),
    _mutant(
        "table that comes back not looked at",
        "engine/snapshotting.py",
        "makes the chunk worthless.\n            reader.look()\n",
        "makes the chunk worthless.\n            if reader.table is not None:\n                reader.look()\n",
        f"{_TESTS}/test_snapshotting.py::test_a_table_that_comes_back_is_read",
    ),
    _mutant(
        "ghosts not removed",
        "pipeline/outlet.py",
        'batch.clears.append(Clear(item.table, item.up_to_seq, "ghosts", None))',
        "pass",
    ),
    _mutant(
        "an outdated chunk counts",
        "pipeline/outlet.py",
        "current = self._progress.generation(item.table) == item.generation",
        "current = True",
        f"{_TESTS}/test_pipeline.py::test_a_chunk_of_an_earlier_reading_does_not_count",
    ),
    _mutant(
        "a row that changed unseen while it was read counts as read",
        "pipeline/window.py",
        "done = frozenset(self.keys) - self.changed",
        "done = frozenset(self.keys)",
        f"{_TESTS}/test_partial.py::test_a_row_that_changes_again_unseen_is_read_once_more",
    ),
    # Decoding.
    _mutant(
        "partial image accepted",
        "binlog/decode.py",
        "if present & self._whole != self._whole:",
        "if False:",
        f"{_TESTS}/test_decode.py::test_partial_images_are_refused",
    ),
    _mutant(
        "a bad row takes the next with it",
        "binlog/decode.py",
        "return self._bad(operation, str(error), body, start, at), at",
        "return self._bad(operation, str(error), body, start, at), len(body)",
        f"{_TESTS}/test_decode.py::test_a_bad_row_does_not_take_the_next_with_it",
    ),
)
