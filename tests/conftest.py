"""Real servers for the tests that need them: started once a session, in the way that `make up` starts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from isotherm_local.databases import Layout
from isotherm_local.harness import Mongodb, Mysql, Pipeline, Servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pymysql.connections import Connection

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """MySQL and MongoDB on empty data; what has to be downloaded is shared with `make up`."""
    layout = Layout(data=tmp_path_factory.mktemp("isotherm"), cache=ROOT / ".cache")
    with Servers.running(layout) as running:
        yield running


@pytest.fixture
def mysql(servers: Servers) -> Iterator[Mysql]:
    """The MySQL server: parameters(), connect(), stop(), kill(), start().wait_ready(), restart()."""
    servers.ensure_running()
    yield servers.mysql
    servers.ensure_running()


@pytest.fixture
def mongodb(servers: Servers) -> Iterator[Mongodb]:
    """The MongoDB server: uri, connect(), stop(), kill(), start().wait_ready(), restart()."""
    servers.ensure_running()
    yield servers.mongodb
    servers.ensure_running()


@pytest.fixture(scope="module")
def migrated(servers: Servers) -> Iterator[Pipeline]:
    """A migrated schema and database of this module, no service running."""
    with servers.weather() as prepared:
        yield prepared


@pytest.fixture
def mysql_admin(migrated: Pipeline) -> Callable[[], Connection[Any]]:
    """Connects as root to this module's migrated schema; the caller closes the connection."""
    return lambda: migrated.mysql(autocommit=False)


@pytest.fixture
def stack(servers: Servers) -> Iterator[Pipeline]:
    """A migrated schema and database of this test; `start(name)` starts a service."""
    with servers.weather() as prepared:
        yield prepared


@pytest.fixture
def pipeline(stack: Pipeline) -> Pipeline:
    """Every service of this test, running, and the whole map filled."""
    return stack.start_all()


@pytest.fixture(scope="module")
def shared_pipeline(servers: Servers) -> Iterator[Pipeline]:
    """Every service, running for all tests of a module; they may not stop any of it."""
    with servers.weather() as prepared:
        yield prepared.start_all()
