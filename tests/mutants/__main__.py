"""`python -m mutants [NAME …]`: try every sabotage, or those named; say which test noticed each.

The code is copied, sabotaged and put in front of the path; the work tree stays as it is. A test that passes on sabotaged
code, a sabotage that does not fit the code any more, and a test that fails on the code as it is are all failures.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutants.catalogue import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "services/cdc/src"
TIMEOUT_SECONDS = 300
_FAILED = 1
_AT_ONCE = 2


class DoesNotFit(Exception):  # noqa: N818 - it says what is wrong
    """The text that a sabotage replaces is not in the code once."""


def main(names: list[str]) -> int:
    """Try them; the exit code is 1 when one was not noticed, 64 when there is none of that name."""
    known = {mutant.name: mutant for mutant in MUTANTS}
    if unknown := [name for name in names if name not in known]:
        print(f"There is no mutant {unknown[0]!r}: choose from {', '.join(known)}.", file=sys.stderr)
        return 64
    chosen = [known[name] for name in names] or list(MUTANTS)
    started = time.monotonic()
    tests = sorted({mutant.test for mutant in chosen})
    problems = [problem for test in tests if (problem := control(test))]
    if not problems:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            problems = [problem for problem in pool.map(attempt, chosen) if problem]
    print(f"{len(chosen) - len(problems)} of {len(chosen)} noticed ({time.monotonic() - started:.0f} s)")
    for problem in problems:
        print(f"\n{problem}")
    return int(bool(problems))


def control(test: str) -> str | None:
    """Run a test on the code as it is; return what is wrong if it fails."""
    result = run(test, SOURCE)
    if result.returncode:
        return f"{test} fails without any sabotage:\n{result.stdout[-3000:]}"
    return None


def attempt(mutant: Mutant) -> str | None:
    """Try one; return what is wrong if its test did not notice."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="isotherm-mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            sabotage(mutant, copy)
        except DoesNotFit as error:
            print(f"{mutant.name:<44} DOES NOT FIT", flush=True)
            return f"{mutant.name}: {error}"
        try:
            result = run(mutant.test, copy)
        except subprocess.TimeoutExpired:
            return f"{mutant.name}: {mutant.test} did not end within {TIMEOUT_SECONDS} s"
    function = mutant.test.rpartition("::")[2]
    noticed = result.returncode == _FAILED and re.search(
        rf"^FAILED .*\b{re.escape(function)}\b", result.stdout, re.MULTILINE
    )
    print(
        f"{mutant.name:<44} {'noticed' if noticed else 'NOT NOTICED'} ({time.monotonic() - started:.1f} s)", flush=True
    )
    return None if noticed else f"{mutant.name} was not noticed by {mutant.test}:\n{result.stdout[-3000:]}"


def sabotage(mutant: Mutant, source: Path) -> None:
    """Change the copy.

    Raises:
        DoesNotFit: the code has changed since the sabotage was written.
    """
    for edit in mutant.edits:
        file = source / "isotherm_cdc" / edit.file
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if text.count(edit.old) != 1:
            message = f"{edit.file} has {text.count(edit.old)} times what is to be replaced once: {edit.old!r}"
            raise DoesNotFit(message)
        file.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def run(test: str, source: Path) -> subprocess.CompletedProcess[str]:
    """Run a test with the reader's code from `source`."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(source), str(ROOT / "tests")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    sockets = [] if test.startswith("tests/integration") else ["--disable-socket", "--allow-unix-socket"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "mutants.plugin",
        "-p",
        "no:cacheprovider",
        *sockets,
        test,
    ]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=TIMEOUT_SECONDS,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
