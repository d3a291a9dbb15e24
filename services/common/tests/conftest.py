from __future__ import annotations

import pytest
import pytest_socket


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The observability tests alone may use sockets."""
    for item in items:
        if item.path.name == "test_observability.py":
            item.add_marker(pytest.mark.enable_socket)


def pytest_runtest_setup(item: object) -> None:
    """Unit tests reach no server but on the loopback."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
