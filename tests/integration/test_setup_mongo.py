"""`isotherm-mongo-init` against the MongoDB server of the tests, whose replica set is there already."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pymongo
import pytest

from isotherm_common.process import ConfigurationError
from isotherm_common.settings import LogSettings, Secret
from isotherm_common.shutdown import Shutdown
from isotherm_setup.errors import ServerUnreachableError
from isotherm_setup.mongo_init import prepare
from isotherm_setup.settings import MongoInitSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline


@pytest.fixture
def settings(stack: Pipeline) -> Iterator[MongoInitSettings]:
    """Settings of a database and of users that are gone afterwards."""
    server, mark = stack.servers.databases.mongodb, secrets.token_hex(4)
    made = MongoInitSettings(
        uri=Secret(server.admin_uri),
        members=(server.member,),
        wait_seconds=30.0,
        database=f"setup_{mark}",
        cdc_user=f"cdc_{mark}",
        cdc_password=Secret("one"),
        cdc_databases=("other",),
        web_user=f"web_{mark}",
        web_password=Secret("two"),
        monitor_user=f"monitor_{mark}",
        monitor_password=Secret("three"),
        log=LogSettings(),
    )
    yield made
    with client(made) as admin:
        admin.drop_database(made.database)
        for user in (made.cdc_user, made.web_user, made.monitor_user):
            admin.admin.command("dropUser", user)


def client(settings: MongoInitSettings) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(settings.uri.value, serverSelectionTimeoutMS=10_000)


def roles(settings: MongoInitSettings, user: str) -> set[tuple[str, str]]:
    with client(settings) as admin:
        (found,) = admin.admin.command("usersInfo", {"user": user, "db": "admin"})["users"]
    return {(role["role"], role["db"]) for role in found["roles"]}


@pytest.mark.contract("K4", "K7")
def test_indexes_and_users_are_made_once_and_kept(settings: MongoInitSettings) -> None:
    """A second run changes nothing; the CDC may write, the web may only read, the exporter sees no document."""
    for _ in range(2):
        prepare(settings, Shutdown())
    with client(settings) as admin:
        database = admin[settings.database]
        keys = {
            name: {tuple(index["key"]) for index in database[name].list_indexes()}
            for name in database.list_collection_names()
        }
    seq = {("_id",), ("_cdc.seq",)}
    assert keys == {
        "_cdc_tombstones": {("_id",), ("seq",)},
        "locations": seq,
        "weather_data": seq,
        "weather_forecast": seq,
        "weather_history": seq | {("location_id", "valid_at")},
    }
    assert roles(settings, settings.cdc_user) == {("readWrite", settings.database), ("readWrite", "other")}
    assert roles(settings, settings.web_user) == {("read", settings.database)}
    assert roles(settings, settings.monitor_user) == {("clusterMonitor", "admin")}


def test_surplus_roles_are_taken_away(settings: MongoInitSettings) -> None:
    """Whatever somebody granted by hand is gone after the next run."""
    prepare(settings, Shutdown())
    with client(settings) as admin:
        admin.admin.command("updateUser", settings.web_user, roles=[{"role": "root", "db": "admin"}])
    prepare(settings, Shutdown())
    assert roles(settings, settings.web_user) == {("read", settings.database)}


def test_another_sets_name_is_a_configuration_error(settings: MongoInitSettings) -> None:
    """Waiting would not help."""
    prepare(settings, Shutdown())
    with pytest.raises(ConfigurationError, match="MONGODB_ADMIN_REPLICA_SET"):
        prepare(replace(settings, replica_set="other"), Shutdown())


def test_a_server_that_does_not_answer_is_waited_for_and_given_up(settings: MongoInitSettings) -> None:
    """Try again later, says the exit code."""
    prepare(settings, Shutdown())
    nowhere = Secret("mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=100")
    with pytest.raises(ServerUnreachableError) as caught:
        prepare(replace(settings, uri=nowhere, wait_seconds=0.0), Shutdown())
    assert caught.value.exit_code == 75
