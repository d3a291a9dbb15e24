"""The process that runs SecantusDB. Arguments: the folder of its data, and the port."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from secantus import storage  # type: ignore[import-untyped, unused-ignore]
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
    find_documents_by_whole_keys()
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


def find_documents_by_whole_keys() -> None:
    """Let an `_id` that is a sub-document be looked up like any other.

    SecantusDB 0.7.0b3 reads the whole collection for `{_id: {a: …, b: …}}`, although its key of such an `_id` is as exact
    as that of a number: 300 upserts among 1,200 documents took 5 s, and twice that among twice as many. MongoDB does not.
    """
    by_plain_keys = storage._id_point_lookup_keys  # noqa: SLF001 - there is no public way in

    def by_keys(spec: Any) -> list[bytes] | None:
        if isinstance(spec, Mapping) and spec and not any(str(name).startswith("$") for name in spec):
            return [storage._id_key(spec)]  # noqa: SLF001
        keys: list[bytes] | None = by_plain_keys(spec)
        return keys

    storage._id_point_lookup_keys = by_keys  # noqa: SLF001


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
