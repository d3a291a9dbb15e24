"""SecantusDB as a private process: a server from PyPI that speaks MongoDB's protocol."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

from isotherm_local.backends.server import MongodbServer, mongodb_answers
from isotherm_local.process import ProcessSpec

if TYPE_CHECKING:
    from pathlib import Path


def prepare(folder: Path, port: int, *, logs: Path) -> MongodbServer:
    """Return how to start SecantusDB on the data in `folder`."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "isotherm_local.backends.secantus_server", str(data), str(port)]
    spec = ProcessSpec(
        name="mongodb", command=command, log_folder=logs, ready=lambda: mongodb_answers(port), ready_seconds=60.0
    )
    return MongodbServer(f"SecantusDB {metadata.version('secantusdb')}, which speaks MongoDB's protocol", port, spec)
