"""What is done to the servers and to the connections between them and the reader."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from cdc_support.relay import Relay

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    import pymongo

    from isotherm_local.harness import Servers

_APP = "isotherm-cdc"
_WRITES = ["insert", "update", "delete", "bulkWrite", "findAndModify", "commitTransaction"]

FAIL_COMMANDS: dict[str, dict[str, Any]] = {
    "commit: connection closed": {"failCommands": ["commitTransaction"], "closeConnection": True},
    "commit: outcome unknown": {
        "failCommands": ["commitTransaction"], "errorCode": 91, "errorLabels": ["UnknownTransactionCommitResult"],
    },
    "commit: write concern failed": {
        "failCommands": ["commitTransaction"],
        "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"},
    },
    "write: conflict": {
        "failCommands": ["insert", "update", "delete", "bulkWrite"],
        "errorCode": 112,
        "errorLabels": ["TransientTransactionError"],
    },
    "write: connection closed": {"failCommands": ["insert", "update", "delete", "bulkWrite"], "closeConnection": True},
    "not primary": {"failCommands": _WRITES, "errorCode": 10107},
    "shutting down": {"failCommands": [*_WRITES, "find"], "errorCode": 91},
    "disk full": {"failCommands": ["insert", "update", "bulkWrite"], "errorCode": 14031},
}  # fmt: skip
LOST_ANSWERS = {
    "answer lost: commit": b"commitTransaction",
    "answer lost: takeover": b"findAndModify",
    "answer lost: first write": b"startTransaction",
}


class Faults:
    """Does harm, by name, and counts it."""

    def __init__(self, servers: Servers, client: pymongo.MongoClient[dict[str, Any]]) -> None:
        """Put proxies before both servers.

        Args:
            servers: both of them.
            client: a client that no fault is meant for.
        """
        self._servers = servers
        self._client = client
        self.mongodb = Relay(servers.mongodb.server.port)
        self.mysql = Relay(servers.mysql.server.port)
        self.counts: Counter[str] = Counter()
        self._light: dict[str, Callable[[int], None]] = {
            "connections to MongoDB cut": lambda _: self.mongodb.cut(),
            "connections to MySQL cut": lambda _: self.mysql.cut(),
            "stepped down": lambda _: self._step_down(),
        }
        self._heavy: dict[str, Callable[[], None]] = {
            "MySQL killed": lambda: self._restart_mysql(kill=True),
            "MySQL restarted": lambda: self._restart_mysql(kill=False),
            "MongoDB killed": self._restart_mongodb,
        }

    @property
    def light(self) -> list[str]:
        """What passes in a moment."""
        return [*self._light, *FAIL_COMMANDS, *LOST_ANSWERS]

    @property
    def heavy(self) -> list[str]:
        """What takes seconds."""
        return list(self._heavy)

    def do(self, name: str, chance: random.Random) -> None:
        """Do harm."""
        self.counts[name] += 1
        if name in FAIL_COMMANDS:
            command = {
                "configureFailPoint": "failCommand",
                "mode": {"times": chance.randint(1, 3)},
                "data": {**FAIL_COMMANDS[name], "appName": _APP},
            }
            self._client.admin.command(command)
        elif name in LOST_ANSWERS:
            self.mongodb.lose_answer(LOST_ANSWERS[name])
        elif name in self._heavy:
            self._heavy[name]()
        else:
            self._light[name](0)

    def calm(self) -> None:
        """End everything that could still happen."""
        self.mongodb.lose_answer(None)
        self._client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        self._servers.ensure_running()

    def close(self) -> None:
        """Take the proxies away."""
        with contextlib.suppress(PyMongoError):
            self._client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        self.mongodb.close()
        self.mysql.close()

    def _step_down(self) -> None:
        with contextlib.suppress(PyMongoError):  # it closes connections, ours too
            self._client.admin.command({"replSetStepDown": 1, "force": True})

    def _restart_mysql(self, *, kill: bool) -> None:
        if kill:
            self._servers.mysql.kill()
        else:
            self._servers.mysql.stop()
        self._servers.mysql.start().wait_ready()

    def _restart_mongodb(self) -> None:
        self._servers.mongodb.kill()
        self._servers.mongodb.start().wait_ready()
