"""What the reader needs does not grow with the transaction."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isotherm_local.harness import Pipeline

BENCH = Path(__file__).parents[1] / "bench" / "cdc" / "run.py"
ROWS = 400_000
LARGEST_MB = 140
"""Well below what the rows take that are all held at once (180 MB), and what 2,000,000 rows may take (256 MB)."""


def test_memory_does_not_grow_with_a_transaction(stack: Pipeline) -> None:
    """Before a sink that is slower than MySQL, a transaction of 400,000 rows goes in parts while most of it is unread.

    `make bench-cdc` does the same with 2,000,000 rows.
    """
    server = stack.servers.mysql.parameters()
    arguments = [
        "--mysql", str(server["port"]), "--mysql-password", server.get("password", ""), "--only", "large",
        "--large-rows", str(ROWS), "--sink-delay-ms", "15",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(BENCH), *arguments], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)["large"]["isotherm"]
    assert told["batches"] >= ROWS / 1000
    assert told["rss_mb"] < LARGEST_MB
