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
queued_bytes = Gauge("isotherm_cdc_queued_bytes", "Bytes read from MySQL that wait for MongoDB.")
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
snapshot_tables_remaining = Gauge("isotherm_cdc_snapshot_tables_remaining", "Tables that are still to be read whole.")
leader = Gauge("isotherm_cdc_leader", "Whether this reader holds the lease (1 without a lease): others stand by.")
connected = Gauge("isotherm_cdc_connected", "Whether the binary log is being read.")
milliseconds_behind_source = Gauge(
    "isotherm_cdc_milliseconds_behind_source", "From the last transaction's commit in MySQL until it was in MongoDB."
)
seq = Gauge("isotherm_cdc_seq", "The checkpoint's seq.")
term = Gauge("isotherm_cdc_term", "The checkpoint's term.")

for _side in ("mysql", "mongodb"):
    reconnects_total.labels(_side)
