"""Writes to MongoDB as the CDC does, without MySQL: one majority transaction a batch (contracts D, K1 to K5)."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from typing import TYPE_CHECKING, Any

from bson import Decimal128, Int64
from pymongo import ASCENDING, ReplaceOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pymongo import MongoClient

CAPTURED = ("locations", "weather_data", "weather_history", "weather_forecast")
STATE = ("_cdc_checkpoints", "_cdc_tombstones", "_cdc_dead_letters")
MICROSECONDS = 1_000_000


class FakeCdc:
    """One pipeline.

    Attributes:
        seq: the last batch committed.
        stream: the history that `seq` counts in.
    """

    def __init__(self, client: MongoClient[dict[str, Any]], database: str = "weather", name: str = "isotherm") -> None:
        self._client = client
        self._database = database
        self._name = name
        self.db = client[database]
        self.seq = 0
        self.stream = ""

    def create(self) -> FakeCdc:
        """Begin with an empty database."""
        self._client.drop_database(self._database)
        for collection in (*CAPTURED, *STATE):
            self.db.create_collection(collection)
        for collection in CAPTURED:
            self.db[collection].create_index([("_cdc.seq", ASCENDING)])
        self.db["_cdc_tombstones"].create_index([("seq", ASCENDING)])
        self.begin()
        return self

    def begin(self) -> None:
        """Number anew in a new stream."""
        self.stream, self.seq = secrets.token_hex(16), 0
        self.db["_cdc_checkpoints"].replace_one({"_id": self._name}, self._checkpoint(), upsert=True)

    def attach(self) -> FakeCdc:
        """Go on where the database stands."""
        found = self.db["_cdc_checkpoints"].find_one({"_id": self._name})
        assert found is not None
        self.stream, self.seq = found["stream"], found["seq"]
        return self

    def commit(
        self,
        changed: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
        deleted: Mapping[str, Iterable[Any]] | None = None,
        *,
        resume_floor: int | None = None,
        snapshot: bool = False,
        tombstones: bool = True,
    ) -> int:
        """Commit one batch and return its seq.

        Args:
            changed: documents by collection, without `_cdc`.
            deleted: `_id`s by collection.
            resume_floor: raises the floor and removes the tombstones up to it.
            snapshot: the rows come from a snapshot, so have no commit time.
            tombstones: whether deletes leave one; without them the floor must be raised.
        """
        seq = self.seq + 1
        now_us = time.time_ns() // 1000
        stamp: dict[str, Any] = {
            "seq": Int64(seq),
            "ts": Int64(now_us),
            "gtid": f"3e11fa47-71ca-11e1-9e33-c80aa9429562:{seq}",
        }
        if snapshot:
            stamp = {"seq": Int64(seq), "ts": None, "gtid": None, "snapshot": True}
        with (
            self._client.start_session() as session,
            session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority")),
        ):
            for collection, documents in (changed or {}).items():
                writes = [
                    ReplaceOne({"_id": document["_id"]}, {**document, "_cdc": stamp}, upsert=True)
                    for document in documents
                ]
                if writes:
                    self.db[collection].bulk_write(writes, session=session, ordered=False)
            for collection, identities in (deleted or {}).items():
                for identity in identities:
                    self.db[collection].delete_one({"_id": identity}, session=session)
                    if tombstones:
                        self._bury(collection, identity, seq, session)
            move: dict[str, Any] = {
                "seq": Int64(seq),
                "attempt_id": secrets.token_hex(8),
                "gtid_set": f"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-{seq}",
                "committed_at": dt.datetime.now(dt.UTC),
                "source_ts": stamp["ts"],
            }
            if resume_floor is not None:
                self.db["_cdc_tombstones"].delete_many({"seq": {"$lte": resume_floor}}, session=session)
                move["resume_floor"] = Int64(resume_floor)
            result = self.db["_cdc_checkpoints"].update_one(
                {"_id": self._name, "term": 1, "seq": self.seq}, {"$set": move}, session=session
            )
            assert result.matched_count == 1, "the checkpoint was moved by someone else"
        self.seq = seq
        return seq

    def _bury(self, collection: str, identity: Any, seq: int, session: Any) -> None:
        key = {"collection": f"{self._database}.{collection}", "id": identity}
        self.db["_cdc_tombstones"].replace_one(
            {"_id": key}, {"seq": Int64(seq), "deleted_at": dt.datetime.now(dt.UTC)}, upsert=True, session=session
        )

    def _checkpoint(self) -> dict[str, Any]:
        return {
            "_id": self._name,
            "stream": self.stream,
            "term": Int64(1),
            "seq": Int64(0),
            "attempt_id": "",
            "gtid_set": "",
            "txn": None,
            "event_idx": Int64(0),
            "row_idx": Int64(0),
            "ddl": None,
            "snapshot": None,
            "resume_floor": Int64(0),
            "committed_at": dt.datetime.now(dt.UTC),
            "source_ts": None,
        }


def location(
    identity: int, latitude: float, longitude: float, *, name: str | None = None, active: bool = True
) -> dict[str, Any]:
    """Return a document of `locations`."""
    return {
        "_id": Int64(identity),
        "id": Int64(identity),
        "latitude": Decimal128(f"{latitude:.5f}"),
        "longitude": Decimal128(f"{longitude:.5f}"),
        "name": name,
        "elevation": None,
        "active": int(active),
    }


def weather(
    identity: int,
    temperature: float | None = 11.3,
    wind: float | None = 4.2,
    direction: float | None = 231.0,
    *,
    valid_at: int | None = None,
    source: str = "open-meteo",
) -> dict[str, Any]:
    """Return a document of `weather_data`; `valid_at` in Unix seconds, by default the last quarter of an hour."""
    now = time.time()
    seconds = int(now) // 900 * 900 if valid_at is None else valid_at
    return {
        "_id": Int64(identity),
        "location_id": Int64(identity),
        "valid_at": dt.datetime.fromtimestamp(seconds, dt.UTC),
        "temperature_2m": temperature,
        "wind_speed_10m": wind,
        "wind_direction_10m": direction,
        "wind_gusts_10m": None if wind is None else wind * 1.8,
        "relative_humidity_2m": 81.0,
        "pressure_msl": 1013.2,
        "weather_code": 3,
        "model_latitude": 50.1,
        "model_longitude": 9.9,
        "source": source,
        "run_id": Int64(17),
        "fetched_at": Int64(int(now * MICROSECONDS)),
    }


def history(identity: int, valid_at: int, temperature: float | None = 10.0) -> dict[str, Any]:
    """Return a document of `weather_history`."""
    document = weather(identity, temperature, valid_at=valid_at)
    return {**document, "_id": {"location_id": Int64(identity), "valid_at": document["valid_at"]}}


def forecast(identity: int, first: int, hours: int = 73, temperature: float = 10.0) -> dict[str, Any]:
    """Return a document of `weather_forecast`, hourly from `first` in Unix seconds."""
    return {
        "_id": Int64(identity),
        "location_id": Int64(identity),
        "issued_at": Int64(int(time.time() * MICROSECONDS)),
        "valid_at": [Int64(first + hour * 3600) for hour in range(hours)],
        "temperature_2m": [temperature + hour % 24 / 4 for hour in range(hours)],
        "wind_speed_10m": [4.0 + hour % 12 / 6 for hour in range(hours)],
        "wind_direction_10m": [float(hour * 5 % 360) for hour in range(hours)],
        "source": "open-meteo",
        "run_id": Int64(17),
    }
