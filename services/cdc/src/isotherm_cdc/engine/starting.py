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
from isotherm_cdc.snapshot.tables import captured_tables, read_table

if TYPE_CHECKING:
    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.engine.shared import Shared
    from isotherm_cdc.settings import Settings


def begin(shared: Shared, checkpoint: Checkpoint) -> None:
    """Check the source, decide where to start, and make the pipeline."""
    settings = shared.settings
    state, tables_now, executed = shared.with_mysql("looking at MySQL", lambda: _look(shared))
    position = GtidSet.parse(checkpoint.gtid_set)
    fresh, ghosts = not checkpoint.started, None
    if not fresh:
        try:
            preflight.check_position(position, state)
        except PositionLost as error:
            if not accepts_loss(settings):
                raise
            structlog.get_logger().warning("position_lost", error=str(error), policy="resnapshot")
            fresh, ghosts = True, checkpoint.seq
    if fresh:
        wanted = settings.snapshot_mode != "no_data" or ghosts is not None
        tables = tuple(TableSnapshot(table, ghosts_before=ghosts) for table in tables_now if wanted)
        checkpoint = shared.sink.commit(Batch(gtid_set=str(state.executed), snapshot=tables))
    exact = fresh or executed <= position
    shared.catalogue = Catalogue(shared.captured, tables_now, exact=exact, lower_case=state.lower_case)
    limits = Limits(settings.max_batch_size, settings.max_batch_bytes, clear_dropped=settings.drop_collections)
    shared.pipeline = Pipeline(checkpoint, limits)
    structlog.get_logger().info(
        "started", term=checkpoint.term, seq=checkpoint.seq, gtid_set=checkpoint.gtid_set, tables=tables_now,
        snapshot=[table.table for table in checkpoint.snapshot], source=state.uuid, version=state.version,
    )  # fmt: skip


def _look(shared: Shared) -> tuple[preflight.SourceState, list[str], GtidSet]:
    """Return what the source has: its state, its captured tables, and what it had executed by then."""
    connection = mysql.connect(shared.settings.mysql)
    try:
        state = preflight.check(connection)
        if state.lower_case:
            shared.captured = shared.captured.folded()
        preflight.check_cascades(connection, state, shared.captured, refuse=shared.refuses_cascades)
        tables = captured_tables(connection, shared.captured.schemas, shared.captured)
        for table in shared.settings.overrides.tables(tables):
            if (found := read_table(connection, *table.split(".", 1))) is not None:
                shared.settings.overrides.check_table(found)
        return state, tables, mysql.gtid_executed(connection)
    finally:
        connection.close()


def accepts_loss(settings: Settings) -> bool:
    """Whether a lost position is to be answered by reading the tables again."""
    return settings.binlog_purged_policy == "resnapshot" or settings.snapshot_mode == "when_needed"
