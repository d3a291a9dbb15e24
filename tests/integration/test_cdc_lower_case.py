"""A server that keeps the names of tables in lower case (`lower_case_table_names=1`, as on Windows and in some clouds)."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.replica import Replica
from isotherm_local.backends import mysql_native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline, Servers

OPTION = "--lower-case-table-names=1"


@pytest.fixture
def server(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """Such a server; its data must be made so, too."""
    prepare = mysql_native.prepare

    def prepared(program: mysql_native.Program, *arguments: Any, **more: Any) -> Any:
        return prepare(replace(program, options=(*program.options, OPTION)), *arguments, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mysql_native, "prepare", prepared)
        running = contextlib.ExitStack()
        made = running.enter_context(Replica.running(servers, tmp_path_factory.mktemp("lower")))
    with running:
        yield made


def test_names_in_every_case(server: Replica, stack: Pipeline) -> None:
    """Settings and statements may write names as they like; collections have them as the server has."""
    assert server.sql("SELECT @@lower_case_table_names") == 1
    server.sql(
        "CREATE DATABASE Shop",
        "CREATE TABLE Shop.Orders (Id INT PRIMARY KEY, B INT)",
        "INSERT INTO SHOP.ORDERS VALUES (1, 1)",
    )
    parameters = server.server.parameters()
    process = stack.start(
        "cdc",
        settings={
            "CDC_TABLE_INCLUDE_LIST": "Shop.*",
            "CDC_TABLE_EXCLUDE_LIST": "shop.Secret",
            "MYSQL_PORT": str(parameters["port"]),
            "MYSQL_USER": "root",
            "MYSQL_PASSWORD": str(parameters["password"]),
            "MYSQL_PASSWORD_FILE": "",
            "CDC_HEARTBEAT_INTERVAL_MS": "500",
        },
    )
    server.sql(
        "CREATE TABLE sHOP.Secret (Id INT PRIMARY KEY)",
        "INSERT INTO Shop.Secret VALUES (1)",
        "INSERT INTO Shop.ORDERS VALUES (2, 2), (3, 3)",
        "ALTER TABLE shop.oRDERS ADD COLUMN C INT DEFAULT 7",
        "UPDATE Shop.Orders SET B = 9 WHERE ID = 2",
        "CREATE TABLE Shop.Later (A INT PRIMARY KEY)",
        "INSERT INTO Shop.Later VALUES (1), (2)",
        "RENAME TABLE Shop.Later TO SHOP.Moved",
        "DELETE FROM SHOP.MOVED WHERE a = 1",
    )
    with stack.mongodb() as client:

        def caught_up() -> bool:
            state = client[stack.database]["_cdc_checkpoints"].find_one({}) or {}
            applied = state.get("gtid_set", "")
            return bool(
                state
                and not state["snapshot"]
                and server.sql(f"SELECT GTID_SUBSET(@@GLOBAL.gtid_executed, '{applied}')")
            )

        stack.until(caught_up, 60, "catching up")
        shop = client["shop"]
        assert [(one["_id"], one["B"], one["C"]) for one in shop["orders"].find().sort("_id")] == [
            (1, 1, 7),
            (2, 9, 7),
            (3, 3, 7),
        ]
        assert [one["_id"] for one in shop["moved"].find()] == [2]
        assert [one["_id"] for one in shop["later"].find()] == []
        assert "secret" not in shop.list_collection_names()
    assert process.running
