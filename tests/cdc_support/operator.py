"""`isotherm-cdc` as an operator calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdc_support.capture import Capture


def run(capture: Capture, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a subcommand with the reader's settings."""
    environment = capture.stack.spec("cdc", {**capture.settings, **settings}).environment
    return subprocess.run(
        [str(Path(sys.executable).with_name("isotherm-cdc")), *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def ask(capture: Capture, *arguments: str, code: int = 0, **settings: str) -> Any:
    """Run a subcommand with `--json`, check its exit code and return what it printed."""
    done = run(capture, *arguments, "--json", **settings)
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)
