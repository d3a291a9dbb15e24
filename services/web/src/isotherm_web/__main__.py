"""`isotherm-web`: serves the live map."""

from __future__ import annotations

import argparse
import os
import sys

import uvloop

from isotherm_common import logging
from isotherm_common.process import run
from isotherm_common.settings import load
from isotherm_web import __version__
from isotherm_web.service import serve
from isotherm_web.settings import Settings


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="isotherm-web", description="Serve the live weather map. Settings come from the environment."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.parse_args()
    return run(_main)


def _main() -> None:
    settings = load(Settings, os.environ)
    logging.configure(settings.log, "web")
    uvloop.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
