"""The CSV file."""

from __future__ import annotations

import csv
import io

import pytest

from isotherm_web.export import encode_csv
from isotherm_web.geometry import Location
from isotherm_web.rows import NO_ROW


@pytest.mark.contract("H9")
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_names_are_no_formulas(name: str) -> None:
    """A spreadsheet that opens the file calculates nothing that a name says."""
    body = encode_csv([(Location(1, 0.0, 0.0, name), NO_ROW)], "celsius", "mps").decode()
    assert list(csv.reader(io.StringIO(body)))[1][1] == f"'{name}"


def test_names_are_quoted() -> None:
    """Commas, quotes and line breaks stay within their field."""
    body = encode_csv([(Location(1, 0.0, 0.0, 'a,"b"\n'), NO_ROW)], "celsius", "mps").decode()
    assert next(iter(list(csv.reader(io.StringIO(body, newline="")))[1:]))[1] == 'a,"b"\n'
