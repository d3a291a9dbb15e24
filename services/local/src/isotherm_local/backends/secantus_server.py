"""The process that runs SecantusDB. Arguments: the folder of its data, and the port."""

from __future__ import annotations

import logging
import sys

from secantus.server import SecantusDBServer  # type: ignore[import-untyped, unused-ignore]

from isotherm_common.shutdown import Shutdown
from isotherm_local.backends.server import REPLICA_SET
from isotherm_local.ports import HOST

_OPLOG_HOURS = 24


def main(folder: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    `sync_on_commit`, for without it commits wait in the process's own memory for a while, and a killed process loses
    what it had acknowledged.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    shutdown = Shutdown.on_signals()
    server = SecantusDBServer(
        host=HOST,
        port=port,
        storage_path=folder,
        replica_set_name=REPLICA_SET,
        enable_test_commands=True,
        noop_heartbeat_seconds=5.0,
        oplog_retention_seconds=_OPLOG_HOURS * 3600.0,
        oplog_max_entries=500_000,
        cache_size="256M",
        sync_on_commit=True,
        durable=True,
    )
    server.start()
    shutdown.wait()
    server.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
