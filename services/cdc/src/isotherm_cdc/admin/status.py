"""`isotherm-cdc status`: where a pipeline stands, whether its reader runs or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql

from isotherm_cdc import mysql
from isotherm_cdc.admin.client import WORKING_SECONDS, Admin, age_seconds
from isotherm_cdc.gtid import GtidSet
from isotherm_common.process import ConfigurationError

if TYPE_CHECKING:
    from isotherm_cdc.settings import Settings


def look(admin: Admin, settings: Settings) -> dict[str, Any]:
    """Return the state of the pipeline as JSON has it."""
    checkpoint = admin.checkpoint()
    if checkpoint is None:
        return {"name": admin.name, "state": "never run"}
    age = age_seconds(checkpoint)
    working = age is not None and age < WORKING_SECONDS
    paused = bool(checkpoint.get("paused"))
    snapshot = checkpoint.get("snapshot") or {"tables": []}
    return {
        "name": admin.name,
        "state": ("paused" if paused else "working") if working else "not working",
        "stream": checkpoint["stream"],
        "term": int(checkpoint["term"]),
        "seq": int(checkpoint["seq"]),
        "checkpoint_age_seconds": None if age is None else round(age, 1),
        "gtid_set": checkpoint["gtid_set"],
        "transaction": checkpoint["txn"]["gtid"] if checkpoint.get("txn") else None,
        "behind": _behind(settings, checkpoint["gtid_set"]),
        "paused": paused,
        "snapshot_paused": bool(checkpoint.get("snapshot_paused")),
        "snapshot": [_table(table) for table in snapshot["tables"]],
        "tables": checkpoint.get("tables"),
        "dead_letters": admin.dead_letters({}),
        "requests_pending": admin.pending(),
    }


def _table(table: dict[str, Any]) -> dict[str, Any]:
    return {
        "table": table["table"],
        "rows": int(table["rows"]),
        "chunks": int(table["chunks"]),
        "estimate": None if table.get("estimate") is None else int(table["estimate"]),
        "where": table.get("where"),
        "keys": len(table.get("keys", ())),
    }


def _behind(settings: Settings, gtid_set: str) -> dict[str, Any]:
    """Return how many transactions of the source are not applied; the source may not answer."""
    try:
        connection = mysql.connect(settings.mysql, connect_timeout=3, read_timeout=5)
        try:
            missing = mysql.gtid_executed(connection) - GtidSet.parse(gtid_set)
        finally:
            connection.close()
    except (pymysql.err.MySQLError, OSError, ConfigurationError) as error:
        return {"transactions": None, "error": str(error)}
    return {"transactions": len(missing), "error": None}


def lines(state: dict[str, Any]) -> list[str]:
    """Write the state for people."""
    if state["state"] == "never run":
        return [f"pipeline      {state['name']}", "reader        has never run: there is no checkpoint"]
    letters = state["dead_letters"]
    result = [
        f"pipeline      {state['name']}",
        f"reader        {state['state']}: its checkpoint is {state['checkpoint_age_seconds']} s old",
        f"position      stream {state['stream']}, term {state['term']}, seq {state['seq']}",
        f"source        {_source(state['behind'])}",
        f"tables        {', '.join(state['tables'] or ['not known yet'])}",
        f"dead letters  {letters}" + (": look at them, mend the cause, then isotherm-cdc requeue" if letters else ""),
    ]
    if state["transaction"]:
        result.append(f"within        transaction {state['transaction']}, which is applied in parts")
    if state["requests_pending"]:
        result.append(f"requests      {state['requests_pending']} wait for the reader")
    held = ", paused" if state["snapshot_paused"] or state["paused"] else ""
    for number, table in enumerate(state["snapshot"]):
        result.append(f"{'' if number else 'snapshot':<14}{progress(table)}{held}")
    return result


def _source(behind: dict[str, Any]) -> str:
    count = behind["transactions"]
    if count is None:
        return f"MySQL does not answer ({behind['error']})"
    return f"{count} transaction{'' if count == 1 else 's'} behind" if count else "caught up"


def progress(table: dict[str, Any]) -> str:
    """Write how far a table has been read."""
    # MySQL's statistics may be older than the rows.
    known = table["where"] is None and table["estimate"] is not None and table["estimate"] >= table["rows"]
    of = f" of about {table['estimate']}" if known else ""
    where = "" if table["where"] is None else f" where {table['where']}"
    again = f", {table['keys']} rows to be read again" if table["keys"] else ""
    return f"{table['table']}{where}: {table['rows']}{of} rows in {table['chunks']} chunks{again}"
