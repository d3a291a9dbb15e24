"""How fast the CDC reads, against a sink that only acknowledges; beside it plain mysql-replication and pymongo.

    python tests/bench/cdc/run.py [--rows 200000] [--seconds 15] [--only NAME …] [--mysql PORT] [--set NAME=VALUE …]

Printed as JSON, for each workload: rows a second, CPU seconds of the reader for a million rows (the steadier figure on a
machine that does other things too) and the most memory that it had. For the latency: from MySQL's commit until the
sink has acknowledged MongoDB's, in milliseconds, and until the transaction has been received. Without --mysql a private
server is started.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymongo
import pymysql
import workload

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LARGEST_MB = 256
COMMITS_PER_SECOND = 150
NAMES = ("100-row", "1-row", "large", "latency")
_TICKS = os.sysconf("SC_CLK_TCK")


class Reader:
    """The CDC as a process of its own."""

    def __init__(self, mysql_port: int, mongodb_port: int, settings: dict[str, str]) -> None:
        environment = {
            **os.environ,
            "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": str(mysql_port), "MYSQL_USER": "cdc_bench",
            "MYSQL_PASSWORD": "bench", "MYSQL_DATABASE": "no_weather",
            "MONGODB_URI": f"mongodb://127.0.0.1:{mongodb_port}/?replicaSet=rs0", "MONGODB_DATABASE": "cdc_state",
            "CDC_TABLE_INCLUDE_LIST": f"{workload.SCHEMA}.*", "CDC_SNAPSHOT_MODE": "no_data", "METRICS_PORT": "0",
            "LOG_LEVEL": "warning", **settings,
        }  # fmt: skip
        self.process = subprocess.Popen([sys.executable, "-m", "isotherm_cdc"], env=environment)
        self._stat = Path(f"/proc/{self.process.pid}/stat")

    def cpu_seconds(self) -> float:
        """What the process has used."""
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_mb(self) -> float:
        """The most memory that it had."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


class Bench:
    """One MySQL, one acknowledging sink, and readers between them."""

    def __init__(self, mysql: dict[str, Any], mongodb_port: int, settings: dict[str, str]) -> None:
        self.mysql_port = int(mysql["port"])
        self.mongodb_port = mongodb_port
        self.settings = settings
        self.connection = pymysql.connect(**mysql, autocommit=True)
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            f"mongodb://127.0.0.1:{mongodb_port}/?replicaSet=rs0"
        )
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE USER IF NOT EXISTS cdc_bench IDENTIFIED BY 'bench'")
            cursor.execute("GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO cdc_bench")
        workload.prepare(self.connection)

    def close(self) -> None:
        """Leave the server as it was."""
        workload.remove(self.connection)
        self.connection.close()
        self.client.close()

    def counters(self) -> dict[str, Any]:
        """What the sink has had since the last time."""
        return self.client.admin.command("benchmark")

    def caught_up(self) -> bool:
        """Whether the checkpoint has everything."""
        found = self.client["cdc_state"]["_cdc_checkpoints"].find_one({"_id": "isotherm"})
        if not found or found["txn"]:
            return False
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT GTID_SUBSET(@@GLOBAL.gtid_executed, %s)", (found["gtid_set"],))
            return bool(cursor.fetchone()[0])

    def wait(self, reader: Reader, seconds: float = 900.0) -> None:
        """Wait until caught up."""
        deadline = time.monotonic() + seconds
        while not self.caught_up():
            if reader.process.poll() is not None or time.monotonic() > deadline:
                message = f"the reader ended with {reader.process.poll()} or is too slow"
                raise RuntimeError(message)
            time.sleep(0.1)

    def mark(self) -> str:
        """Have the reader's checkpoint at the end of what is there; return the place."""
        reader = Reader(self.mysql_port, self.mongodb_port, self.settings)
        self.wait(reader)
        reader.stop()
        return workload.executed(self.connection)

    def catch_up(self, rows: int) -> dict[str, float]:
        """Let a new reader catch up on `rows` changed rows."""
        self.counters()
        reader = Reader(self.mysql_port, self.mongodb_port, self.settings)
        try:
            self.wait(reader)
            cpu, rss = reader.cpu_seconds(), reader.peak_mb()
            told = self.counters()
            idle = self._start_up_cpu_seconds()
        finally:
            reader.stop()
        seconds = told["last_at"] - told["first_at"]
        return {
            "rows_per_second": round(rows / seconds), "cpu_seconds_per_million": round((cpu - idle) * 1e6 / rows, 2),
            "rss_mb": round(rss), "seconds": round(seconds, 2), "batches": told["transactions"],
        }  # fmt: skip

    def _start_up_cpu_seconds(self) -> float:
        """What a reader uses that has nothing to catch up on."""
        other = Reader(self.mysql_port, self.mongodb_port, {**self.settings, "CDC_NAME": "idle"})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.client["cdc_state"]["_cdc_checkpoints"].find_one({"_id": "idle"}):
                break
            time.sleep(0.05)
        time.sleep(0.5)
        used = other.cpu_seconds()
        other.stop()
        return used

    def plain(self, start: str, rows: int) -> dict[str, float]:
        """Let the plain reader catch up on the same rows."""
        arguments = [str(self.mysql_port), str(self.mongodb_port), start, str(rows)]
        done = subprocess.run(
            [sys.executable, str(HERE / "plain_reader.py"), *arguments], check=True, capture_output=True, text=True
        )
        told = json.loads(done.stdout)
        return {
            "rows_per_second": round(rows / told["seconds"]),
            "cpu_seconds_per_million": round(told["cpu_seconds"] * 1e6 / rows, 2), "rss_mb": round(told["rss_mb"]),
        }  # fmt: skip

    def latency(self, seconds: float) -> dict[str, float]:
        """Commit single rows at a rate and see when they arrive."""
        reader = Reader(self.mysql_port, self.mongodb_port, self.settings)
        try:
            # Until it has caught up it may not even be connected.
            workload.change_at_a_rate(self.connection, COMMITS_PER_SECOND, 0.2)
            self.wait(reader)
            self.counters()
            before = reader.cpu_seconds()
            count = workload.change_at_a_rate(self.connection, COMMITS_PER_SECOND, seconds)
            self.wait(reader)
            used = reader.cpu_seconds() - before
            found = [latency_us / 1000 for latency_us in self.counters()["latencies_us"]]
        finally:
            reader.stop()
        return {
            "commits_per_second": COMMITS_PER_SECOND, "commits": count, "seen": len(found), **_percentiles(found),
            "cpu_seconds": round(used, 2),
        }  # fmt: skip

    def arrival(self, seconds: float) -> dict[str, float]:
        """Commit single rows at a rate and see when they are in a process that does nothing else than receive them."""
        count = int(COMMITS_PER_SECOND * seconds)
        arguments = [str(self.mysql_port), workload.executed(self.connection), str(count)]
        with subprocess.Popen(
            [sys.executable, str(HERE / "arrival.py"), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stderr is not None
            process.stderr.readline()
            workload.change_at_a_rate(self.connection, COMMITS_PER_SECOND, seconds)
            told, _ = process.communicate(timeout=60)
        return {"commits": count, **_percentiles(json.loads(told))}


@contextlib.contextmanager
def acknowledging_sink(delay_ms: float = 0.0) -> Iterator[int]:
    """Run the sink; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(HERE / "acknowledging_sink.py"), str(port), str(delay_ms)])
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def mysql_server(port: int | None, password: str = "") -> Iterator[dict[str, Any]]:
    """Yield how MySQL is reached; without a port a private server is started."""
    if port is not None:
        yield {"host": "127.0.0.1", "port": port, "user": "root", "password": password}
        return
    from isotherm_local import databases, discovery  # noqa: PLC0415 - only needed here
    from isotherm_local.harness import Mysql  # noqa: PLC0415

    root = HERE.parents[2]
    (root / ".local").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cdc-bench-", dir=root / ".local") as folder:
        layout = databases.Layout(data=Path(folder), cache=root / ".cache")
        server = Mysql(databases.prepare(layout, discovery.look(), lambda _: None).mysql)
        server.start()
        try:
            server.wait_ready()
            yield server.parameters()
        finally:
            server.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--only", nargs="*", choices=NAMES, default=list(NAMES))
    parser.add_argument("--large-rows", type=int, default=2_000_000, help="rows in the one large transaction")
    parser.add_argument("--mysql", type=int, help="the port of a server to use, as root")
    parser.add_argument("--mysql-password", default="", help="its password")
    parser.add_argument("--sink-delay-ms", type=float, default=0.0, help="how long the sink takes for a commit")
    parser.add_argument("--no-plain", action="store_true", help="leave the comparison out")
    parser.add_argument("--set", nargs="*", default=[], help="settings of the reader, NAME=VALUE")
    options = parser.parse_args()
    settings = dict(item.split("=", 1) for item in options.set)
    results: dict[str, Any] = {}
    with (
        mysql_server(options.mysql, options.mysql_password) as mysql,
        acknowledging_sink(options.sink_delay_ms) as port,
    ):
        bench = Bench(mysql, port, settings)
        for name, size in (("100-row", 100), ("1-row", 1)):
            if name not in options.only:
                continue
            rows = options.rows if size > 1 else options.rows // 2
            start = bench.mark()
            workload.change(bench.connection, rows, size)
            results[name] = {"isotherm": bench.catch_up(rows)}
            if not options.no_plain:
                results[name]["plain"] = bench.plain(start, rows)
            _say(f"{name}: {results[name]}")
        if "large" in options.only:
            bench.mark()
            workload.change_in_one_transaction(bench.connection, options.large_rows)
            results["large"] = {"isotherm": bench.catch_up(options.large_rows)}
            _say(f"large: {results['large']}")
        if "latency" in options.only:
            results["latency"] = {
                "isotherm": bench.latency(options.seconds), "until received": bench.arrival(options.seconds)
            }  # fmt: skip
        bench.close()
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    if results.get("large", {}).get("isotherm", {}).get("rss_mb", 0) > LARGEST_MB:
        sys.exit(f"A large transaction took more than {LARGEST_MB} MB.")


def _percentiles(found_ms: list[float]) -> dict[str, float]:
    found = sorted(found_ms)
    parts = {"p50_ms": len(found) // 2, "p99_ms": len(found) * 99 // 100, "max_ms": len(found) - 1}
    return {name: round(found[at], 2) for name, at in parts.items()}


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
