"""Reads of the target in one snapshot each: the sum, and what clients that resume would be told (contracts K4 and K5)."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import bson
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from chaos.cdc.observer import Violation, whole

if TYPE_CHECKING:
    import pymongo
    from pymongo.client_session import ClientSession

CLIENTS = 6
Documents = dict[bytes, bytes]


@dataclass
class Client:
    """One that holds what it was last told.

    Attributes:
        seq: up to where it was told.
        documents: what it has, by collection and key.
    """

    seq: int = -1
    documents: dict[str, Documents] = field(default_factory=dict)


class Clients:
    """A thread that reads all the while; `failure` is the first violation."""

    def __init__(
        self,
        client: pymongo.MongoClient[dict[str, Any]],
        database: str,
        *,
        total: int,
        money: tuple[str, ...],
        tables: tuple[str, ...],
        seed: str,
    ) -> None:
        """Prepare.

        Args:
            client: a client of its own.
            database: what to read.
            total: the sum that every whole state has.
            money: the collections whose balances make it.
            tables: the collections that clients hold.
            seed: decides who resumes when.
        """
        self._client = client
        self._database = client[database]
        self._name = database
        self._total = total
        self._money = money
        self._tables = tables
        self._chance = random.Random(seed)
        self._clients = [Client() for _ in range(CLIENTS)]
        self.failure: BaseException | None = None
        self.sums = self.resumes = self.snapshots = self.unsettled = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clients")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._chance.uniform(0.02, 0.12)):
                try:
                    self.look(self._chance.choice(self._clients))
                except PyMongoError:
                    self._stop.wait(0.1)
        except BaseException as error:  # noqa: BLE001 - raised by whoever looks
            self.failure = error

    def look(self, client: Client) -> None:
        """Read everything once, check the sum, and have a client resume.

        Raises:
            Violation: something that must hold does not.
        """
        with self._client.start_session() as session, session.start_transaction(read_concern=ReadConcern("snapshot")):
            checkpoint = self._database["_cdc_checkpoints"].find_one(session=session)
            if checkpoint is None:
                return
            now = {table: self._read(table, session) for table in self._tables}
            changed = {table: self._read(table, session, client.seq) for table in self._tables}
            gone = list(self._database["_cdc_tombstones"].find({"seq": {"$gt": client.seq}}, session=session))
        self._check(checkpoint, now)
        if client.seq < checkpoint["resume_floor"] or client.seq < 0:
            client.documents = now
            self.snapshots += 1
        else:
            self._resume(client, changed, gone)
            self.resumes += 1
        if client.documents != now:
            message = (
                f"a client that resumed at seq {client.seq} has not what is there at seq {checkpoint['seq']}: "
                f"{_unequal(client.documents, now)}"
            )
            raise Violation(message)
        client.seq = checkpoint["seq"]
        client.documents = {table: dict(documents) for table, documents in now.items()}

    def _check(self, checkpoint: dict[str, Any], now: dict[str, Documents]) -> None:
        newest = max((_seq(data) for documents in now.values() for data in documents.values()), default=0)
        if newest > checkpoint["seq"]:
            message = f"a document has seq {newest} while the checkpoint has {checkpoint['seq']}"
            raise Violation(message)
        if not whole(checkpoint):
            self.unsettled += 1
            return
        self.sums += 1
        found = sum(bson.decode(data)["balance"] for table in self._money for data in now[table].values())
        if found != self._total:
            message = f"the sum at seq {checkpoint['seq']} is {found} in place of {self._total}"
            raise Violation(message)

    def _read(self, table: str, session: ClientSession, after: int | None = None) -> Documents:
        query = {} if after is None else {"_cdc.seq": {"$gt": after}}
        found = self._database[table].find(query, session=session)
        return {bson.encode({"": document["_id"]}): bson.encode(document) for document in found}

    def _resume(self, client: Client, changed: dict[str, Documents], gone: list[dict[str, Any]]) -> None:
        for tombstone in gone:
            schema, _, table = tombstone["_id"]["collection"].partition(".")
            key = bson.encode({"": tombstone["_id"]["id"]})
            if schema != self._name or table not in self._tables:
                continue
            newer = changed[table].get(key)
            if newer is not None and _seq(newer) == tombstone["seq"]:
                message = f"{table} {tombstone['_id']['id']} is deleted and written by seq {tombstone['seq']}"
                raise Violation(message)
            if newer is None or _seq(newer) < tombstone["seq"]:
                client.documents[table].pop(key, None)
        for table, documents in changed.items():
            client.documents[table].update(documents)


def _seq(data: bytes) -> int:
    return int(bson.decode(data)["_cdc"]["seq"])


def _unequal(had: dict[str, Documents], now: dict[str, Documents]) -> str:
    for table, documents in now.items():
        for key in documents.keys() | had[table].keys():
            if had[table].get(key) != documents.get(key):
                pair = [
                    None if data is None else bson.decode(data) for data in (had[table].get(key), documents.get(key))
                ]
                return f"{table} (client, MongoDB) = {pair}"
    return "nothing"
