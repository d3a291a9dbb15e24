from __future__ import annotations

import pytest

from isotherm_common.process import ConfigurationError
from isotherm_common.schema_gate import SchemaNotReady, check_version, wait_for_schema
from isotherm_common.shutdown import Shutdown


@pytest.mark.contract("S8")
@pytest.mark.parametrize(("found", "needed"), [(1, 1), (2, 1)])
def test_the_schema_it_needs_and_one_newer_are_fine(found: int, needed: int) -> None:
    """An upgrade migrates first and replaces the services after."""
    check_version(found, needed)


@pytest.mark.contract("S8")
@pytest.mark.parametrize("found", [None, 0, 1])
def test_an_older_schema_is_waited_for(found: int | None) -> None:
    """A migration may still be on its way."""
    with pytest.raises(SchemaNotReady, match="2 is needed"):
        check_version(found, 2)


@pytest.mark.contract("S8")
def test_a_schema_two_versions_newer_stops_the_service() -> None:
    """It could misread the tables: it says so instead."""
    with pytest.raises(ConfigurationError, match="upgrade this service"):
        check_version(3, 1)


@pytest.mark.contract("S8")
def test_waiting_ends_when_the_migration_has_run() -> None:
    """The version is read again until it is enough."""
    versions = iter([None, 1])
    shutdown = Shutdown()
    wait_for_schema(lambda: next(versions), 1, transient=lambda _: False, shutdown=shutdown)
    assert next(versions, "used up") == "used up"
