"""The documentation says what the code does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from isotherm_cdc.values.actions import ACTIONS
from isotherm_cdc.values.columns import Kind
from isotherm_cdc.values.mapping import RULES

ROOT = Path(__file__).parents[3]


def test_the_type_mapping_is_generated_from_the_rules() -> None:
    """`ci/cdc/type_mapping.py` has nothing to change in docs/type-mapping.md."""
    script = ROOT / "ci/cdc/type_mapping.py"
    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_kind_and_action_is_described() -> None:
    """Only the two kinds that a setting makes stand for no type."""
    undescribed = {kind for kind, rule in RULES.items() if not (rule.mysql and rule.bson)}
    assert undescribed == {Kind.OVERRIDDEN, Kind.EXCLUDED}
    assert all(action.help for action in ACTIONS.values())
