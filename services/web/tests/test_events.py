"""Reading the change stream."""

from typing import Any

import pytest
from bson import Int64

from isotherm_web.events import Buried, Changed, CheckpointMoved, Foreign, Gone, Removed, parse


def _raw(operation: str, collection: str, identity: Any, **more: Any) -> dict[str, Any]:
    return {
        "operationType": operation,
        "ns": {"db": "weather", "coll": collection},
        "documentKey": {"_id": identity},
        **more,
    }


@pytest.mark.contract("D4")
def test_written_document() -> None:
    """A replaced document carries its seq and commit time, as plain integers."""
    document = {"_id": Int64(1), "_cdc": {"seq": Int64(41), "ts": Int64(5), "gtid": "x:1"}}
    event = parse(_raw("replace", "weather_data", Int64(1), fullDocument=document), "weather")
    assert event == Changed("weather_data", 1, 41, 5, document)
    assert isinstance(event, Changed)
    assert type(event.seq) is int


def test_partial_update() -> None:
    """An update that names only some columns says so, and what it unsets is null."""
    description = {"updatedFields": {"temperature_2m": 1.5, "_cdc.seq": 9}, "removedFields": ["name"]}
    event = parse(_raw("update", "locations", 3, updateDescription=description), "weather")
    assert isinstance(event, Changed)
    assert (event.seq, event.partial, event.fields["name"]) == (9, True, None)


def test_delete_says_no_more_than_the_id() -> None:
    """A delete has no seq."""
    assert parse(_raw("delete", "weather_data", 1), "weather") == Removed("weather_data", 1)


@pytest.mark.contract("K4")
def test_tombstone() -> None:
    """A tombstone of a served collection is read; others, other schemas' and removed ones say nothing."""

    def tombstone(table: str, operation: str = "insert") -> dict[str, Any]:
        key = {"collection": table, "id": Int64(4)}
        return _raw(operation, "_cdc_tombstones", key, fullDocument={"_id": key, "seq": Int64(8)})

    assert parse(tombstone("weather.weather_data"), "weather") == Buried("weather_data", 4, 8)
    assert parse(tombstone("weather.weather_history"), "weather") is None
    assert parse(tombstone("other.weather_data"), "weather") is None
    assert parse(tombstone("weather.weather_data", "delete"), "weather") is None


@pytest.mark.contract("K1")
def test_checkpoint() -> None:
    """The checkpoint's progress is read from an update and from a whole document."""
    update = {"updatedFields": {"seq": Int64(5), "resume_floor": Int64(2)}}
    assert parse(_raw("update", "_cdc_checkpoints", "p", updateDescription=update), "weather") == CheckpointMoved(
        "p", 5, None, 2
    )
    whole = {"_id": "p", "seq": Int64(0), "stream": "a" * 32, "resume_floor": Int64(0)}
    assert parse(_raw("insert", "_cdc_checkpoints", "p", fullDocument=whole), "weather") == CheckpointMoved(
        "p", 0, "a" * 32, 0
    )


@pytest.mark.parametrize(
    "raw",
    [
        _raw("drop", "weather_data", 1),
        {"operationType": "dropDatabase", "ns": {"db": "weather"}},
        {"operationType": "invalidate"},
        _raw("delete", "_cdc_checkpoints", "p"),
    ],
)
def test_what_ends_the_history(raw: dict[str, Any]) -> None:
    """A dropped collection, database or checkpoint means that single events do not tell the whole story."""
    assert isinstance(parse(raw, "weather"), Gone)


def test_foreign_document_and_operation() -> None:
    """A document without `_cdc` did not come from the CDC; other operations say nothing."""
    assert parse(_raw("insert", "weather_data", 1, fullDocument={"_id": 1}), "weather") == Foreign("weather_data", 1)
    odd = {"_id": 1, "_cdc": {"seq": "4"}}
    assert parse(_raw("insert", "weather_data", 1, fullDocument=odd), "weather") == Foreign("weather_data", 1)
    assert parse(_raw("createIndexes", "weather_data", 1), "weather") is None
    assert parse(_raw("insert", "weather_history", 1, fullDocument={}), "weather") is None


@pytest.mark.parametrize("identity", ["by hand", None, 1.5, {"id": 1}, True])
@pytest.mark.parametrize("collection", ["weather_data", "locations"])
def test_documents_that_the_cdc_cannot_have_written(identity: Any, collection: str) -> None:
    """A document whose id is no number is another's, when it comes as when it goes, even if it bears the CDC's stamp."""
    foreign = Foreign(collection, identity)
    stamped = {"_id": identity, "_cdc": {"seq": Int64(4), "ts": Int64(5)}}
    assert parse(_raw("insert", collection, identity, fullDocument={"_id": identity}), "weather") == foreign
    assert parse(_raw("insert", collection, identity, fullDocument=stamped), "weather") == foreign
    assert parse(_raw("delete", collection, identity), "weather") == foreign


@pytest.mark.parametrize("identity", ["by hand", {"collection": "weather.weather_data", "id": "x"}, {"id": 1}])
def test_tombstones_that_the_cdc_cannot_have_written(identity: Any) -> None:
    """A tombstone that names no row of the map says nothing."""
    raw = _raw("insert", "_cdc_tombstones", identity, fullDocument={"_id": identity, "seq": Int64(8)})
    assert parse(raw, "weather") is None
