from __future__ import annotations

import io
import json
import logging
import os
import signal
from typing import Literal

import pytest
import structlog

from isotherm_common import logging as service_logging
from isotherm_common.process import ConfigurationError, TryAgainLater, run
from isotherm_common.settings import LogSettings
from isotherm_common.shutdown import Shutdown


def raising(error: BaseException) -> int:
    raise error


@pytest.mark.contract("E4")
@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigurationError("a"), 64), (TryAgainLater("a"), 75), (ZeroDivisionError(), 70), (KeyboardInterrupt(), 0)],
)
def test_whatever_ends_a_service_has_its_exit_code(error: BaseException, code: int) -> None:
    """Supervisors decide by it whether to try again."""
    assert run(lambda: raising(error)) == code
    assert run(lambda: None) == 0


@pytest.mark.contract("E3")
def test_mistakes_in_the_settings_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, as plain sentences: how to log is not known yet."""
    structlog.reset_defaults()  # another test may have set up how to log
    run(lambda: raising(ConfigurationError("A is wrong.\nB is wrong.")))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "A is wrong.\nB is wrong.\n")


@pytest.mark.contract("E5")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_requests_the_shutdown(number: signal.Signals) -> None:
    """The process goes on until its next safe point."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        shutdown = Shutdown.on_signals()
        assert not shutdown.requested
        os.kill(os.getpid(), number)
        assert shutdown.wait(5)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])


def test_logs_are_json_lines_with_the_service_and_the_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of structlog and of the standard library alike."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        service_logging.configure(LogSettings(), "cdc")
        structlog.get_logger().info("batch_committed", seq=7)
        logging.getLogger("library").warning("careful")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["service"], first["event"], first["seq"], first["level"]) == ("cdc", "batch_committed", 7, "info")
    assert (second["service"], second["event"]) == ("cdc", "careful")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values(monkeypatch: pytest.MonkeyPatch, form: Literal["json", "console"]) -> None:
    """The variables of the frames may hold passwords."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        service_logging.configure(LogSettings(format=form), "cdc")
        password = "s3cret"
        try:
            int(password[:0])
        except ValueError:
            structlog.get_logger().exception("failed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert "ValueError" in stream.getvalue()
    assert "s3cret" not in stream.getvalue()
