"""The engine's start and end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from isotherm_cdc import __main__ as command
from isotherm_cdc.engine.engine import Engine
from isotherm_cdc.errors import Fenced
from isotherm_cdc.settings import Settings
from isotherm_common.observability import Health
from isotherm_common.retry import ShutdownDuringRetry
from isotherm_common.settings import load
from isotherm_common.shutdown import Shutdown

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 30.0


class _Beats(Health):
    """Tells when it has been beaten twice more."""

    def __init__(self) -> None:
        self.count = 0
        self.twice = threading.Event()
        super().__init__()

    def beat(self) -> None:
        self.count += 1
        if self.count > 1:
            self.twice.set()
        super().beat()


class _Sink:
    """A sink whose takeover does what a test says."""

    taken_over = False

    def __init__(self, take_over: Callable[[], Any]) -> None:
        self.take_over = take_over


def _settings() -> Settings:
    return load(Settings, {"MYSQL_USER": "cdc", "MYSQL_PASSWORD": "p", "MONGODB_URI": "mongodb://127.0.0.1:1"})


def _engine(take_over: Callable[[], Any], health: Health) -> Engine:
    return Engine(_settings(), cast("Any", _Sink(take_over)), Shutdown(), health)


def test_it_is_alive_while_mongodb_is_away_at_the_start() -> None:
    """Waiting for MongoDB, however long, does not look like a process that hangs."""
    health = _Beats()

    def away() -> None:
        assert health.twice.wait(PATIENCE_SECONDS)
        raise ShutdownDuringRetry

    _engine(away, health).run()
    assert health.twice.is_set()


def test_an_error_at_the_start_is_raised() -> None:
    """What goes wrong while it takes over ends the run with that error."""

    def fenced() -> None:
        message = "another reader"
        raise Fenced(message)

    with pytest.raises(Fenced, match="another reader"):
        _engine(fenced, Health()).run()


def test_it_is_alive_while_the_schema_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the migration beats at every attempt."""
    shutdown = Shutdown()
    health = _Beats()

    def refuse(*_: Any, **__: Any) -> None:
        if health.twice.is_set():
            shutdown.request()
        message = "not yet"
        raise OSError(message)

    monkeypatch.setattr(command.mysql, "connect", refuse)
    with pytest.raises(ShutdownDuringRetry):
        command._wait_for_schema(_settings(), shutdown, health)
    assert health.twice.is_set()
