"""The operators' commands against a running reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cdc_support.capture import Capture
from cdc_support.operator import ask, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

SETTINGS = {"CDC_SNAPSHOT_CHUNK_ROWS": "10", "CDC_HEARTBEAT_INTERVAL_MS": "500"}


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """One table with rows, captured."""
    with Capture.of(stack, **SETTINGS) as made:
        made.sql("CREATE TABLE t (a INT PRIMARY KEY, b INT)")
        made.sql("INSERT INTO t VALUES " + ", ".join(f"({number}, 1)" for number in range(100)))
        yield made


def document(capture: Capture, key: int) -> dict[str, object]:
    """Return a document, empty when there is none."""
    return capture.collection("t").find_one({"_id": key}) or {}


@pytest.mark.contract("K11")
def test_pause_and_resume(capture: Capture) -> None:
    """A paused pipeline applies nothing, across a restart too, while its checkpoint moves; then it goes on."""
    capture.start()
    capture.wait()
    assert ask(capture, "pause") == {"paused": True, "snapshot_paused": False}
    capture.sql("UPDATE t SET b = 2 WHERE a = 1")
    for restart in (False, True):
        if restart:
            assert capture.stack.processes["cdc"].running
            capture.stack.processes["cdc"].stop()
            capture.start(ready=False)
        seq = capture.checkpoint()["seq"]
        capture.stack.until(lambda before=seq: capture.checkpoint()["seq"] >= before + 4, what="heartbeats")
        assert document(capture, 1)["b"] == 1
    state = ask(capture, "status")
    assert (state["state"], state["paused"], state["behind"]["transactions"]) == ("paused", True, 1)
    (request,) = capture.collection("_cdc_signals").find()
    assert (request["command"], request["state"]) == ("pause", "done")
    assert ask(capture, "resume") == {"paused": False, "snapshot_paused": False}
    capture.wait()
    assert capture.differences("t") == []


def test_a_snapshot_that_pauses_lets_changes_through(capture: Capture) -> None:
    """Only the reading of tables stops; a request to read is kept until it goes on."""
    capture.start()
    capture.wait()
    ask(capture, "pause", "--snapshot")
    answer = ask(capture, "snapshot", f"{capture.stack.database}.t")
    assert answer == {"table": f"{capture.stack.database}.t", "where": None}
    capture.sql("UPDATE t SET b = 7 WHERE a = 3")
    capture.stack.until(lambda: document(capture, 3)["b"] == 7, what="the change")
    (table,) = ask(capture, "status")["snapshot"]
    assert (table["rows"], table["chunks"]) == (0, 0)
    ask(capture, "resume")
    capture.wait()
    assert capture.differences("t") == []


def test_status_without_a_reader(capture: Capture) -> None:
    """The state is told whether a reader runs or not; the exit code says whether it works."""
    assert ask(capture, "status", code=75) == {"name": "isotherm", "state": "never run"}
    process = capture.start()
    capture.wait()
    state = ask(capture, "status")
    assert (state["state"], state["behind"]["transactions"], state["dead_letters"]) == ("working", 0, 0)
    assert f"{capture.stack.database}.t" in state["tables"]
    shown = run(capture, "status")
    assert "caught up" in shown.stdout
    assert shown.returncode == 0
    process.stop()
    checkpoints = capture.collection("_cdc_checkpoints")
    checkpoints.update_one({}, [{"$set": {"committed_at": {"$subtract": ["$committed_at", 60_000]}}}])
    assert ask(capture, "status", code=75)["state"] == "not working"


def test_a_request_without_a_reader_waits_for_one(capture: Capture) -> None:
    """It says so with 75, and is carried out when a reader runs."""
    done = run(capture, "pause", "--timeout", "1")
    assert done.returncode == 75
    assert "The request stays" in done.stderr
    capture.start(ready=False)
    capture.stack.until(lambda: capture.checkpoint().get("paused") is True, what="the pause")


def test_what_cannot_be_is_refused_with_a_sentence(capture: Capture) -> None:
    """A mistake ends with 70 and the reader's reason; one on the command line with 64."""
    capture.start()
    capture.wait()
    table = f"{capture.stack.database}.t"
    for arguments, sentence in (
        (("snapshot", "other.t"), "other.t is not captured"),
        (("snapshot", f"{capture.stack.database}.none"), "There is no table"),
        (("snapshot", table, "--where", "c > 5"), "MySQL does not take the condition: Unknown column 'c'"),
        (("snapshot", table, "--where", "1) OR (1"), "closes a parenthesis"),
        (("snapshot", table, "--where", "CAST(0 AS UNSIGNED) - a - 1 > 0"), "BIGINT UNSIGNED value is out of range"),
        (("snapshot", table, "--where", "a = 1 LIMIT 1"), "near 'LIMIT 1 ) ORDER BY `a` LIMIT 1' at line 2"),
        (("requeue", "--id", "none"), "There is no dead letter none"),
        (("requeue", "--table", "t"), "There is no dead letter of t, which is not captured: name it as schema.table."),
        (("verify", "other.t"), "other.t is not captured"),
    ):
        done = run(capture, *arguments)
        assert (done.returncode, done.stdout) == (70, ""), done.stderr
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
    assert run(capture, "snapshot").returncode == 64
    assert run(capture, "requeue").returncode == 64
    done = run(capture, "pause", "--timeout", "soon")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        64, "isotherm-cdc pause: argument --timeout: must be a number of seconds above 0, not 'soon'",
    )  # fmt: skip


def test_a_condition_that_fails_at_a_later_row_does_not_end_the_reader(capture: Capture) -> None:
    """What it has read until then stays, the rest is not read; the log, the request and whoever waits for it say why."""
    process = capture.start()
    capture.wait()
    table, condition = f"{capture.stack.database}.t", "CAST(49 AS UNSIGNED) - a >= 0"
    done = run(capture, "snapshot", table, "--where", condition, "--wait")
    reason = f"The reading of {table} was given up: MySQL cannot read its rows where {condition}: BIGINT UNSIGNED value"
    assert (done.returncode, done.stdout) == (70, "")
    assert reason in done.stderr
    assert "BIGINT UNSIGNED value is out of range" in process.tail(50)
    (request,) = capture.collection("_cdc_signals").find()
    assert (request["command"], request["state"]) == ("snapshot", "failed")
    assert request["answer"].startswith(reason)
    assert run(capture, "snapshot", table, "--where", "a < 50", "--wait").stdout == f"{table} has been read.\n"
    capture.sql("UPDATE t SET b = 2 WHERE a = 99")
    capture.wait()
    assert process.running
    assert capture.differences("t") == []
