"""The geometry and its name."""

import hashlib

import pytest
from bson import Decimal128

from isotherm_web.geometry import Location, decode_location, make_geometry


@pytest.mark.contract("W8")
def test_name_is_the_hash_of_the_lines() -> None:
    """The name is the first 16 hexadecimal digits of the SHA-256 of the lines of the active locations by id."""
    geometry = make_geometry([Location(7, -0.5, 179.99999), Location(2, 50, 10), Location(3, 0, 0, active=False)])
    lines = b"2,50.00000,10.00000\n7,-0.50000,179.99999\n"
    assert geometry.name == hashlib.sha256(lines).hexdigest()[:16]
    assert list(geometry.ids) == [2, 7]


def test_a_name_of_a_location_does_not_change_the_geometry() -> None:
    """Only ids and places count."""
    assert make_geometry([Location(1, 1, 1, "A")]).name == make_geometry([Location(1, 1, 1, "B")]).name


@pytest.mark.contract("D6")
def test_location_is_decoded() -> None:
    """Decimal128 coordinates become numbers and 0 or 1 whether it is active."""
    document = {"latitude": Decimal128("50.00000"), "longitude": Decimal128("-10.50000"), "name": None, "active": 0}
    assert decode_location(4, document) == Location(4, 50.0, -10.5, active=False)
    assert decode_location(4, {"active": 1}, Location(4, 50.0, -10.5, active=False)) == Location(4, 50.0, -10.5)
