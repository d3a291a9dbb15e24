"""A server that speaks MongoDB's wire protocol, acknowledges every write and stores none: what a reader costs without it.

    python acknowledging_sink.py PORT [MILLISECONDS]

Checkpoints (`_cdc_checkpoints`) are kept in memory, so that a reader finds its place again. `{benchmark: 1}` answers what
has come since the last time it was asked: documents, bytes, transactions, and how long after their `ts` the documents
of each transaction were committed. Sessions and transactions are accepted and mean nothing. Given MILLISECONDS, a commit takes so long.
"""

from __future__ import annotations

import re
import socket
import struct
import sys
import threading
import time
from typing import Any

import bson

_HEADER = struct.Struct("<iiiiI")
_REPLY = struct.Struct("<iiiiIB")
_INT32 = struct.Struct("<i")
_OP_MSG, _OP_QUERY, _OP_REPLY = 2013, 2004, 1
_MORE_TO_COME = 2
_LARGEST_DOCUMENT_BYTES = 16 << 20
_TS = re.compile(rb"\x12ts\0(.{8})", re.DOTALL)
_TAIL_BYTES = 160
"""A document ends in its `_cdc`, which is shorter than this."""
_HELLO = {
    "ok": 1.0,
    "helloOk": True,
    "isWritablePrimary": True,
    "ismaster": True,
    "maxBsonObjectSize": _LARGEST_DOCUMENT_BYTES,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "logicalSessionTimeoutMinutes": 30,
    "minWireVersion": 0,
    "maxWireVersion": 25,
    "setName": "rs0",
    "setVersion": 1,
    "secondary": False,
    "readOnly": False,
}


class Counters:
    """What has come since it was last asked for."""

    def __init__(self) -> None:
        self.documents = 0
        self.bytes = 0
        self.transactions = 0
        self.first_at = 0.0
        self.last_at = 0.0
        self.latencies_us: list[int] = []

    def report(self) -> dict[str, Any]:
        """Return all of it."""
        return {**vars(self), "ok": 1.0}


class State:
    """What all connections share."""

    def __init__(self, port: int, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        self.lock = threading.Lock()
        self.address = f"127.0.0.1:{port}"
        self.checkpoints: dict[Any, dict[str, Any]] = {}
        self.counters = Counters()


class Connection:
    """One client."""

    def __init__(self, connection: socket.socket, state: State) -> None:
        self._socket = connection
        self._state = state
        self._commits_us: list[int] = []
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

    def serve(self) -> None:
        """Answer until the client goes."""
        file = self._socket.makefile("rb", 1 << 20)
        while header := file.read(16):
            size, request, _, code = struct.unpack("<iiii", header)
            body = file.read(size - 16)
            if code == _OP_QUERY:
                answer = bson.encode(self._hello())
                head = struct.pack("<iiiiiqii", 36 + len(answer), 0, request, _OP_REPLY, 8, 0, 0, 1)
                self._socket.sendall(head + answer)
                continue
            (flags,) = struct.unpack_from("<I", body)
            answer = bson.encode(self._message(body))
            if not flags & _MORE_TO_COME:
                self._socket.sendall(_REPLY.pack(21 + len(answer), 0, request, _OP_MSG, 0, 0) + answer)

    def _hello(self) -> dict[str, Any]:
        address = self._state.address
        return {**_HELLO, "hosts": [address], "primary": address, "me": address, "connectionId": 1}

    def _message(self, body: bytes) -> dict[str, Any]:
        at = 4
        command: dict[str, Any] = {}
        documents = b""
        while at < len(body):
            kind = body[at]
            (size,) = _INT32.unpack_from(body, at + 1)
            if kind:
                start = body.index(b"\0", at + 5) + 1
                documents = body[start : at + 1 + size]
            else:
                command = bson.decode(body[at + 1 : at + 1 + size])
            at += 1 + size
        return self._answer(command, documents)

    def _answer(  # noqa: PLR0911 - one return for each command
        self, command: dict[str, Any], documents: bytes
    ) -> dict[str, Any]:
        name = next(iter(command))
        if name in ("update", "insert", "delete"):
            return self._write(command, name, documents)
        if name == "commitTransaction":
            return self._commit()
        if name in ("hello", "ismaster", "isMaster"):
            return self._hello()
        if name == "findAndModify":
            return self._take_over(command)
        if name == "find":
            found = self._state.checkpoints.get(command.get("filter", {}).get("_id"))
            batch = [found] if found and command["find"] == "_cdc_checkpoints" else []
            return {"cursor": {"id": bson.Int64(0), "ns": "x.y", "firstBatch": batch}, "ok": 1.0}
        if name == "benchmark":
            with self._state.lock:
                report, self._state.counters = self._state.counters.report(), Counters()
            return report
        return {"ok": 1.0}

    def _write(self, command: dict[str, Any], name: str, documents: bytes) -> dict[str, Any]:
        if command[name].startswith("_cdc_"):
            statements = command.get("updates") or _decode_all(documents)
            for statement in statements if command[name] == "_cdc_checkpoints" else ():
                self._state.checkpoints[statement["q"]["_id"]].update(statement["u"]["$set"])
            return {"n": len(statements), "nModified": len(statements), "ok": 1.0}
        count = at = 0
        size = len(documents)
        while at < size:
            end = at + _INT32.unpack_from(documents, at)[0]
            if found := _TS.search(documents, max(at, end - _TAIL_BYTES), end):
                self._commits_us.append(int.from_bytes(found[1], "little"))
            at = end
            count += 1
        with self._state.lock:
            counters = self._state.counters
            counters.documents += count
            counters.bytes += size
            counters.first_at = counters.first_at or time.time()
        return {"n": count, "nModified": count, "ok": 1.0}

    def _commit(self) -> dict[str, Any]:
        if self._state.delay_seconds:
            time.sleep(self._state.delay_seconds)
        now = time.time()
        with self._state.lock:
            counters = self._state.counters
            counters.transactions += 1
            counters.last_at = now
            if len(self._commits_us) <= _FEW:
                counters.latencies_us += [int(now * 1e6) - commit_us for commit_us in self._commits_us]
        self._commits_us.clear()
        return {"ok": 1.0}

    def _take_over(self, command: dict[str, Any]) -> dict[str, Any]:
        name, update = command["query"]["_id"], command["update"]
        found = self._state.checkpoints.setdefault(name, {"_id": name, "term": 0, **update["$setOnInsert"]})
        found["term"] += 1
        return {"value": found, "lastErrorObject": {"n": 1, "updatedExisting": True}, "ok": 1.0}


_FEW = 100


def _decode_all(documents: bytes) -> list[dict[str, Any]]:
    return bson.decode_all(documents)


def main(port: int, delay_ms: float = 0.0) -> None:
    """Serve for ever."""
    sys.setswitchinterval(0.0005)
    state = State(port, delay_ms / 1000)
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=Connection(connection, state).serve, daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(float, sys.argv[2:]))
