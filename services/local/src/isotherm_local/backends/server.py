"""What a database server is to the rest: how to reach it, and the process to start."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymongo
import pymongo.errors
import pymysql

from isotherm_local.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from isotherm_local.process import ProcessSpec

_PING_SECONDS = 2
REPLICA_SET = "rs0"

logging.getLogger("pymongo").setLevel(logging.WARNING)


@dataclass(frozen=True)
class MysqlServer:
    """A private MySQL.

    Attributes:
        title: what to call it to a person.
        port: where it listens on 127.0.0.1.
        password_file: the file with root's password.
        spec: its process.
    """

    title: str
    port: int
    password_file: Path
    spec: ProcessSpec

    def parameters(self) -> dict[str, Any]:
        """Return what `pymysql.connect` needs to connect as root."""
        return {
            "host": HOST,
            "port": self.port,
            "user": "root",
            "password": self.password_file.read_text(encoding="ascii"),
        }


@dataclass(frozen=True)
class MongodbServer:
    """A private MongoDB, a replica set of one.

    Attributes:
        title: what to call it to a person.
        port: where it listens on 127.0.0.1.
        spec: its process.
    """

    title: str
    port: int
    spec: ProcessSpec

    @property
    def uri(self) -> str:
        """How services reach it."""
        return f"mongodb://{HOST}:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def admin_uri(self) -> str:
        """How it is reached before there is a replica set."""
        return f"mongodb://{HOST}:{self.port}/?directConnection=true"

    @property
    def member(self) -> str:
        """Its name in the replica set."""
        return f"{HOST}:{self.port}"


def mysql_answers(port: int, password_file: Path) -> bool:
    """Whether MySQL lets root in."""
    try:
        pymysql.connect(
            host=HOST,
            port=port,
            user="root",
            password=password_file.read_text(encoding="ascii"),
            connect_timeout=_PING_SECONDS,
        ).close()
    except pymysql.Error:
        return False
    return True


def mongodb_answers(port: int) -> bool:
    """Whether MongoDB answers, in a replica set or not yet."""
    milliseconds = _PING_SECONDS * 1000
    try:
        with pymongo.MongoClient[dict[str, Any]](
            HOST,
            port,
            directConnection=True,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=milliseconds,
        ) as client:
            client.admin.command("ping")
    except pymongo.errors.PyMongoError:
        return False
    return True
