"""Every contract has a test, and every test that claims a contract names one that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([A-Z]\d+) \|", re.MULTILINE)


def contracts_in_the_document() -> set[str]:
    return set(ROW.findall((ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")))


def contracts_in_the_tests() -> dict[str, str]:
    """Return the identifiers that tests carry, each with a file that does."""
    found: dict[str, str] = {}
    for folder in (*ROOT.glob("services/*/tests"), ROOT / "tests"):
        for path in folder.rglob("test_*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "contract":
                    for argument in node.args:
                        found[ast.literal_eval(argument)] = str(path.relative_to(ROOT))
    return found


def test_every_contract_has_a_test() -> None:
    """A promise that nothing checks is no contract."""
    assert contracts_in_the_document() - contracts_in_the_tests().keys() == set()


def test_no_test_claims_an_unknown_contract() -> None:
    """Renaming a contract renames it everywhere."""
    claimed = contracts_in_the_tests()
    unknown = claimed.keys() - contracts_in_the_document()
    assert {identifier: claimed[identifier] for identifier in unknown} == {}
