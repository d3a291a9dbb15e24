from __future__ import annotations

import pytest

from isotherm_common.settings import load
from isotherm_setup import users
from isotherm_setup.script import render
from isotherm_setup.settings import SchemaSettings
from isotherm_setup.sql import account, database_pattern, identifier, string, wrong_with_database, wrong_with_user

FETCHER = users.fetcher("f", "weather")
CDC = users.cdc("c", "we_ather", wildcards=True)


@pytest.mark.contract("S7")
def test_each_user_is_granted_what_the_contract_says_and_no_more() -> None:
    """The statements are the contract's words."""
    assert users.grant_statements(FETCHER) == [
        *(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON `weather`.`{table}` TO `f`@`%`"
            for table in ("locations", "weather_data", "weather_history", "weather_forecast", "fetch_runs")
        ),
        "GRANT SELECT ON `weather`.`schema_version` TO `f`@`%`",
    ]
    assert users.grant_statements(users.exporter("e", "weather")) == [
        f"GRANT SELECT ON `weather`.`{table}` TO `e`@`%`" for table in ("fetch_runs", "weather_data", "schema_version")
    ]
    assert users.grant_statements(CDC) == [
        "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `c`@`%`",
        r"GRANT SELECT ON `we\_ather`.* TO `c`@`%`",
    ]


def test_the_exporters_user_is_made_only_where_its_password_is_given() -> None:
    """Most servers have no exporter, and a user that nobody needs is a door."""
    assert "isotherm_monitor" not in render(load(SchemaSettings, {}), [])
    watched = load(SchemaSettings, {"MIGRATE_MONITOR_PASSWORD": "secret"})
    assert "GRANT REPLICATION CLIENT ON *.* TO `isotherm_monitor`@`%`;" in render(watched, [])


def test_an_underscore_is_no_wildcard_where_the_server_has_none() -> None:
    """With partial_revokes on, the server takes the name as it is."""
    assert users.cdc("c", "we_ather", wildcards=False).grants[1].scope == "`we_ather`.*"
    assert database_pattern("we_ather", wildcards=True) == r"`we\_ather`"


@pytest.mark.parametrize(
    ("shown", "revoked"),
    [
        ("GRANT USAGE ON *.* TO `f`@`%`", []),
        ("GRANT SELECT, INSERT, UPDATE, DELETE ON `weather`.`locations` TO `f`@`%`", []),
        (
            "GRANT SELECT, INSERT, UPDATE, DELETE, DROP ON `weather`.`locations` TO `f`@`%`",
            ["REVOKE DROP ON `weather`.`locations` FROM `f`@`%`"],
        ),
        ("GRANT SELECT ON `other`.* TO `f`@`%`", ["REVOKE SELECT ON `other`.* FROM `f`@`%`"]),
        ("GRANT ALL PRIVILEGES ON `weather`.* TO `f`@`%`", ["REVOKE ALL PRIVILEGES ON `weather`.* FROM `f`@`%`"]),
        (
            "GRANT SELECT ON `weather`.`schema_version` TO `f`@`%` WITH GRANT OPTION",
            ["REVOKE GRANT OPTION ON `weather`.`schema_version` FROM `f`@`%`"],
        ),
        (
            "GRANT SELECT (`a`, `b`), INSERT ON `weather`.`locations` TO `f`@`%`",
            ["REVOKE SELECT (`a`, `b`) ON `weather`.`locations` FROM `f`@`%`"],
        ),
        ("GRANT EXECUTE ON PROCEDURE `a`.`b` TO `f`@`%`", ["REVOKE EXECUTE ON PROCEDURE `a`.`b` FROM `f`@`%`"]),
        ("GRANT `r`@`%`,`s`@`%` TO `f`@`%`", ["REVOKE `r`@`%`,`s`@`%` FROM `f`@`%`"]),
        ("GRANT PROXY ON `a`@`b` TO `f`@`%` WITH GRANT OPTION", ["REVOKE PROXY ON `a`@`b` FROM `f`@`%`"]),
        (
            "GRANT BINLOG_ADMIN,SYSTEM_USER ON *.* TO `f`@`%`",
            ["REVOKE BINLOG_ADMIN, SYSTEM_USER ON *.* FROM `f`@`%`"],
        ),
    ],
)
def test_surplus_privileges_are_revoked_and_wanted_ones_untouched(shown: str, revoked: list[str]) -> None:
    """A running service never lacks, not even for a moment, what it needs."""
    assert users.revoke_statements(FETCHER, [shown]) == revoked


def test_missing_privileges_are_named() -> None:
    """What the server does not show is not there."""
    shown = ["GRANT REPLICATION SLAVE ON *.* TO `c`@`%`", r"GRANT SELECT ON `we\_ather`.* TO `c`@`%`"]
    assert users.missing(CDC, shown) == ["REPLICATION CLIENT ON *.*"]


def test_a_password_is_set_whether_the_user_is_there_or_not() -> None:
    """Creating does nothing to a user that is there; altering rotates the password."""
    create, alter = users.password_statements(FETCHER, "it's a \\ back-slash")
    identified = r"IDENTIFIED WITH caching_sha2_password BY 'it''s a \\ back-slash'"
    assert create == f"CREATE USER IF NOT EXISTS `f`@`%` {identified}"
    assert alter == f"ALTER USER `f`@`%` {identified}"


def test_quoting_closes_no_quote() -> None:
    """Neither a name nor a string ends before its end."""
    assert identifier("a`b") == "`a``b`"
    assert string("a'b\\") == r"'a''b\\'"
    assert account("a") == "`a`@`%`"


@pytest.mark.parametrize(
    ("name", "fits"),
    [("weather", True), ("a-b_C1", True), ("1a", False), ("a.b", False), ("a`", False), ("", False), ("a" * 65, False)],
)
def test_names_of_databases_are_checked(name: str, fits: bool) -> None:
    """Only names that need no quoting anywhere are taken."""
    assert (wrong_with_database(name) is None) is fits


def test_names_of_users_are_shorter() -> None:
    """MySQL allows 32 characters."""
    assert wrong_with_user("a" * 32) is None
    assert "32 at most" in str(wrong_with_user("a" * 33))
