"""GTID sets behave like sets of GTIDs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_cdc.gtid import GtidSet, split_gtid

A, B = "a65333b1-e821-11f1-8912-02fc00000001", "b65333b1-e821-11f1-8912-02fc00000002"
ORIGINS = (A, f"{A}:tag", f"{A}:other", B)

members = st.sets(st.tuples(st.sampled_from(ORIGINS), st.integers(1, 30)))


def build(gtids: set[tuple[str, int]]) -> GtidSet:
    result = GtidSet()
    for origin, number in gtids:
        result.add(origin, number)
    return result


@given(members, members)
def test_algebra_is_that_of_sets(left: set[tuple[str, int]], right: set[tuple[str, int]]) -> None:
    """Union, difference, containment and membership agree with Python's sets."""
    one, two = build(left), build(right)
    assert set(one | two) == left | right
    assert set(one - two) == left - right
    assert (one <= two) == (left <= right)
    assert (one == two) == (left == right)
    assert bool(one) == bool(left)
    assert all((one.contains(*gtid)) == (gtid in left) for gtid in left | right)
    assert set(one) == left


@given(members)
def test_text_is_read_back(gtids: set[tuple[str, int]]) -> None:
    """What is written in MySQL's notation is read as the same set."""
    assert GtidSet.parse(str(build(gtids))) == build(gtids)


@given(members, st.tuples(st.sampled_from(ORIGINS), st.integers(1, 30)))
def test_a_member_may_be_added_again(gtids: set[tuple[str, int]], more: tuple[str, int]) -> None:
    """Adding is idempotent, and a copy does not follow."""
    original = build(gtids)
    copy = original.copy()
    copy.add(*more)
    copy.add(*more)
    assert set(copy) == gtids | {more}
    assert set(original) == gtids


def test_mysqls_notation() -> None:
    """Spaces, newlines, capitals, single numbers, tags and overlaps are what MySQL may print or a person may write."""
    text = f"{A.upper()}:1-3:5:tag:1,\n {B}:7, {A}:4"
    assert str(GtidSet.parse(text)) == f"{A}:1-5:tag:1,{B}:7"
    assert split_gtid(f"{A}:tag:9") == (f"{A}:tag", 9)
    assert f"{A}:tag:1" in GtidSet.parse(text)


@pytest.mark.parametrize("text", ["x", A, f"{A}:", f"{A}:0", f"{A}:1-", f"{A}:UP!:1"])
def test_nonsense_is_refused(text: str) -> None:
    """Text that is no GTID set is an error, not an empty set."""
    with pytest.raises(ValueError, match="is not a GTID set"):
        GtidSet.parse(text)


def test_binary_form_is_mysqls() -> None:
    """The bytes are those of a PREVIOUS_GTIDS event that MySQL 9.7 wrote."""
    uuid = "a65333b1-e821-11f1-8912-02fc00000001"
    tagged = GtidSet.parse(f"{uuid}:1-3:tagx:1")
    half = "a65333b1e82111f1891202fc00000001"
    assert tagged.encode().hex() == (
        "0102000000000001" + half + "00" + "0100000000000000" + "0100000000000000" + "0400000000000000"
        + half + "0874616778" + "0100000000000000" + "0100000000000000" + "0200000000000000"
    )  # fmt: skip
    plain = GtidSet.parse(f"{uuid}:1-3")
    assert (
        plain.encode().hex() == "0100000000000000" + half + "0100000000000000" + "0100000000000000" + "0400000000000000"
    )
