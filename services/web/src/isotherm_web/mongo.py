"""The adapter to MongoDB: the change stream, loading the state, and what single requests read."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymongo
from bson import MaxKey, MinKey
from pymongo import AsyncMongoClient, ReadPreference
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from isotherm_common.process import ConfigurationError
from isotherm_web.errors import DatabaseUnavailable
from isotherm_web.events import CHECKPOINTS, LOCATIONS, TOMBSTONES, WATCHED, WEATHER, is_row_id
from isotherm_web.geometry import decode_location
from isotherm_web.protocol import Checkpoint
from isotherm_web.rows import LAYERS, Row, decode_row
from isotherm_web.state import GridState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bson.timestamp import Timestamp
    from pymongo.asynchronous.change_stream import AsyncChangeStream
    from pymongo.asynchronous.client_session import AsyncClientSession

    from isotherm_common.settings import MongodbSettings

Document = dict[str, Any]

_HISTORY = "weather_history"
_FORECAST = "weather_forecast"
_AWAIT_MS = 1000
_SELECTION_TIMEOUT_MS = 5000
_READ_TIMEOUT_SECONDS = 3
_ROW_FIELDS = ("valid_at", "fetched_at", "source", "_cdc.seq", *LAYERS)
_HISTORY_FIELDS = ("valid_at", "source", *LAYERS)
_COURSE_FIELDS = ("valid_at", "_cdc.seq", *LAYERS)
_BULK_TIMEOUT_SECONDS = 20
_PLACES_A_QUERY = 200


@dataclass(frozen=True)
class Loaded:
    """The state as of one moment.

    Attributes:
        state: the map.
        pipeline: the `_id` of the checkpoint; None while there is none.
        at: the cluster time that the load saw everything up to at least; None when the server does not say.
    """

    state: GridState
    pipeline: str | None
    at: Timestamp | None


class Mongo:
    """One client, its pool shared by all that this process reads."""

    def __init__(self, settings: MongodbSettings, *, pipeline: str | None = None) -> None:
        self.database = settings.database
        self._pipeline = pipeline
        try:
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(
                settings.uri.value,
                appname="isotherm-web",
                serverSelectionTimeoutMS=_SELECTION_TIMEOUT_MS,
                connectTimeoutMS=_SELECTION_TIMEOUT_MS,
                timeoutMS=None,
            )
        except (PyMongoError, ValueError) as error:
            message = f"MONGODB_URI cannot be used: {error}"
            raise ConfigurationError(message) from error
        self._db = self._client[settings.database]

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[tuple[AsyncChangeStream[Document], AsyncClientSession]]:
        """Open the change stream over the collections of the map; the session knows when it was opened."""
        async with self._client.start_session() as session:
            pipeline = [
                {
                    "$match": {
                        "$or": [
                            {"ns.coll": {"$in": list(WATCHED)}},
                            {"operationType": {"$in": ["dropDatabase", "invalidate"]}},
                        ]
                    }
                }
            ]
            async with await self._db.watch(pipeline, max_await_time_ms=_AWAIT_MS, session=session) as stream:
                yield stream, session

    async def load(self, opened: AsyncClientSession) -> Loaded:
        """Read the whole state in one transaction that sees at least what the change stream will not deliver."""
        async with self._client.start_session() as session:
            if opened.cluster_time is not None:
                session.advance_cluster_time(opened.cluster_time)
            if opened.operation_time is not None:
                session.advance_operation_time(opened.operation_time)
            async with await session.start_transaction(
                read_concern=ReadConcern("snapshot"), read_preference=ReadPreference.PRIMARY
            ):
                checkpoint = await self._checkpoint(session)
                if checkpoint is None:
                    state = GridState()
                else:
                    state = await self._state(session, checkpoint)
            return Loaded(state, None if checkpoint is None else checkpoint["_id"], session.operation_time)

    async def read_checkpoint(self) -> Checkpoint | None:
        """Read the checkpoint from the primary as the majority has it."""
        with pymongo.timeout(_READ_TIMEOUT_SECONDS):
            document = await self._checkpoint(None)
        return None if document is None else Checkpoint(document["stream"], int(document["seq"]))

    async def _checkpoint(self, session: AsyncClientSession | None) -> Document | None:
        collection = self._db[CHECKPOINTS]
        if session is None:
            collection = collection.with_options(
                read_concern=ReadConcern("majority"), read_preference=ReadPreference.PRIMARY
            )
        query = {} if self._pipeline is None else {"_id": self._pipeline}
        found = await collection.find(query, session=session).limit(2).to_list()
        if len(found) > 1:
            names = ", ".join(str(document["_id"]) for document in found)
            message = f"{CHECKPOINTS} has several documents ({names}, …): name one of them by WEB_CDC_PIPELINE."
            raise ConfigurationError(message)
        return found[0] if found else None

    async def _state(self, session: AsyncClientSession, checkpoint: Mapping[str, Any]) -> GridState:
        locations = {
            int(document["_id"]): decode_location(int(document["_id"]), document)
            async for document in self._db[LOCATIONS].find({}, session=session, batch_size=10_000)
            if is_row_id(document["_id"])
        }
        seq = int(checkpoint["seq"])
        rows = {
            int(document["_id"]["id"]): Row(min(int(document["seq"]), seq))
            async for document in self._db[TOMBSTONES].find(
                {"_id.collection": f"{self.database}.{WEATHER}"}, session=session, batch_size=10_000
            )
            if is_row_id(document["_id"].get("id"))
        }
        async for document in self._db[WEATHER].find(
            {}, projection=list(_ROW_FIELDS), session=session, batch_size=10_000
        ):
            if not is_row_id(document["_id"]):
                continue  # written by hand
            # A larger seq is of an older stream. A document that is there was written after any tombstone of its id.
            row_seq = min(int(document.get("_cdc", {}).get("seq", 0)), seq)
            rows[int(document["_id"])] = decode_row(row_seq, document)
        state = GridState(
            stream=checkpoint["stream"],
            seq=seq,
            resume_floor=int(checkpoint.get("resume_floor") or 0),
            locations=locations,
            rows=rows,
        )
        if checkpoint.get("ddl"):
            # A TRUNCATE or DROP is being carried out in steps that carry no seq of their own yet.
            state.resume_floor = max(state.resume_floor, state.seq + 1)
        return state

    async def history(
        self, location: int, since: dt.datetime | None, until: dt.datetime | None, limit: int
    ) -> list[Document]:
        """Return the newest `limit` values of a location's history, ascending.

        Raises:
            DatabaseUnavailable: MongoDB does not answer.
        """
        query = {
            "_id": {
                "$gte": {"location_id": location, "valid_at": MinKey() if since is None else since},
                "$lte": {"location_id": location, "valid_at": MaxKey() if until is None else until},
            }
        }
        try:
            with pymongo.timeout(_READ_TIMEOUT_SECONDS):
                cursor = self._db[_HISTORY].find(
                    query, projection=list(_HISTORY_FIELDS), sort=[("_id", -1)], limit=limit, batch_size=limit
                )
                found = await cursor.to_list()
        except PyMongoError as error:
            raise DatabaseUnavailable(str(error)) from error
        return found[::-1]

    async def forecast(self, location: int) -> Document | None:
        """Return a location's forecast.

        Raises:
            DatabaseUnavailable: MongoDB does not answer.
        """
        try:
            with pymongo.timeout(_READ_TIMEOUT_SECONDS):
                return await self._db[_FORECAST].find_one({"_id": location})
        except PyMongoError as error:
            raise DatabaseUnavailable(str(error)) from error

    async def forecasts(self, after_seq: int) -> tuple[list[Document], list[int]]:
        """Return the forecasts that were written after batch `after_seq`, and the ids of those that were deleted.

        Raises:
            DatabaseUnavailable: MongoDB does not answer.
        """
        try:
            with pymongo.timeout(_BULK_TIMEOUT_SECONDS):
                buried = self._db[TOMBSTONES].find(
                    {"_id.collection": f"{self.database}.{_FORECAST}", "seq": {"$gt": after_seq}}
                )
                deleted = [int(document["_id"]["id"]) async for document in buried]
                # In the order of the index, so that a batch that is committed meanwhile is seen whole or not at all.
                cursor = self._db[_FORECAST].find(
                    {"_cdc.seq": {"$gt": after_seq}}, projection=list(_COURSE_FIELDS), sort=[("_cdc.seq", 1)]
                )
                return await cursor.to_list(), deleted
        except PyMongoError as error:
            raise DatabaseUnavailable(str(error)) from error

    async def histories(
        self, locations: Sequence[int], since: dt.datetime, until: dt.datetime
    ) -> dict[int, list[Document]]:
        """Return what the history has of several locations in a span of time, ascending.

        Raises:
            DatabaseUnavailable: MongoDB does not answer.
        """
        found: dict[int, list[Document]] = {}
        try:
            with pymongo.timeout(_BULK_TIMEOUT_SECONDS):
                for start in range(0, len(locations), _PLACES_A_QUERY):
                    spans = [
                        {
                            "_id": {
                                "$gte": {"location_id": location, "valid_at": since},
                                "$lte": {"location_id": location, "valid_at": until},
                            }
                        }
                        for location in locations[start : start + _PLACES_A_QUERY]
                    ]
                    cursor = self._db[_HISTORY].find(
                        {"$or": spans}, projection=list(_HISTORY_FIELDS), sort=[("_id", 1)]
                    )
                    async for document in cursor:
                        found.setdefault(int(document["_id"]["location_id"]), []).append(document)
        except PyMongoError as error:
            raise DatabaseUnavailable(str(error)) from error
        return found
