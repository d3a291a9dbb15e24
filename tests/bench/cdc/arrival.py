"""How long after its commit a transaction is in the reader's process: what no reader can be faster than.

    python arrival.py MYSQL_PORT POSITION COUNT

Reads COUNT transactions behind POSITION (a GTID set) as the CDC does, up to the events, and does nothing with them.
Prints the milliseconds from each commit until its last event was there, as JSON.
"""

from __future__ import annotations

import json
import sys
import time

from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.stream import Source
from isotherm_cdc.gtid import GtidSet
from isotherm_common.settings import MysqlSettings, Secret


def main(port: int, position: str, count: int) -> None:
    """Measure and print."""
    settings = MysqlSettings(
        host="127.0.0.1", port=port, user="cdc_bench", password=Secret("bench"), database="no_weather"
    )
    found_ms: list[float] = []
    commit_us: int | None = None
    source = Source(settings, GtidSet.parse(position))
    sys.stderr.write("reading\n")
    sys.stderr.flush()
    for chunk in source:
        now_us = time.time() * 1e6
        for event in chunk:
            if event.kind == events.GTID:
                commit_us = events.parse_gtid(event.body).commit_us
            elif event.kind == events.XID and commit_us is not None:
                found_ms.append((now_us - commit_us) / 1000)
        if len(found_ms) >= count:
            break
    source.close()
    sys.stdout.write(json.dumps(found_ms))


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
