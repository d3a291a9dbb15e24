"""When the reader gives a connection a moment."""

from __future__ import annotations

import pytest

from isotherm_cdc.binlog.events import Event
from isotherm_cdc.engine.reading import is_little


@pytest.mark.parametrize(
    ("bodies", "little"),
    [
        pytest.param([100, 40, 60, 8], True, id="a transaction of one row"),
        pytest.param([8000, 8000], False, id="rows that fill a record of TLS"),
        pytest.param([100] * 64, False, id="many small events at once"),
    ],
)
def test_only_what_comes_in_small_pieces_is_waited_for(bodies: list[int], little: bool) -> None:
    """A pause after every piece of a large transaction would set the pace of catching up."""
    assert is_little([Event(0, 0, bytes(size)) for size in bodies]) is little
