#!/usr/bin/env python3
"""Generates the chart's values.schema.json and README.md from the comments of its values.yaml and the services' settings.

`ci/chart/generate.py` writes both; `ci/chart/generate.py --check` fails when either is not what it would write.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from isotherm_common.settings import Secret, Variable, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "charts/isotherm"
SET_BY_CHART = re.compile(
    r"MYSQL_(?!SSL_CA)\w+|MONGODB_(URI|DATABASE|ADMIN_(REPLICA_SET|MEMBERS))|METRICS_\w+|LOG_\w+|MIGRATE_\w+_USER"
    r"|CDC_LEASE_(NAME|NAMESPACE|IDENTITY)|WEB_(HOST|PORT|DRAIN_SECONDS|TRUSTED_PROXIES)|SIMULATOR_(HOST|PORT)"
)
"""Variables that the templates set from other values; two places for one thing would contradict each other."""

RESOURCE = {"type": ["string", "number"]}
DEFINITIONS: dict[str, Any] = {
    "pod": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}},
            "tolerations": {"type": "array", "items": {"type": "object"}},
            "affinity": {"type": "object"},
            "priorityClassName": {"type": "string"},
            "runtimeClassName": {"type": "string"},
        },
    },
    "resources": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "requests": {"type": "object", "additionalProperties": RESOURCE},
            "limits": {"type": "object", "additionalProperties": RESOURCE},
            "claims": {"type": "array", "items": {"type": "object"}},
        },
    },
}
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


@dataclass
class Comment:
    """What stands above a key of values.yaml."""

    text: list[str] = field(default_factory=list)
    schema: dict[str, Any] = field(default_factory=dict)
    settings: list[str] = field(default_factory=list)


def comments(text: str) -> dict[tuple[str, ...], Comment]:
    """Return the comments of `values.yaml` by the path of the key below them."""
    found: dict[tuple[str, ...], Comment] = {}
    path: list[tuple[int, str]] = []
    comment = Comment()
    for line in text.splitlines():
        if match := re.match(r"\s*# (?P<text>.*)", line):
            words = match["text"]
            if words.startswith("@schema "):
                comment.schema = yaml.safe_load(words.removeprefix("@schema "))
            elif words.startswith("@settings "):
                comment.settings = words.split()[1:]
            elif words.startswith("-- "):
                comment.text = [words.removeprefix("-- ")]
            elif comment.text:
                comment.text.append(words)
        elif match := re.match(r"(?P<indent> *)(?P<key>[\w-]+):", line):
            indent = len(match["indent"])
            path = [(depth, key) for depth, key in path if depth < indent] + [(indent, match["key"])]
            found[tuple(key for _, key in path)] = comment
            comment = Comment()
        else:
            comment = Comment()
    return found


def allowed(names: list[str]) -> Iterator[tuple[Variable, Any]]:
    """Return the variables of settings classes that a map of settings may hold."""
    for name in names:
        module, _, kind = name.partition(":")
        for variable, hint in variables(getattr(importlib.import_module(module), kind)):
            if "Secret" not in str(hint) and hint is not Secret and not SET_BY_CHART.fullmatch(variable.name):
                yield variable, hint


def settings_schema(names: list[str]) -> dict[str, Any]:
    """Return the schema of a map from names of variables to their values."""
    properties: dict[str, Any] = {}
    for variable, _ in allowed(names):
        properties[variable.name] = {
            "type": ["string", "number", "boolean"],
            "description": variable.help,
        }
        if variable.minimum is not None:
            properties[variable.name]["minimum"] = variable.minimum
        if variable.maximum is not None:
            properties[variable.name]["maximum"] = variable.maximum
    return {"additionalProperties": False, "properties": properties}


def schema(value: Any, path: tuple[str, ...], found: dict[tuple[str, ...], Comment]) -> dict[str, Any]:
    """Return the schema of the value at `path`."""
    comment = found.get(path, Comment())
    if "$ref" in comment.schema:
        return {**comment.schema}
    result: dict[str, Any] = {"type": TYPES[type(value)]}
    if comment.text:
        result["description"] = " ".join(comment.text)
    if isinstance(value, dict) and not comment.text:
        result["additionalProperties"] = False
        result["properties"] = {key: schema(child, (*path, key), found) for key, child in value.items()}
    if comment.settings:
        result |= settings_schema(comment.settings)
    return result | comment.schema


def leaves(value: Any, path: tuple[str, ...], found: dict[tuple[str, ...], Comment]) -> Iterator[tuple[str, Any, str]]:
    """Return name, default and description of every value that is described."""
    comment = found.get(path, Comment())
    if comment.text:
        yield ".".join(path), value, " ".join(comment.text)
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, (*path, key), found)
    else:
        sys.exit(f"values.yaml: {'.'.join(path)} has no description (a comment that begins with '-- ').")


def cell(text: str) -> str:
    """Return `text` as it stands in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def readme(values: dict[str, Any], found: dict[tuple[str, ...], Comment]) -> str:
    """Return the chart's README."""
    lines = [(CHART / "README.head.md").read_text(encoding="utf-8").rstrip(), "", "## Values", ""]
    lines += ["| value | default | what it is |", "|---|---|---|"]
    for name, default, text in leaves(values, (), found):
        shown = json.dumps(default, separators=(", ", ": "))
        lines.append(f"| `{name}` | `{cell(shown)}` | {cell(text)} |")
    for path, comment in found.items():
        if comment.settings:
            name = ".".join(path)
            lines += ["", f"### `{name}`", "", "| variable | default | what it is |", "|---|---|---|"]
            for variable, _ in allowed(comment.settings):
                default = "" if variable.default in (None, ()) or variable.required else f"`{variable.default}`"
                lines.append(f"| `{variable.name}` | {cell(default)} | {cell(variable.help)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    arguments = parser.parse_args()
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    values, found = yaml.safe_load(text), comments(text)
    top = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart isotherm"}
    document = {**top, "definitions": DEFINITIONS, **schema(values, (), found)}
    # Helm passes these to every chart.
    document["properties"] |= {"global": {"type": "object"}}
    wanted = {
        CHART / "values.schema.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        CHART / "README.md": readme(values, found),
    }
    stale = [path for path, new in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != new]
    if arguments.check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run ci/chart/generate.py.", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
