"""docs/configuration.md: every setting of every command, from the code that reads it."""

from __future__ import annotations

import importlib
import re
import types
import typing
from pathlib import Path
from typing import Any, Literal

from isotherm_common.settings import Secret, Variable, variables

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
# Configuration

Generated from the services' settings by `ci/observability/generate.py`. Every setting is an environment variable. Every
variable `X` may be given as `X_FILE` instead, the path of a file that holds the value: that is how secrets are handed
in. An empty variable counts as not set. All mistakes are reported at once, one sentence each, and the exit code is 64
(contracts E1 to E4).

On Kubernetes the chart sets them: its own values are described in the [chart's README](../charts/isotherm/README.md), and
`fetcher.settings`, `cdc.settings`, `web.settings`, `setup.settings` and `simulator.settings` take the variables below by
name. `make up` sets them itself; what one may choose there says the [quick start](quickstart.md#choose).

The kinds: *list* is comma-separated; *secret* never appears in a log.
"""
TITLES = {
    "isotherm_setup.settings:MigrateSettings": "isotherm-migrate",
    "isotherm_setup.settings:MongoInitSettings": "isotherm-mongo-init",
    "isotherm_fetcher.settings:Settings": "isotherm-fetcher (run and exporter)",
    "isotherm_cdc.settings:Settings": "isotherm-cdc",
    "isotherm_web.settings:Settings": "isotherm-web",
    "isotherm_simulator.settings:Settings": "isotherm-simulator",
}
"""Each settings class with the command that reads it."""


def classes() -> set[str]:
    """Return the settings classes that the services load, as the code has them."""
    found = set()
    for file in sorted(ROOT.glob("services/*/src/isotherm_*/**/*.py")):
        source = file.read_text(encoding="utf-8")
        package = file.relative_to(ROOT).parts[3]
        found |= {f"{package}.settings:{name}" for name in re.findall(r"\bload\(([A-Z]\w+), ", source)}
    return found


def text() -> str:
    """Return the page."""
    lines = [HEAD.rstrip()]
    for path, title in TITLES.items():
        module, _, name = path.partition(":")
        lines += ["", f"## {title}", "", "| variable | kind | default | what it is |", "|---|---|---|---|"]
        for variable, hint in variables(getattr(importlib.import_module(module), name)):
            lines.append(
                f"| `{variable.name}` | {_kind(variable, hint)} | {_default(variable)} | {_sentence(variable.help)} |"
            )
    return "\n".join(lines) + "\n"


def _default(variable: Variable) -> str:
    if variable.required:
        return "**required**"
    if variable.default in (None, (), ""):
        return ""
    value = str(variable.default).lower() if isinstance(variable.default, bool) else str(variable.default)
    return f"`{value}`"


def _kind(variable: Variable, hint: Any) -> str:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "list"
    name = {Secret: "secret", bool: "true or false", int: "whole number", float: "number", Path: "file", str: "text"}[
        hint
    ]
    low, high = variable.minimum, variable.maximum
    if low is not None and high is not None:
        return f"{name}, {low} to {high}"
    return name if low is None else f"{name}, {low} or more"


def _sentence(text: str) -> str:
    clean = text.replace("|", "\\|")
    return f"T{clean[1:]}" if clean.startswith("the ") else clean
