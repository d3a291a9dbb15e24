"""The command `isotherm-local`: arguments and exit codes."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from isotherm_common.process import ExitCode, ServiceError
from isotherm_local import options
from isotherm_local.databases import Layout
from isotherm_local.terminal import Terminal
from isotherm_local.up import databases_only, up

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; every error that is foreseen is one sentence."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    chosen = _parser().parse_args(arguments)
    layout = Layout(chosen.data.resolve(), chosen.cache.resolve())
    terminal = Terminal()
    try:
        if chosen.command == "databases":
            databases_only(layout, terminal)
        else:
            up(options.parse(chosen.source, chosen.region, chosen.interval, chosen.port), layout, terminal)
    except ServiceError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return int(ExitCode.OK)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="isotherm-local", description="Runs Isotherm on one machine, without containers."
    )
    parser.add_argument("--version", action="version", version=f"isotherm-local {version('isotherm-local')}")
    parser.add_argument("--data", type=Path, default=Path(".local"), help="where databases, logs and passwords are")
    parser.add_argument("--cache", type=Path, default=Path(".cache"), help="where downloads are")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("databases", help="only MySQL and MongoDB")
    run = commands.add_parser("up", help="the whole pipeline and the page")
    run.add_argument("--source", default="", help="open-meteo or simulator; Open-Meteo when it can be reached")
    run.add_argument("--region", default="", help="a preset, or south,west,north,east")
    run.add_argument("--interval", default="", help="from one fetch to the next, such as 30s or 10m")
    run.add_argument("--port", default="", help="the page's port, 5000 when it is left out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
