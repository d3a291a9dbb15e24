"""MongoDB as a private process: a `mongod` on PATH."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymongo
import pymongo.errors

from isotherm_local.backends.server import REPLICA_SET, MongodbServer, mongodb_answers
from isotherm_local.ports import HOST
from isotherm_local.process import ProcessSpec

if TYPE_CHECKING:
    from pathlib import Path

SERVER_OPTIONS = ("--replSet", REPLICA_SET, "--setParameter", "enableTestCommands=1", "--wiredTigerCacheSizeGB", "0.25")


def prepare(mongod: str, folder: Path, port: int, *, logs: Path) -> MongodbServer:
    """Return how to start `mongod` on the data in `folder`."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    command = [mongod, "--dbpath", str(data), "--port", str(port), "--bind_ip", HOST, *SERVER_OPTIONS]
    spec = ProcessSpec(
        name="mongodb",
        command=command,
        log_folder=logs,
        ready=lambda: mongodb_answers(port) and keep_member(port),
        ready_seconds=90.0,
        stop_seconds=30.0,
    )
    return MongodbServer(f"MongoDB ({mongod})", port, spec)


def keep_member(port: int) -> bool:
    """Give the only member of an existing replica set its present port; answer whether the set is in order.

    A set remembers its member's port, and another program may have taken that one since the last run.
    """
    try:
        with pymongo.MongoClient[dict[str, Any]](HOST, port, directConnection=True) as client:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary") or hello.get("info") == "Does not have a valid replica set config":
                return True
            try:
                config = client.admin.command("replSetGetConfig")["config"]
            except pymongo.errors.OperationFailure as error:
                return error.code == _NOT_YET_INITIALIZED
            if len(config["members"]) == 1 and config["members"][0]["host"] != f"{HOST}:{port}":
                config["members"][0]["host"] = f"{HOST}:{port}"
                config["version"] += 1
                client.admin.command("replSetReconfig", config, force=True)
    except pymongo.errors.PyMongoError:
        return False
    return False


_NOT_YET_INITIALIZED = 94
