"""The sabotages of `make mutants` still fit the code, and the tests that have to notice them are there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from mutants.__main__ import ROOT, SOURCE, sabotage
from mutants.catalogue import MUTANTS, Mutant

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_fits(tmp_path: Path, mutant: Mutant) -> None:
    """Each text that is to be replaced stands in the code once, and the code still is Python afterwards."""
    for edit in mutant.edits:
        copy = tmp_path / "isotherm_cdc" / edit.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / "isotherm_cdc" / edit.file, copy)
    sabotage(mutant, tmp_path)
    for edit in mutant.edits:
        compile((tmp_path / "isotherm_cdc" / edit.file).read_text(encoding="utf-8"), edit.file, "exec")
    file, _, name = mutant.test.partition("::")
    assert name in (ROOT / file).read_text(encoding="utf-8")


def test_names_are_unique() -> None:
    """A sabotage can be asked for by its name."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
