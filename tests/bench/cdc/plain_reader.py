"""What is compared with: mysql-replication's rows written by pymongo's bulk writes, a thousand at a time.

    python plain_reader.py MYSQL_PORT MONGODB_PORT GTID_SET ROWS

It keeps no checkpoint, uses no transactions and maps no types beyond what BSON needs.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from decimal import Decimal
from typing import Any

import pymongo
import workload
from bson.decimal128 import Decimal128
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import UpdateRowsEvent

BATCH_ROWS = 1000


def main(mysql_port: int, mongodb_port: int, gtid_set: str, rows: int) -> None:
    """Read so many rows, then print what it took."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        f"mongodb://127.0.0.1:{mongodb_port}/?replicaSet=rs0"
    )
    collection = client[workload.SCHEMA]["readings"]
    stream = BinLogStreamReader(
        connection_settings={"host": "127.0.0.1", "port": mysql_port, "user": "cdc_bench", "passwd": "bench"},
        server_id=4711,
        blocking=True,
        auto_position=gtid_set,
        only_events=[UpdateRowsEvent],
        only_schemas=[workload.SCHEMA],
    )
    started = time.monotonic()
    used = _cpu_seconds()
    seen = 0
    operations: list[pymongo.ReplaceOne[dict[str, Any]]] = []
    for event in stream:
        for row in event.rows:
            document = {"_id": row["after_values"]["id"], **row["after_values"]}
            for name, value in document.items():
                if isinstance(value, Decimal):
                    document[name] = Decimal128(value)
            operations.append(pymongo.ReplaceOne({"_id": document["_id"]}, document, upsert=True))
            if len(operations) == BATCH_ROWS:
                collection.bulk_write(operations, ordered=False)
                seen += len(operations)
                operations = []
        if seen + len(operations) >= rows:
            break
    if operations:
        collection.bulk_write(operations, ordered=False)
    seconds = time.monotonic() - started
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"seconds": seconds, "cpu_seconds": _cpu_seconds() - used, "rss_mb": rss}
    sys.stdout.write(json.dumps(told) + "\n")
    stream.close()


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
