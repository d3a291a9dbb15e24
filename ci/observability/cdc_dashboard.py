"""The CDC's dashboard."""

from __future__ import annotations

import limits
from panels import Limit, Query, Row, build, by, chosen, lines, number, process_row, quantiles, rate, spread
from shared_panels import cdc_lag


def cdc() -> str:
    """Return the dashboard."""
    healthy: Row = (
        "Is it healthy?",
        [
            number(
                "Reads the binary log",
                "1 while it is connected to MySQL.",
                "none",
                f"max({chosen('isotherm_cdc_connected')})",
                Limit(1, below=True),
            ),
            cdc_lag(),
            number(
                "Checkpoint moved",
                "Ago; it moves at least every 10 s (contract K8).",
                "s",
                f"min({chosen('isotherm_cdc_checkpoint_age_seconds')})",
                Limit(limits.CDC_CHECKPOINT_SECONDS),
            ),
            number(
                "Waiting for MongoDB",
                "What was read from MySQL and MongoDB has not taken yet, of what may wait.",
                "percentunit",
                f"max({chosen('isotherm_cdc_current_queue_size_in_bytes')} / {chosen('isotherm_cdc_max_queue_size_in_bytes')})",
                Limit(limits.CDC_QUEUE_RATIO),
            ),
            number(
                "Dead letters",
                "Rows that could not become documents, since the process started.",
                "none",
                by("", chosen("isotherm_cdc_dead_letters_total")),
                Limit(1),
            ),
            number(
                "Term", "It rises with every reader that takes over.", "none", f"max({chosen('isotherm_cdc_term')})"
            ),
        ],
        False,
    )
    rates: Row = (
        "Rows and batches",
        [
            lines(
                "Row changes by operation",
                "Written to MongoDB, per second.",
                "ops",
                Query(by("operation", rate("isotherm_cdc_events_total")), "{{operation}}"),
                stacked=True,
            ),
            lines(
                "Row changes by table",
                "Written to MongoDB, per second.",
                "ops",
                Query(by("table", rate("isotherm_cdc_events_total")), "{{table}}"),
                stacked=True,
            ),
            lines(
                "Batches and transactions",
                "Batches committed per second, those without rows included; transactions of MySQL that are in MongoDB whole.",
                "ops",
                Query(by("", rate("isotherm_cdc_batches_total")), "batches"),
                Query(by("", rate("isotherm_cdc_number_of_committed_transactions_total")), "transactions"),
            ),
            spread(
                "Documents in a batch",
                "Batches by how many documents they wrote or deleted.",
                "none",
                "isotherm_cdc_batch_documents",
            ),
            lines(
                "Commit to MongoDB",
                "From a transaction's commit in MySQL until it is in MongoDB.",
                "s",
                *quantiles("isotherm_cdc_commit_to_mongodb_seconds"),
            ),
            lines(
                "Behind MySQL",
                "Lag while newer transactions wait, and what the last transaction took.",
                "s",
                Query(chosen("isotherm_cdc_lag_seconds"), "lag"),
                Query(f"{chosen('isotherm_cdc_milliseconds_behind_source')} / 1000", "the last transaction"),
                limit=Limit(limits.CDC_LAG_SECONDS),
            ),
        ],
        False,
    )
    trouble: Row = (
        "Trouble",
        [
            lines(
                "Dead letters",
                "Rows that could not become documents, by table, per second.",
                "ops",
                Query(by("table", rate("isotherm_cdc_dead_letters_total")), "{{table}}"),
            ),
            lines(
                "Retries",
                "Calls to MongoDB that were tried again, by reason, per second.",
                "ops",
                Query(by("reason", rate("isotherm_cdc_retries_total")), "{{reason}}"),
            ),
            lines(
                "Reconnects",
                "Connections that were lost and made anew, per second.",
                "ops",
                Query(by("side", rate("isotherm_cdc_reconnects_total")), "{{side}}"),
            ),
        ],
        False,
    )
    place: Row = (
        "Checkpoint and snapshot",
        [
            lines(
                "Checkpoint moved",
                "Seconds ago, as the process says and by the stored time.",
                "s",
                Query(chosen("isotherm_cdc_checkpoint_age_seconds"), "ago"),
                Query(f"time() - {chosen('isotherm_cdc_checkpoint_timestamp_seconds')}", "by its time"),
                limit=Limit(limits.CDC_CHECKPOINT_SECONDS),
            ),
            lines(
                "Last event",
                "Since the last transaction came from MySQL; no line until one has come.",
                "s",
                Query(f"({chosen('isotherm_cdc_milliseconds_since_last_event')} >= 0) / 1000"),
            ),
            lines(
                "Position",
                "The highest transaction number applied, by the server that it began at.",
                "none",
                Query(chosen("isotherm_cdc_gtid_set"), "{{origin}}"),
            ),
            lines(
                "Leader",
                "1 for the reader that holds the lease, 0 for those that stand by; paused by an operator.",
                "none",
                Query(chosen("isotherm_cdc_leader")),
                Query(chosen("isotherm_cdc_paused"), "{{instance}} paused"),
            ),
            lines(
                "Seq",
                "The checkpoint's seq: it rises by one a batch.",
                "none",
                Query(chosen("isotherm_cdc_seq")),
            ),
            lines(
                "Waiting for MongoDB",
                "Bytes read from MySQL that MongoDB has not taken yet.",
                "bytes",
                Query(chosen("isotherm_cdc_current_queue_size_in_bytes"), "{{instance}} waiting"),
                Query(chosen("isotherm_cdc_max_queue_size_in_bytes"), "{{instance}} at most"),
            ),
            lines(
                "Snapshot",
                "Whether tables are being read whole, and how many are still to be.",
                "none",
                Query(chosen("isotherm_cdc_snapshot_running"), "running"),
                Query(chosen("isotherm_cdc_snapshot_paused"), "paused"),
                Query(chosen("isotherm_cdc_remaining_table_count"), "tables remaining"),
                Query(chosen("isotherm_cdc_captured_tables"), "tables captured"),
            ),
            lines(
                "Snapshot's progress",
                "Rows read of the rows that MySQL thinks the table has; it can be wrong by half.",
                "percentunit",
                Query(
                    f"{chosen('isotherm_cdc_rows_scanned')} / ({chosen('isotherm_cdc_rows_estimated')} > 0)",
                    "{{table}}",
                ),
            ),
            lines(
                "Snapshot's duration",
                "How long tables have been read, or were when they were read last.",
                "s",
                Query(chosen("isotherm_cdc_snapshot_duration_in_seconds")),
            ),
            lines(
                "Snapshot's rows",
                "Rows that snapshots wrote, by table, per second.",
                "ops",
                Query(by("table", rate("isotherm_cdc_snapshot_rows_total")), "{{table}}"),
            ),
            lines(
                "Snapshot's chunks",
                "Chunks that snapshots read, by outcome, per second.",
                "ops",
                Query(by("outcome", rate("isotherm_cdc_snapshot_chunks_total")), "{{outcome}}"),
            ),
        ],
        False,
    )
    return build(
        "isotherm-cdc",
        "Isotherm / CDC",
        "From MySQL's binary log to MongoDB: lag, throughput, trouble, checkpoint and snapshots.",
        "isotherm_cdc_connected",
        [healthy, rates, trouble, place, process_row("CDC", "isotherm_cdc_connected")],
    )
