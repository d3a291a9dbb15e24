"""What is known of the binary log's types of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_cdc.binlog import events

if TYPE_CHECKING:
    from isotherm_cdc.binlog.decode import Operation

SILENT = frozenset(
    {
        events.STOP,
        events.ROTATE,
        events.INTVAR,
        events.RAND,
        events.USER_VAR,
        events.FORMAT_DESCRIPTION,
        events.HEARTBEAT,
        events.HEARTBEAT_V2,
        events.IGNORABLE,
        events.ROWS_QUERY,
        events.PREVIOUS_GTIDS,
        events.TRANSACTION_CONTEXT,
        events.VIEW_CHANGE,
    }
)
"""Events that mean nothing for rows."""
OPERATIONS: dict[int, tuple[Operation, int]] = {
    **{kind: ("insert", version) for version, kind in enumerate(events.WRITE_ROWS, 1)},
    **{kind: ("update", version) for version, kind in enumerate(events.UPDATE_ROWS, 1)},
    **{kind: ("delete", version) for version, kind in enumerate(events.DELETE_ROWS, 1)},
}
"""What the events of rows do, and the version of their form."""
DIFFERENCES: tuple[Operation, int] = ("update", 2)
"""The same of PARTIAL_UPDATE_ROWS."""
READ_AGAIN = frozenset({events.INCIDENT, events.BEGIN_LOAD_QUERY, events.EXECUTE_LOAD_QUERY})
"""Events after which reading the tables again makes everything equal."""
REASONS = {
    events.INCIDENT: "an incident: the source says that events are missing from its binary log",
    events.ANONYMOUS_GTID: "no GTID: gtid_mode must be ON",
    events.BEGIN_LOAD_QUERY: "a statement in place of rows (LOAD DATA): binlog_format must be ROW in every session",
    events.EXECUTE_LOAD_QUERY: "a statement in place of rows (LOAD DATA): binlog_format must be ROW in every session",
}
"""Why the events that must not be passed over are refused."""
