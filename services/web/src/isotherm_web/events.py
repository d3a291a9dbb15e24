"""What the change stream delivers, as far as the map is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

WEATHER = "weather_data"
LOCATIONS = "locations"
CHECKPOINTS = "_cdc_checkpoints"
TOMBSTONES = "_cdc_tombstones"
WATCHED = (WEATHER, LOCATIONS, CHECKPOINTS, TOMBSTONES)
"""The collections whose changes matter."""

_MAP = frozenset({WEATHER, LOCATIONS})
_GONE = frozenset({"drop", "rename", "dropDatabase", "invalidate"})


@dataclass(frozen=True, slots=True)
class Changed:
    """A document was written.

    Attributes:
        collection: `weather_data` or `locations`.
        id: its `_id`.
        seq: the batch that it belongs to.
        committed_us: when the source committed it, in µs since 1970; None for what a snapshot read.
        fields: the document, or only what changed in it when `partial`.
        partial: whether columns that are not in `fields` stay as they were.
    """

    collection: str
    id: int
    seq: int
    committed_us: int | None
    fields: Mapping[str, Any]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Removed:
    """A document was deleted. MongoDB says no more than its `_id`: the seq comes with the tombstone or the checkpoint."""

    collection: str
    id: int


@dataclass(frozen=True, slots=True)
class Buried:
    """A tombstone was written: the document was deleted by batch `seq`."""

    collection: str
    id: int
    seq: int


@dataclass(frozen=True, slots=True)
class CheckpointMoved:
    """The CDC's checkpoint was written; None for what did not change."""

    id: str
    seq: int | None = None
    stream: str | None = None
    resume_floor: int | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A collection was dropped or renamed, or the stream ended for another reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A watched document was written by something that is not the CDC."""

    collection: str
    id: Any


Event = Changed | Removed | Buried | CheckpointMoved | Gone | Foreign


def parse(raw: Mapping[str, Any], database: str) -> Event | None:
    """Read one event of the change stream; None when it does not concern the map."""
    operation = raw["operationType"]
    if operation in _GONE:
        return Gone(f"{operation} of {raw.get('ns', {}).get('coll', 'the database')}")
    if operation not in {"insert", "replace", "update", "delete"}:
        return None
    collection, identity = raw["ns"]["coll"], raw["documentKey"]["_id"]
    if collection == CHECKPOINTS:
        return _checkpoint(identity, raw)
    if collection == TOMBSTONES:
        return _tombstone(identity, raw, database)
    return _document(collection, identity, raw) if collection in _MAP else None


def is_row_id(identity: Any) -> bool:
    """Answer whether a document's `_id` is one that the rows of the map have: whole numbers."""
    return isinstance(identity, int) and not isinstance(identity, bool)


def _document(collection: str, identity: Any, raw: Mapping[str, Any]) -> Event:
    operation = raw["operationType"]
    if not is_row_id(identity):
        return Foreign(collection, identity)
    if operation == "delete":
        return Removed(collection, int(identity))
    partial = operation == "update"
    fields = raw["updateDescription"]["updatedFields"] if partial else raw["fullDocument"]
    seq, committed_us = _stamp(fields)
    if seq is None:
        return Foreign(collection, identity)
    if partial:
        removed = dict.fromkeys(raw["updateDescription"].get("removedFields") or ())
        fields = {**removed, **fields} if removed else fields
    return Changed(collection, int(identity), seq, committed_us, fields, partial)


def _stamp(fields: Mapping[str, Any]) -> tuple[int | None, int | None]:
    stamp = fields.get("_cdc")
    if isinstance(stamp, dict):
        return _integer(stamp.get("seq")), _integer(stamp.get("ts"))
    return _integer(fields.get("_cdc.seq")), _integer(fields.get("_cdc.ts"))


def _integer(value: Any) -> int | None:
    """Turn BSON's int64, which is a kind of int, into a plain one; anything else is nothing that the CDC writes."""
    return int(value) if isinstance(value, int) else None


def _checkpoint(identity: str, raw: Mapping[str, Any]) -> Event | None:
    if raw["operationType"] == "delete":
        return Gone("delete of the checkpoint")
    fields = raw["updateDescription"]["updatedFields"] if raw["operationType"] == "update" else raw["fullDocument"]
    return CheckpointMoved(
        identity, _integer(fields.get("seq")), fields.get("stream"), _integer(fields.get("resume_floor"))
    )


def _tombstone(identity: Any, raw: Mapping[str, Any], database: str) -> Event | None:
    """Read a tombstone; that old ones are removed says nothing about the map."""
    if not (isinstance(identity, dict) and "collection" in identity and is_row_id(identity.get("id"))):
        return None
    schema, _, collection = str(identity["collection"]).partition(".")
    if raw["operationType"] == "delete" or schema != database or collection not in _MAP:
        return None
    fields = raw["updateDescription"]["updatedFields"] if raw["operationType"] == "update" else raw["fullDocument"]
    seq = _integer(fields.get("seq"))
    return None if seq is None else Buried(collection, int(identity["id"]), seq)
