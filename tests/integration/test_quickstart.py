"""Every command block of README.md and docs/quickstart.md works as it stands.

A block is fenced by ```sh. The comment `<!-- runs until the end -->` above it means that it goes on while the blocks after it
run; `<!-- only looked at -->` that make is asked what it would do (`make -n`), because a test run cannot run inside itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from isotherm_local.ports import free, is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/quickstart.md")
BLOCK = re.compile(r"^(?:<!-- (?P<note>[^>]*) -->\n)?```sh\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
NOTES = ("runs until the end", "only looked at", None)
PORTS = (8090, 9101, 9102, 9103, 9104)
UNTIL_UP_SECONDS = 240


@dataclass(frozen=True)
class Block:
    """One block of commands.

    Attributes:
        page: where it stands.
        note: the comment above it.
        text: the commands.
    """

    page: str
    note: str | None
    text: str


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(page, found["note"], found["text"]) for found in BLOCK.finditer(text)]


def run(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextlib.contextmanager
def running(command: str, environment: dict[str, str]) -> Iterator[None]:
    """Run a command in a terminal's way until the end: it is stopped as by Ctrl-C."""
    log = Path(environment["ISOTHERM_DATA"]) / "terminal.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command.strip()}"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until_the_map_is_there(process, log)
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(60)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def until_the_map_is_there(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + UNTIL_UP_SECONDS
    while "The map is there" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)


def test_every_block_is_marked_as_the_runner_knows_it() -> None:
    """A misspelt note would run what should only be looked at."""
    found = [block for page in PAGES for block in blocks(page)]
    assert len(found) >= 5
    assert {block.note for block in found} <= set(NOTES)
    for page in PAGES:
        assert len(blocks(page)) == (ROOT / page).read_text(encoding="utf-8").count("\n```sh\n")
        assert not re.search(r"^```(bash|shell|console)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.timeout(420)
def test_every_command_block_works(tmp_path: Path) -> None:
    """From top to bottom, with the port that the machine has free in the place of 5000."""
    taken = [port for port in PORTS if not is_free(port)]
    if taken:
        pytest.skip(f"something else listens on port {taken[0]}, which `make up` needs")
    port = str(free())
    environment = {**os.environ, "PORT": port, "SOURCE": "simulator", "ISOTHERM_DATA": str(tmp_path / "data")}
    for page in PAGES:
        with contextlib.ExitStack() as stack:
            for block in blocks(page):
                text = block.text.replace("127.0.0.1:5000", f"127.0.0.1:{port}")
                if block.note == "runs until the end":
                    if page == PAGES[-1]:
                        stack.enter_context(running(text, environment))
                    else:
                        assert text in {other.text for other in blocks(PAGES[-1])}, text
                elif block.note == "only looked at":
                    for line in text.splitlines():
                        result = run(line.partition("#")[0].replace("make ", "make --just-print ", 1), environment)
                        assert result.returncode == 0, result.stderr
                        assert result.stdout.strip(), line
                else:
                    result = run(text, environment)
                    assert result.returncode == 0, f"{text}\n{result.stdout}{result.stderr}"
                    assert result.stdout.strip(), text
