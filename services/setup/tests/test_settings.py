from __future__ import annotations

import pytest

from isotherm_common.settings import SettingsError, load, variables
from isotherm_setup.settings import MigrateSettings, MongoInitSettings, SchemaSettings

MINIMAL = {"MYSQL_ADMIN_PASSWORD": "secret"}


def test_the_administrators_password_is_all_that_must_be_given() -> None:
    """Users without a password are left as they are."""
    settings = load(MigrateSettings, MINIMAL)
    assert settings.admin_user == "root"
    assert settings.schema.database == "weather"
    assert settings.schema.cdc_password is None


@pytest.mark.contract("E3")
def test_all_mistakes_are_reported_at_once() -> None:
    """The exit code is that of a configuration error."""
    with pytest.raises(SettingsError) as caught:
        load(MigrateSettings, {"MYSQL_DATABASE": "a.b", "MIGRATE_CDC_USER": "x" * 33, "MYSQL_PORT": "0"})
    assert len(caught.value.problems) == 4
    assert caught.value.exit_code == 64


def test_the_three_users_must_differ() -> None:
    """One user would have the privileges of whichever came last."""
    with pytest.raises(SettingsError, match="must be different names"):
        load(SchemaSettings, {"MIGRATE_CDC_USER": "a", "MIGRATE_EXPORTER_USER": "a"})


@pytest.mark.parametrize("members", ["a", "a:1,a:1", ":1", "a:x"])
def test_members_are_host_and_port_each(members: str) -> None:
    """A member that cannot be reached would hang the replica set."""
    with pytest.raises(SettingsError, match="MONGODB_ADMIN_MEMBERS"):
        load(MongoInitSettings, {"MONGODB_ADMIN_URI": "mongodb://h", "MONGODB_ADMIN_MEMBERS": members})


@pytest.mark.contract("E1")
def test_own_settings_have_the_prefixes_of_setup() -> None:
    """Everything else means the same in every service."""
    shared = {
        "MYSQL_HOST",
        "MYSQL_PORT",
        "MYSQL_DATABASE",
        "MYSQL_SSL_CA",
        "MONGODB_DATABASE",
        "LOG_LEVEL",
        "LOG_FORMAT",
    }
    for kind in (MigrateSettings, MongoInitSettings):
        for variable, _ in variables(kind):
            assert variable.name in shared or variable.name.startswith(
                ("MYSQL_ADMIN_", "MIGRATE_", "MONGODB_ADMIN_")
            ), variable.name
