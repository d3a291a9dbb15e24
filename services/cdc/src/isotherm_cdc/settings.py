"""The CDC's settings: the only reader of the environment. The words are Debezium's where it has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from isotherm_cdc.values import overrides
from isotherm_cdc.values.overrides import Overrides
from isotherm_common.observability import ObservabilitySettings
from isotherm_common.settings import LogSettings, MongodbSettings, MysqlSettings, Secret, group, setting
from isotherm_common.tracing import TracingSettings

_TABLES = ("locations", "weather_data", "weather_forecast", "weather_history")
_MIB = 1 << 20


def _full_names(names: tuple[str, ...]) -> str | None:
    wrong = [name for name in names if not re.fullmatch(r"[^.\s]+\.\S(?:.*\S)?", name)]
    return f"must be a list of schema.table, which {wrong[0]!r} is not" if wrong else None


SnapshotMode = Literal["initial", "no_data", "when_needed", "always"]


@dataclass(frozen=True)
class CdcObservabilitySettings(ObservabilitySettings):
    """Where metrics, health and `/status` are served."""

    port: int = setting("METRICS_PORT", default=9102, minimum=0, maximum=65535, help="Their port; 0: any free one.")


@dataclass(frozen=True)
class LeaseSettings:
    """How several readers agree on one, on Kubernetes."""

    name: str | None = setting(
        "CDC_LEASE_NAME",
        default=None,
        help="The Kubernetes Lease that the one working reader holds, the others stand by. Not set: no lease, one reader.",
    )
    namespace: str | None = setting(
        "CDC_LEASE_NAMESPACE", default=None, help="The Lease's namespace. Not set: the pod's own."
    )
    identity: str | None = setting(
        "CDC_LEASE_IDENTITY",
        default=None,
        help="Who this reader is in the Lease; no two may be the same. Not set: the host name, which is the pod's name.",
    )
    duration_seconds: int = setting(
        "CDC_LEASE_DURATION_SECONDS",
        default=15,
        minimum=2,
        maximum=3600,
        help="How long the Lease counts without being renewed: so long after a reader's sudden end another takes over.",
    )
    renew_deadline_seconds: float = setting(
        "CDC_LEASE_RENEW_DEADLINE_SECONDS",
        default=10.0,
        minimum=0.5,
        help="After how long without having renewed the Lease its holder stops; less than CDC_LEASE_DURATION_SECONDS.",
    )
    retry_seconds: float = setting(
        "CDC_LEASE_RETRY_SECONDS",
        default=2.0,
        minimum=0.1,
        help="How often the Lease is looked at and renewed; less than CDC_LEASE_RENEW_DEADLINE_SECONDS.",
    )

    def __post_init__(self) -> None:
        if not self.retry_seconds < self.renew_deadline_seconds < self.duration_seconds:
            message = (
                "CDC_LEASE_RETRY_SECONDS must be less than CDC_LEASE_RENEW_DEADLINE_SECONDS, and that less than "
                "CDC_LEASE_DURATION_SECONDS."
            )
            raise ValueError(message)


@dataclass(frozen=True)
class Settings:
    """Everything that can be set."""

    mysql: MysqlSettings = group(MysqlSettings)
    mongodb: MongodbSettings = group(MongodbSettings)
    log: LogSettings = group(LogSettings)
    observability: CdcObservabilitySettings = group(CdcObservabilitySettings)
    lease: LeaseSettings = group(LeaseSettings)
    tracing: TracingSettings = group(TracingSettings)
    name: str = setting("CDC_NAME", default="isotherm", help="The pipeline's name: the `_id` of its checkpoint.")
    table_include_list: tuple[str, ...] = setting(
        "CDC_TABLE_INCLUDE_LIST",
        default=(),
        help="Tables to capture, schema.table with commas between; schema.* is the whole schema. Empty: the weather's.",
        check=_full_names,
    )
    table_exclude_list: tuple[str, ...] = setting(
        "CDC_TABLE_EXCLUDE_LIST", default=(), help="Tables not to capture, though included.", check=_full_names
    )
    server_id: int | None = setting(
        "CDC_SERVER_ID",
        default=None,
        minimum=1,
        maximum=2**32 - 1,
        help="The server id to register with; it must be unique among the source's replicas. Not set: a random high one.",
    )
    snapshot_mode: SnapshotMode = setting(
        "CDC_SNAPSHOT_MODE",
        default="initial",
        help="initial: read the tables once, at the first start; no_data: begin with the changes from now on, and read no "
        "table that is created or altered either; when_needed: like initial, and again when the source no longer has the "
        "changes since the checkpoint; always: at every start, and "
        "what has no row any more is deleted.",
    )
    keyless: Literal["fail", "hash"] = setting(
        "CDC_KEYLESS",
        default="fail",
        help="What to do with a table that has neither a primary key nor a unique key of NOT NULL columns: stop, or make the "
        "hash of a row its _id and count equal rows.",
    )
    snapshot_chunk_rows: int = setting(
        "CDC_SNAPSHOT_CHUNK_ROWS",
        default=1024,
        minimum=1,
        maximum=100_000,
        help="Rows that a snapshot reads at a time at most; fewer when they are so large that they would not fit a batch.",
    )
    max_batch_size: int = setting(
        "CDC_MAX_BATCH_SIZE", default=1000, minimum=1, maximum=100_000, help="Rows in a batch at most."
    )
    max_batch_bytes: int = setting(
        "CDC_MAX_BATCH_BYTES",
        default=8 * _MIB,
        minimum=1024,
        maximum=14 * _MIB,
        help="Bytes in a batch at most (a larger row makes a batch of its own); a transaction in MongoDB has to stay small.",
    )
    max_queue_bytes: int = setting(
        "CDC_MAX_QUEUE_BYTES",
        default=32 * _MIB,
        minimum=4096,
        help="Bytes that wait for MongoDB before reading stops; at least twice CDC_MAX_BATCH_BYTES.",
    )
    heartbeat_interval_ms: int = setting(
        "CDC_HEARTBEAT_INTERVAL_MS",
        default=5000,
        minimum=100,
        maximum=10_000,
        help="How often the checkpoint moves when no captured table changes; contract K8 allows ten seconds.",
    )
    binlog_purged_policy: Literal["fail", "resnapshot"] = setting(
        "CDC_BINLOG_PURGED_POLICY",
        default="fail",
        help="What to do when the source lacks changes since the checkpoint, or has lost some that the checkpoint has: stop, "
        "or read the tables again and delete what has no row any more.",
    )
    unreadable_changes_policy: Literal["fail", "resnapshot"] = setting(
        "CDC_UNREADABLE_CHANGES_POLICY",
        default="fail",
        help="What to do with changes that the binary log does not tell (statements in place of rows, rows without their key, "
        "missing metadata, an incident): stop, or read again the tables that they concern.",
    )
    unlogged_cascades_policy: Literal["fail", "warn"] = setting(
        "CDC_UNLOGGED_CASCADES_POLICY",
        default="fail",
        help="What to do about foreign keys with ON DELETE or ON UPDATE actions on captured tables where MySQL (before 9.6) "
        "does not log what they change: stop, or go on, at the price of documents without a row.",
    )
    tombstone_retention_seconds: float = setting(
        "CDC_TOMBSTONE_RETENTION_SECONDS",
        default=3600.0,
        minimum=1,
        help="How long a delete is remembered for browsers that come back; older ones get a snapshot.",
    )
    event_failure_limit: int = setting(
        "CDC_EVENT_FAILURE_LIMIT",
        default=100,
        minimum=0,
        help="Rows a minute that may go to the dead letters; with more the pipeline stops.",
    )
    oversized_row_policy: Literal["dead_letter", "halt"] = setting(
        "CDC_OVERSIZED_ROW_POLICY",
        default="dead_letter",
        help="What to do with a row whose document would be larger than the 16 MiB that MongoDB holds: keep it as a dead "
        "letter, in chunks, or stop with its table, key and size.",
    )
    row_decoder: Literal["compiled", "plain"] = setting(
        "CDC_ROW_DECODER",
        default="compiled",
        help="How rows are read: by functions generated for each table, or by the plain way that those are checked against, "
        "several times slower.",
    )
    drop_collections: bool = setting(
        "CDC_EMPTY_DROPPED_TABLES", default=False, help="Whether DROP TABLE deletes the collection's documents."
    )
    column_overrides: tuple[str, ...] = setting(
        "CDC_COLUMN_OVERRIDES",
        default=(),
        help="Columns in another form than docs/type-mapping.md names, schema.table.column=action with commas between "
        "(schema.*.column for every table): exclude, hash, mask:length, truncate:length, string, double, date, bool, hex "
        "or base64.",
        check=overrides.problem,
    )
    column_hash_salt: Secret | None = setting(
        "CDC_COLUMN_HASH_SALT",
        default=None,
        help="What CDC_COLUMN_OVERRIDES hashes together with the values; at least 16 characters.",
    )

    def __post_init__(self) -> None:
        if self.max_queue_bytes < 2 * self.max_batch_bytes:
            message = "CDC_MAX_QUEUE_BYTES must be at least twice CDC_MAX_BATCH_BYTES."
            raise ValueError(message)
        self.overrides.check()

    @property
    def overrides(self) -> Overrides:
        """What is to be done to which columns."""
        return Overrides(self.column_overrides, self.column_hash_salt.value if self.column_hash_salt else "")

    @property
    def tables(self) -> tuple[str, ...]:
        """The include list in effect."""
        return self.table_include_list or tuple(f"{self.mysql.database}.{table}" for table in _TABLES)

    @property
    def captures_weather(self) -> bool:
        """Whether the schema that isotherm-migrate owns is captured."""
        return any(table.startswith(f"{self.mysql.database}.") for table in self.tables)


class TableFilter:
    """Which tables are captured."""

    def __init__(self, include: tuple[str, ...], exclude: tuple[str, ...] = ()) -> None:
        self._include = frozenset(include)
        self._exclude = frozenset(exclude)

    def folded(self) -> TableFilter:
        """Return the same filter for a source whose names are in lower case."""
        return TableFilter(tuple(map(str.lower, self._include)), tuple(map(str.lower, self._exclude)))

    def __call__(self, table: str) -> bool:
        """Whether `schema.table` is captured."""
        everything = f"{table.partition('.')[0]}.*"
        return (table in self._include or everything in self._include) and not (
            table in self._exclude or everything in self._exclude
        )

    @property
    def schemas(self) -> tuple[str, ...]:
        """The schemas that have captured tables."""
        return tuple(sorted({table.partition(".")[0] for table in self._include}))
