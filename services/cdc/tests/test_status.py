"""What `status` says to people."""

from __future__ import annotations

from typing import Any

import pytest

from isotherm_cdc.admin.status import progress


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({}, "s.t: 20 of about 100 rows in 2 chunks"),
        ({"keys": 3}, "s.t: 20 of about 100 rows in 2 chunks, 3 rows to be read again"),
        ({"where": "a > 1"}, "s.t where a > 1: 20 rows in 2 chunks"),
        ({"estimate": None}, "s.t: 20 rows in 2 chunks"),
        ({"estimate": 0}, "s.t: 20 rows in 2 chunks"),
        ({"estimate": 19}, "s.t: 20 rows in 2 chunks"),
    ],
)
def test_how_far_a_table_has_been_read(changed: dict[str, Any], line: str) -> None:
    """An estimate is told only while it can be true: what MySQL counted before the rows came is none."""
    table = {"table": "s.t", "rows": 20, "chunks": 2, "estimate": 100, "where": None, "keys": 0}
    assert progress(table | changed) == line
