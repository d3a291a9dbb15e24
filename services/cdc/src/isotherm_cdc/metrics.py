"""The CDC's Prometheus metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from isotherm_cdc.histogram import BulkHistogram

_LATENCY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
_BATCH_BUCKETS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

lag_seconds = Gauge(
    "isotherm_cdc_lag_seconds",
    "Age, by the source's commit time, of the newest transaction that is in MongoDB while newer ones wait; 0 when none do.",
)
commit_to_mongodb_seconds = BulkHistogram(
    "isotherm_cdc_commit_to_mongodb_seconds",
    "From a transaction's commit in MySQL until it is in MongoDB.",
    buckets=_LATENCY_BUCKETS,
)
events_total = Counter("isotherm_cdc_events_total", "Row changes written to MongoDB.", ["operation", "table"])
batches_total = Counter("isotherm_cdc_batches_total", "Batches committed, those without rows included.")
batch_documents = Histogram(
    "isotherm_cdc_batch_documents", "Documents that a batch wrote or deleted.", buckets=_BATCH_BUCKETS
)
checkpoint_timestamp_seconds = Gauge(
    "isotherm_cdc_checkpoint_timestamp_seconds", "When the checkpoint moved last, in Unix seconds."
)
checkpoint_age_seconds = Gauge("isotherm_cdc_checkpoint_age_seconds", "How long ago the checkpoint moved last.")
reconnects_total = Counter("isotherm_cdc_reconnects_total", "Connections that were lost and made anew.", ["side"])
retries_total = Counter("isotherm_cdc_retries_total", "Calls to MongoDB that were tried again.", ["reason"])
dead_letters_total = Counter("isotherm_cdc_dead_letters_total", "Rows that went to the dead letters.", ["table"])
snapshot_rows_total = Counter("isotherm_cdc_snapshot_rows_total", "Rows that snapshots wrote.", ["table"])
snapshot_chunks_total = Counter(
    "isotherm_cdc_snapshot_chunks_total", "Chunks that snapshots read.", ["table", "outcome"]
)
snapshot_running = Gauge("isotherm_cdc_snapshot_running", "Whether tables are being read.")
leader = Gauge("isotherm_cdc_leader", "Whether this reader holds the lease (1 without a lease): others stand by.")
connected = Gauge("isotherm_cdc_connected", "Whether the binary log is being read.")
milliseconds_behind_source = Gauge(
    "isotherm_cdc_milliseconds_behind_source", "From the last transaction's commit in MySQL until it was in MongoDB."
)
milliseconds_since_last_event = Gauge(
    "isotherm_cdc_milliseconds_since_last_event",
    "Since the last transaction came from MySQL; -1 when none has come yet.",
)
create_events_seen_total = Counter(
    "isotherm_cdc_number_of_create_events_seen_total", "Inserted rows written to MongoDB."
)
update_events_seen_total = Counter(
    "isotherm_cdc_number_of_update_events_seen_total", "Updated rows written to MongoDB."
)
delete_events_seen_total = Counter(
    "isotherm_cdc_number_of_delete_events_seen_total", "Deleted rows written to MongoDB."
)
erroneous_events_total = Counter(
    "isotherm_cdc_number_of_erroneous_events_total", "Rows that no document can hold, those of snapshots included."
)
committed_transactions_total = Counter(
    "isotherm_cdc_number_of_committed_transactions_total", "Transactions with captured rows that are in MongoDB whole."
)
disconnects_total = Counter("isotherm_cdc_number_of_disconnects_total", "Times that the stream of MySQL's log ended.")
current_queue_size_in_bytes = Gauge(
    "isotherm_cdc_current_queue_size_in_bytes", "Bytes read from MySQL that wait for MongoDB."
)
max_queue_size_in_bytes = Gauge("isotherm_cdc_max_queue_size_in_bytes", "Bytes that may wait before reading stops.")
queue_remaining_capacity = Gauge(
    "isotherm_cdc_queue_remaining_capacity", "Bytes that may still be read before it stops."
)
gtid_set = Gauge(
    "isotherm_cdc_gtid_set",
    "The position: the highest transaction number applied, by origin (a server's UUID, with a tag if there is one).",
    ["origin"],
)
captured_tables = Gauge("isotherm_cdc_captured_tables", "Captured tables that are known.")
paused = Gauge("isotherm_cdc_paused", "Whether an operator has paused the pipeline: nothing is read or applied.")
snapshot_paused = Gauge("isotherm_cdc_snapshot_paused", "Whether tables that are to be read wait for an operator.")
snapshot_completed = Gauge("isotherm_cdc_snapshot_completed", "Whether no table is left to be read.")
snapshot_duration_in_seconds = Gauge(
    "isotherm_cdc_snapshot_duration_in_seconds",
    "How long tables have been read in this process, pauses included, or were when they were read last.",
)
total_table_count = Gauge(
    "isotherm_cdc_total_table_count", "Tables that the snapshot under way, or the last one, reads."
)
remaining_table_count = Gauge("isotherm_cdc_remaining_table_count", "Tables that are still to be read.")
rows_scanned = Gauge("isotherm_cdc_rows_scanned", "Rows of a table that is being read so far.", ["table"])
rows_estimated = Gauge(
    "isotherm_cdc_rows_estimated", "Rows that MySQL thinks a table has that is being read.", ["table"]
)
seq = Gauge("isotherm_cdc_seq", "The checkpoint's seq.")
term = Gauge("isotherm_cdc_term", "The checkpoint's term.")

for _side in ("mysql", "mongodb"):
    reconnects_total.labels(_side)
