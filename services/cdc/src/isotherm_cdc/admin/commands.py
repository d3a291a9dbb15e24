"""The subcommands: each prints what it did, for people or as JSON, and returns an exit code."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import bson
from bson.int64 import Int64

from isotherm_cdc.admin import status
from isotherm_cdc.admin.client import Admin, wait
from isotherm_cdc.verify.verify import verify as compare
from isotherm_common.process import ExitCode, TryAgainLater

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from isotherm_cdc.settings import Settings

DIFFERENT = 1
"""What `verify` answers when both sides differ."""


def show_status(settings: Settings, options: argparse.Namespace) -> int:
    """Say where the pipeline stands."""
    state = status.look(Admin(settings), settings)
    _print(options, state, status.lines(state))
    return ExitCode.OK if state["state"] in ("working", "paused") else ExitCode.TRY_AGAIN_LATER


def pause(settings: Settings, options: argparse.Namespace) -> int:
    """Stop applying changes, or only reading tables."""
    answer = Admin(settings).ask("pause", {"snapshot": options.snapshot}, options.timeout)
    what = "The pipeline pauses: nothing is read or applied." if answer["paused"] else "Snapshots pause."
    _print(options, answer, [f"{what} Go on with: isotherm-cdc resume"])
    return ExitCode.OK


def resume(settings: Settings, options: argparse.Namespace) -> int:
    """Go on after a pause."""
    answer = Admin(settings).ask("resume", {"snapshot": options.snapshot}, options.timeout)
    _print(options, answer, ["The pipeline is still paused." if answer["paused"] else "The pipeline goes on."])
    return ExitCode.OK


def snapshot(settings: Settings, options: argparse.Namespace) -> int:
    """Have a table read, or those of its rows that a condition selects."""
    admin = Admin(settings)
    request = admin.request("snapshot", {"table": options.table, "where": options.where}, options.timeout)
    rows = "all rows" if options.where is None else f"the rows where {options.where}"
    done = f"{options.table} has been read."
    going = f"The reader reads {rows} of {options.table}. Watch it with: isotherm-cdc status"
    if options.wait:
        wait(lambda: options.table not in _being_read(admin), None)
        admin.check(request["_id"])
    _print(options, request["answer"], [done if options.wait else going])
    return ExitCode.OK


def _being_read(admin: Admin) -> list[str]:
    snapshot = (admin.checkpoint() or {}).get("snapshot") or {"tables": []}
    return [table["table"] for table in snapshot["tables"]]


def requeue(settings: Settings, options: argparse.Namespace) -> int:
    """Put dead letters back: read their rows again as they are now."""
    admin = Admin(settings)
    arguments = {"ids": options.id, "table": options.table}
    settled: list[str] = []
    impossible: dict[str, str] = {}
    again: dict[str, str] = {}
    more = True
    while more:
        seq = int((admin.checkpoint() or {}).get("seq", 0))
        answer = admin.ask("requeue", arguments, options.timeout)
        handed, more = answer["letters"], answer["more"]
        impossible.update(answer["impossible"])
        rows = answer["rows"]
        if not wait(lambda letters=handed: not admin.dead_letters({"_id": {"$in": letters}}), options.timeout):  # type: ignore[misc]
            message = f"{len(handed)} rows are still being read: look at isotherm-cdc status."
            raise TryAgainLater(message)
        failed = _failed_again(admin, rows, seq)
        again.update({letter["_id"]: letter["error"] for letter in failed.values()})
        settled += [letter for letter, row in zip(handed, rows, strict=True) if _place(row) not in failed]
    lines = [f"{len(settled)} dead letters settled: their rows were read again."]
    lines += [f"{letter} is a row that failed again: {reason}" for letter, reason in again.items()]
    lines += [f"{letter} stays: {reason}" for letter, reason in impossible.items()]
    _print(options, {"settled": settled, "failed_again": again, "impossible": impossible}, lines)
    return ExitCode.INTERNAL if impossible or again else ExitCode.OK


def _failed_again(admin: Admin, rows: list[dict[str, Any]], seq: int) -> dict[bytes, dict[str, Any]]:
    """Return the dead letters of some rows that have come since a `seq`, by their rows' places."""
    tables = sorted({row["table"] for row in rows})
    query = {"table": {"$in": tables}, "operation": "snapshot", "seq": {"$gt": Int64(seq)}}
    found = {_place(letter): letter for letter in admin.letters(query)}
    return {_place(row): found[_place(row)] for row in rows if _place(row) in found}


def _place(row: dict[str, Any]) -> bytes:
    """Return what two letters of the same row have in common."""
    return bson.encode({"table": row["table"], "key": row["key"]})


def verify(settings: Settings, options: argparse.Namespace) -> int:
    """Compare source and target row by row."""

    def tell(line: str) -> None:
        if not options.json:
            _write(line)

    result = compare(settings, Admin(settings), options.table, options.timeout, options.limit, tell)
    if options.json:
        _write(json.dumps(result.to_json(), default=str))
    if result.different:
        return DIFFERENT
    return ExitCode.TRY_AGAIN_LATER if result.unsettled else ExitCode.OK


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "status": show_status,
    "pause": pause,
    "resume": resume,
    "snapshot": snapshot,
    "requeue": requeue,
    "verify": verify,
}


def _print(options: argparse.Namespace, answer: Any, lines: Iterable[str]) -> None:
    if options.json:
        _write(json.dumps(answer, default=str))
    else:
        for line in lines:
            _write(line)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
