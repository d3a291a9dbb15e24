"""docs/logs.md: the names of the events that services log, from the code, with what they mean."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
SERVICES = ("common", "setup", "fetcher", "cdc", "web", "simulator")
HEAD = """\
# Logs

Generated from the code by `ci/observability/generate.py`. Every service writes one JSON object a line to standard error
(`LOG_FORMAT=console` for people): `timestamp` (ISO 8601, UTC), `level`, `service`, `event`, and the fields below. Names of events and
fields are stable: alerts and searches may rely on them. A new one may come; one that goes is named in the changelog.
Passwords never appear; tracebacks carry no local variables.

## Follow a run to the browsers

Each line of a run of the fetcher carries its `run_id`, which is the row in `fetch_runs` and the field `run_id` of every document
that came from it. Documents also carry `_cdc.gtid`, the transaction in MySQL's binary log, and `_cdc.seq`, the batch of the CDC;
browsers are told the same `seq` in every message. So, from a run on:

```js
db.weather_data.aggregate([{$match: {run_id: 17}},
  {$group: {_id: {gtid: "$_cdc.gtid", seq: "$_cdc.seq"}, locations: {$sum: 1}, committed: {$min: "$_cdc.ts"}}}])
```

and from the `seq` of a message that a browser got back to the run: `db.weather_data.find({"_cdc.seq": 41})`. A cell that has changed
since has a larger `seq`; `weather_history` keeps what it was. Dead letters and errors of the CDC carry the GTID, too.

With `LOG_LEVEL=debug` the CDC has a line for each batch with its `seq` and `gtids` (`batch_committed`), and each web server says which
`gtids` and `run_ids` a `seq` brought (`batch_applied`) and when it left (`broadcast`). The same as spans:
[traces](observability.md#traces).
"""
MEANINGS = {
    "stopped": "The process ends: the one sentence that says why, and the exit code (contract E4).",
    "retrying": "Something failed that may pass; it is tried again after `wait_seconds`.",
    # setup
    "member_added": "A member joined MongoDB's replica set.",
    "members_not_asked_for": "The replica set has members that the settings do not name; they stay.",
    "migrated": "The schema and the users are as they should be.",
    "migration_applied": "One migration of the schema was run.",
    "prepared": "MongoDB's replica set, users and indexes are as they should be.",
    "replica_set_initiated": "MongoDB's replica set was made.",
    "statement_was_done_already": "An earlier attempt had run the statement before it ended.",
    "user_left_alone": "No password is given for the user, so it stays as it is.",
    "user_ready": "A user has its password and exactly its privileges.",
    "stopped_before_mongodb_was_ready": "A signal ended the wait for MongoDB.",
    "stopped_before_mysql_answered": "A signal ended the wait for MySQL.",
    # fetcher
    "exporting": "The exporter serves metrics.",
    "location_failed": "One location's answer could not be used; the others were.",
    "locations_synchronised": "The region changed, and `locations` with it.",
    "lock_went_with_its_connection": "The runner's lock ended with a lost connection, as it should.",
    "old_rows_removed": "Rows past their retention were deleted: how many of which kind.",
    "part_failed": "A request failed for good; its locations come first in the next run.",
    "part_stored": "An answer is stored, in one transaction.",
    "rollback_failed": "A rollback could not be sent; the server rolls back what a lost connection began.",
    "run_finished": "A run ended, with its outcome and numbers.",
    "run_not_recorded": "A run that failed could not write so; the next one marks it as died.",
    "run_planned": "What the run is going to ask for, and what is left of the quota.",
    "run_to_be_tried_again": "A run of `--watch` failed in a way that may pass.",
    "tables_not_read": "The exporter could not read MySQL.",
    "values_rejected": "Values out of range became null.",
    "waiting_for_next_minute": "The minute's quota is spent; the run goes on in the next.",
    "waiting_for_next_run": "`--watch` waits.",
    # cdc
    "abort_failed": "A transaction could not be aborted; the server aborts what is left open.",
    "collection_cleared": "TRUNCATE or DROP emptied a collection.",
    "dead_letter": "A row could not become a document; it is kept in `_cdc_dead_letters`.",
    "lease_acquired": "This reader holds the Lease and begins to read.",
    "lease_not_released": "The Lease could not be given back; another reader waits until it is over.",
    "lease_not_renewed": "The Lease could not be renewed in time; this reader stops.",
    "lease_unavailable": "The API server does not give the Lease.",
    "position_lost": "MySQL no longer has the changes since the checkpoint; the policy decides.",
    "predecessor_not_ended": "The session of the reader before could not be ended; its open transaction ends by itself.",
    "started": "The reader has taken over: its term and where it starts.",
    "unknown_row_deleted": "A row of a table without a key was deleted that MongoDB does not have (CDC_SNAPSHOT_MODE=no_data).",
    "unlogged_cascades": "Foreign keys change captured rows without a line in the binary log.",
    "xa_commit_of_unknown_rows": "A prepared XA transaction was committed whose rows were not seen.",
    "read_again": "The binary log does not tell what changed; the table is read again.",
    "rows_not_whole": "A session logs rows in part ([decision 0006](decisions/0006-rows-told-in-part.md)); those that are not told are read by their keys. Once for each table map.",
    "request_done": "An operator's request was carried out.",
    "request_refused": "An operator's request cannot be carried out.",
    "request_waits": "An operator's request was taken and goes on.",
    "batch_committed": "A batch with rows is in MongoDB: its `seq`, and the transactions that it has rows of.",
    # web
    "batch_applied": "A complete batch is in the map: the transactions and the fetcher's runs that it comes from.",
    "broadcast": "What was applied since the last time was handed to the browsers.",
    "change_stream_failed": "The change stream ended; it is opened again.",
    "checkpoint_unreadable": "The CDC's checkpoint could not be read.",
    "draining": "The process ends; its browsers are closed in steps.",
    "state_loaded": "The map is loaded and the change stream followed from there.",
    "foreign_change": "A document changed that does not come from the CDC.",
    "open_files_limited": "The system allows fewer open files than WEB_MAX_CONNECTIONS needs: raise its hard limit, or lower the setting.",
    "request_failed": "An HTTP request was answered with 5xx.",
    "serving": "The page is served.",
    "shutdown_requested": "A signal asked the process to end.",
    "state_lost": "What the server had cannot be continued; it loads the whole map.",
    "websocket_failed": "A websocket ended by a bug; the traceback is in the line.",
    # simulator
    "listening": "The simulator answers.",
}


@dataclass
class Event:
    """An event of a service.

    Attributes:
        levels: at which it is logged.
        fields: what it carries, besides what every line has.
    """

    levels: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


def events() -> dict[str, dict[str, Event]]:
    """Return the events by service and name, as the code has them."""
    found: dict[str, dict[str, Event]] = {service: defaultdict(Event) for service in SERVICES}
    for service in SERVICES:
        for file in sorted((ROOT / "services" / service / "src").rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _logs(node):
                    _add(found[service], node)
    return found


def _logs(call: ast.Call) -> bool:
    """Whether the call is `log.info("name")` or `structlog.get_logger().info("name")`."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS or not call.args:
        return False
    source = ast.unparse(function.value)
    return source in {"log", "_log", "logger", "self.log", "self._log"} or source.endswith("get_logger()")


def _add(found: dict[str, Event], call: ast.Call) -> None:
    names = [node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
    for name in names:
        event = found[str(name)]
        event.levels.add(ast.unparse(call.func).rpartition(".")[2])
        event.fields |= {keyword.arg for keyword in call.keywords if keyword.arg not in {None, "exc_info"}}


def unexplained() -> set[str]:
    """Return the events that `MEANINGS` lacks."""
    return {name for found in events().values() for name in found} - MEANINGS.keys()


def unknown() -> set[str]:
    """Return the meanings of events that nobody logs any more."""
    return MEANINGS.keys() - {name for found in events().values() for name in found}


def text() -> str:
    """Return the page."""
    lines = [HEAD.rstrip()]
    for service, found in events().items():
        if not found:
            continue
        title = "every service" if service == "common" else service
        lines += ["", f"## {title}", "", "| event | level | fields | what it means |", "|---|---|---|---|"]
        for name, event in sorted(found.items()):
            levels = ", ".join(sorted({"error" if level == "exception" else level for level in event.levels}))
            fields = ", ".join(f"`{name}`" for name in sorted(event.fields))
            lines.append(f"| `{name}` | {levels} | {fields} | {MEANINGS.get(name, '')} |")
    return "\n".join(lines) + "\n"
