"""The command `isotherm-fetcher`: wiring, arguments and signals."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from contextlib import closing
from logging import WARNING, getLogger
from typing import TYPE_CHECKING, NoReturn

from structlog.contextvars import bind_contextvars

from isotherm_common import logging
from isotherm_common.process import ConfigurationError, run
from isotherm_common.retry import ShutdownDuringRetry
from isotherm_common.settings import load
from isotherm_common.shutdown import Shutdown
from isotherm_common.tracing import configure
from isotherm_fetcher import __version__
from isotherm_fetcher.dry_run import describe_next_run
from isotherm_fetcher.exporter import export
from isotherm_fetcher.mysql import open_database
from isotherm_fetcher.open_meteo import OpenMeteo
from isotherm_fetcher.run import run_once
from isotherm_fetcher.settings import Settings
from isotherm_fetcher.task import Task
from isotherm_fetcher.watch import duration, watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_common.tracing import Tracing

_DESCRIPTION = """Fetches weather from Open-Meteo into MySQL: the stalest locations first, within the quota.
Settings come from the environment: MYSQL_*, FETCHER_*, OPEN_METEO_*.
Exit codes: 0 done or partly done, 64 configuration, 70 internal error, 75 try again at the next schedule."""

_GIVE_UP_SECONDS = 300.0  # a single run leaves a database that is down to the next schedule; a watch waits for it


class _Parser(argparse.ArgumentParser):
    """Wrong arguments are a configuration mistake like any other: exit code 64."""

    def error(self, message: str) -> NoReturn:
        text = f"{self.prog}: {message}. See {self.prog} --help."
        raise ConfigurationError(text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code."""
    sys.exit(run(lambda: command(sys.argv[1:] if arguments is None else arguments)))


def command(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    parser = _parser()
    options = parser.parse_args(arguments)
    exporting = options.command == "exporter"
    if exporting and (options.dry_run or options.watch is not None):
        parser.error("--dry-run and --watch do not go with exporter")
    settings = load(Settings, os.environ)
    logging.configure(settings.log, "fetcher-exporter" if exporting else "fetcher")
    getLogger("httpx").setLevel(WARNING)  # a line for each request says less than the run's own lines
    shutdown = Shutdown.on_signals()
    try:
        if exporting:
            export(settings, shutdown)
            return
        bind_contextvars(run_id=None)  # until a run has one
        tracing = configure(settings.tracing, "fetcher", __version__)
        interval = settings.interval_seconds if options.watch is None else options.watch or settings.interval_seconds
        task = _task(settings, interval)
        if options.dry_run:
            with open_database(settings.mysql, shutdown, give_up_after_seconds=_GIVE_UP_SECONDS) as database:
                print("\n".join(describe_next_run(task, database, time.time(), settings.region.label)))
            return
        with OpenMeteo(settings.open_meteo) as upstream, closing(tracing):
            if options.watch is None:
                _once(settings, task, upstream, shutdown, tracing, give_up_after_seconds=_GIVE_UP_SECONDS)
            else:
                watch(lambda: _once(settings, task, upstream, shutdown, tracing), interval, shutdown)
    except ShutdownDuringRetry:
        return


def _once(
    settings: Settings,
    task: Task,
    upstream: OpenMeteo,
    shutdown: Shutdown,
    tracing: Tracing,
    give_up_after_seconds: float = math.inf,
) -> None:
    with open_database(settings.mysql, shutdown, give_up_after_seconds=give_up_after_seconds) as database:
        run_once(task, database, upstream, shutdown, tracing=tracing).raise_for_outcome()


def _task(settings: Settings, interval_seconds: int) -> Task:
    return Task(
        region=settings.region.places(),
        policy=settings.policy(interval_seconds),
        simulated=not settings.open_meteo.public,
        history_seconds=settings.retention.history_hours * 3600,
        runs_seconds=settings.retention.runs_hours * 3600,
        runner_wait_seconds=settings.runner_wait_seconds,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="isotherm-fetcher", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["run", "exporter"],
        default="run",
        help="run (the default): fetch; exporter: serve the metrics of all runs",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="print what a run would do and cost; change nothing")
    how.add_argument(
        "--watch",
        metavar="DURATION",
        nargs="?",
        type=_duration,
        const=0,
        help="run again and again, every DURATION such as 10m (FETCHER_INTERVAL_SECONDS when it is left out)",
    )
    parser.add_argument("--version", action="version", version=f"isotherm-fetcher {__version__}")
    return parser


def _duration(text: str) -> int:
    try:
        return duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
