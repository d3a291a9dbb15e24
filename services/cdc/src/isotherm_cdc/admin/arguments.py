"""The command line."""

from __future__ import annotations

import argparse
import math
import sys
from importlib.metadata import version
from typing import NoReturn

from isotherm_common.process import ExitCode

DEFAULT_TIMEOUT_SECONDS = 30.0
_MOST_DIGITS = 9


class Parser(argparse.ArgumentParser):
    """Ends with the exit code that every service has for a mistake of its operator (contract E4)."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong."""
        self.print_usage(sys.stderr)
        self.exit(int(ExitCode.CONFIGURATION), f"{self.prog}: {message}\n")


def parser() -> Parser:
    """Return the parser: without a subcommand the reader runs."""
    made = Parser(
        prog="isotherm-cdc",
        description="Reads MySQL's binary log and keeps MongoDB equal, effectively once. Without a command the reader runs. "
        "Settings come from the environment, the same for all commands.",
        epilog="Exit codes: 0 done; 1 verify has found differences; 64 a mistake in the settings or on the command line; "
        "70 refused or failed; 75 no answer in time, or the reader does not work.",
    )
    made.add_argument("--version", action="version", version=f"isotherm-cdc {version('isotherm-cdc')}")
    commands = made.add_subparsers(dest="command", metavar="command")
    _add(commands, "status", "say where the pipeline stands, with a running reader or without")
    for name, text in (
        ("pause", "stop reading and applying changes until `resume`; a restart of the reader does not end it"),
        ("resume", "go on after a pause"),
    ):
        command = _add(commands, name, text)
        command.add_argument("--snapshot", action="store_true", help="only the reading of whole tables")
    command = _add(
        commands, "snapshot", "read a table again while changes go on, and delete documents that have no row"
    )
    command.add_argument("table", type=_name, help="schema.table")
    command.add_argument("--where", type=_text, help="an SQL condition: read only these rows, delete nothing")
    command.add_argument("--wait", action="store_true", help="return when the table has been read")
    command = _add(commands, "requeue", "put dead letters back: read their rows again as they are now")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", type=_name, action="append", help="the dead letter with this _id; may be given again")
    which.add_argument("--table", type=_name, help="those of schema.table")
    which.add_argument("--all", action="store_true", help="all of them")
    command = _add(commands, "verify", "compare every row with its document, while changes go on")
    command.add_argument("table", type=_name, nargs="*", help="schema.table; without any: all captured tables")
    command.add_argument(
        "--limit", type=_positive, default=100, help="differences to print for each table (default 100)"
    )
    return made


def _add(commands: argparse._SubParsersAction[Parser], name: str, text: str) -> Parser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.add_argument("--json", action="store_true", help="print one JSON document")
    command.add_argument(
        "--timeout",
        type=_seconds,
        default=DEFAULT_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"how long to wait for the reader (default {DEFAULT_TIMEOUT_SECONDS:g})",
    )
    return command


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        message = f"must be a number of seconds above 0, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _positive(text: str) -> int:
    if text.isdecimal() and len(text) > _MOST_DIGITS:
        message = f"must have at most {_MOST_DIGITS} digits"
        raise argparse.ArgumentTypeError(message)
    if not text.isdecimal() or int(text) < 1:
        message = f"must be a whole number of at least 1, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _text(text: str) -> str:
    """Refuse bytes that are no text: MongoDB could not keep the request."""
    try:
        text.encode()
    except UnicodeEncodeError:
        message = f"must be UTF-8, not {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return text


def _name(text: str) -> str:
    """Refuse an empty name (of a shell's unset variable): `requeue` would take it for every table."""
    if not text:
        message = "must not be empty"
        raise argparse.ArgumentTypeError(message)
    return _text(text)
