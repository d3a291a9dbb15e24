"""Where to start, and which tables to read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from isotherm_cdc import mysql, preflight
from isotherm_cdc.binlog.catalogue import Catalogue
from isotherm_cdc.checkpoint import TableSnapshot
from isotherm_cdc.errors import PositionLost
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.batch import Batch, Limits
from isotherm_cdc.pipeline.pipeline import Pipeline
from isotherm_cdc.snapshot.tables import captured_tables, check_keys, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.engine.shared import Shared
    from isotherm_cdc.settings import Settings, SnapshotMode


def begin(shared: Shared, checkpoint: Checkpoint) -> None:
    """Check the source, decide where to start, and make the pipeline."""
    settings = shared.settings
    state, tables_now, executed = shared.with_mysql("looking at MySQL", lambda: _look(shared))
    position = GtidSet.parse(checkpoint.gtid_set)
    fresh, lost = not checkpoint.started, False
    if not fresh:
        try:
            preflight.check_position(position, state)
        except PositionLost as error:
            if not accepts_loss(settings):
                raise
            structlog.get_logger().warning("position_lost", error=str(error), policy="resnapshot")
            lost = True
    tables = to_read(_still_captured(checkpoint, shared), tables_now, settings.snapshot_mode, lost=lost)
    also, former = {"tables": tables_now}, checkpoint.tables or ()
    if fresh or lost:
        checkpoint = shared.sink.commit(Batch(gtid_set=str(state.executed), snapshot=tables, also=also))
    elif tables != checkpoint.snapshot or checkpoint.tables is None or set(tables_now) != set(checkpoint.tables):
        batch = Batch(gtid_set=checkpoint.gtid_set, position=checkpoint.position, snapshot=tables, also=also)
        checkpoint = shared.sink.commit(batch)
    shared.recorded_tables = set(tables_now)
    exact = fresh or lost or executed <= position
    shared.catalogue = Catalogue(
        shared.captured,
        tables_now,
        former=former,
        exact=exact,
        lower_case=state.lower_case,
        reads_changed=settings.snapshot_mode != "no_data",
    )
    shared.paused, shared.snapshot_paused = checkpoint.paused, checkpoint.snapshot_paused
    limits = Limits(settings.max_batch_size, settings.max_batch_bytes, clear_dropped=settings.drop_collections)
    shared.pipeline = Pipeline(checkpoint, limits)
    structlog.get_logger().info(
        "started", term=checkpoint.term, seq=checkpoint.seq, gtid_set=checkpoint.gtid_set, tables=tables_now,
        snapshot=[table.table for table in checkpoint.snapshot], source=state.uuid, version=state.version,
    )  # fmt: skip


def to_read(
    checkpoint: Checkpoint, tables_now: Sequence[str], mode: SnapshotMode, *, lost: bool
) -> tuple[TableSnapshot, ...]:
    """Return which tables are to be read, and from where.

    Args:
        checkpoint: what was left.
        tables_now: the captured tables that there are.
        mode: the setting.
        lost: whether changes since the checkpoint are gone.
    """
    if not checkpoint.started:
        return () if mode == "no_data" else tuple(map(TableSnapshot, tables_now))
    if lost:
        return tuple(TableSnapshot(table, ghosts_before=checkpoint.seq) for table in tables_now)
    # Of a table that is gone only what its documents need is left to do: the reader finds none, and they are deleted.
    unfinished = tuple(
        table
        for table in checkpoint.snapshot
        if (table.table in tables_now or table.ghosts_before is not None)
        and not (mode == "always" and table.is_for_keys)
    )
    begun = {table.table for table in unfinished}
    if mode == "always" and not unfinished:
        wanted = list(tables_now)
    elif mode == "no_data" or checkpoint.tables is None:
        wanted = []
    else:
        wanted = [table for table in tables_now if table not in checkpoint.tables]
    more = (TableSnapshot(table, ghosts_before=checkpoint.seq) for table in wanted if table not in begun)
    return (*unfinished, *more)


def _still_captured(checkpoint: Checkpoint, shared: Shared) -> Checkpoint:
    """Forget the reading of tables that the settings capture no more; their documents stay."""
    return checkpoint.moved(snapshot=tuple(table for table in checkpoint.snapshot if shared.captured(table.table)))


def _look(shared: Shared) -> tuple[preflight.SourceState, list[str], GtidSet]:
    """Return what the source has: its state, its captured tables, and what it had executed by then."""
    connection = mysql.connect(shared.settings.mysql)
    try:
        state = preflight.check(connection)
        if state.lower_case:
            shared.captured = shared.captured.folded()
        preflight.check_cascades(connection, state, shared.captured, refuse=shared.refuses_cascades)
        tables = captured_tables(connection, shared.captured.schemas, shared.captured)
        check_keys(connection, tables, shared.settings.keyless)
        for table in shared.settings.overrides.tables(tables):
            if (found := read_table(connection, *table.split(".", 1))) is not None:
                shared.settings.overrides.check_table(found)
        return state, tables, mysql.gtid_executed(connection)
    finally:
        connection.close()


def accepts_loss(settings: Settings) -> bool:
    """Whether a lost position is to be answered by reading the tables again."""
    return settings.binlog_purged_policy == "resnapshot" or settings.snapshot_mode == "when_needed"
