from __future__ import annotations

import pytest_socket


def pytest_runtest_setup(item: object) -> None:
    """Unit tests reach no server: the observability tests alone may use the loopback."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
