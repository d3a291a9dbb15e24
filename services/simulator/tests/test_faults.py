from __future__ import annotations

from typing import Any

import pytest

from isotherm_simulator.errors import BadRequestError
from isotherm_simulator.faults import ENDINGS, KINDS, Fault, FaultBox, read


def kinds(box: FaultBox) -> list[str]:
    return [fault.kind for fault in box.draw()]


def test_a_counted_fault_happens_so_often_and_is_gone() -> None:
    """And what happened stays counted."""
    box = FaultBox()
    box.add(Fault("overloaded", count=2))
    assert [kinds(box) for _ in range(3)] == [["overloaded"], ["overloaded"], []]
    assert box.listed() == []
    assert box.happened == {"overloaded": 2}


def test_a_fault_without_a_count_stays_until_it_is_cleared() -> None:
    """By its id, or all together."""
    box = FaultBox()
    first, second = box.add(Fault("garbage"))["id"], box.add(Fault("slow"))["id"]
    assert [kinds(box) for _ in range(3)] == [["garbage", "slow"]] * 3
    assert box.clear(first)
    assert not box.clear(first)
    assert [fault["id"] for fault in box.listed()] == [second]
    assert box.clear()
    assert kinds(box) == []


def test_a_request_ends_in_one_way_only_and_the_other_waits() -> None:
    """Counts are spent one request after the other."""
    box = FaultBox()
    box.add(Fault("minutely_limit", count=1))
    box.add(Fault("overloaded", count=1))
    box.add(Fault("nulls", count=2))
    assert [kinds(box) for _ in range(3)] == [["minutely_limit", "nulls"], ["overloaded", "nulls"], []]


def test_probability_is_drawn_from_the_seed() -> None:
    """The same seed meets the same faults."""
    boxes = [FaultBox(7), FaultBox(7), FaultBox(8)]
    for box in boxes:
        box.add(Fault("drop", probability=0.3))
    one, same, other = ([kinds(box) for _ in range(200)] for box in boxes)
    assert one == same != other
    assert 30 < one.count(["drop"]) < 90


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_read(kind: str) -> None:
    """With its defaults."""
    assert read({"kind": kind}) == Fault(kind)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (None, "one of minutely_limit"),
        ({"kind": "earthquake"}, "one of minutely_limit"),
        ({"kind": "slow", "colour": 1}, "no 'colour'"),
        ({"kind": "slow", "count": 0}, "whole number of at least 1"),
        ({"kind": "slow", "count": True}, "whole number of at least 1"),
        ({"kind": "slow", "count": 1.5}, "whole number of at least 1"),
        ({"kind": "slow", "probability": 1.1}, "'probability' must be a number from 0 to 1"),
        ({"kind": "slow", "seconds": "x"}, "'seconds' must be a number"),
        ({"kind": "slow", "fraction": -1}, "'fraction' must be a number"),
    ],
)
def test_what_is_no_fault_is_refused(document: Any, sentence: str) -> None:
    """One sentence says what is wrong."""
    with pytest.raises(BadRequestError, match=sentence):
        read(document)


def test_values_are_taken_away_but_never_times() -> None:
    """From the present and from series, a share of them."""
    answer = {
        "latitude": 1.0,
        "current": {"time": 1, "interval": 900, "a": 1.0},
        "hourly": {"time": list(range(1000)), "a": [1.0] * 1000},
    }
    FaultBox().take_away([answer], 0.25)
    assert 150 < answer["hourly"]["a"].count(None) < 350  # type: ignore[index]
    assert answer["hourly"]["time"] == list(range(1000))  # type: ignore[index]
    assert answer["latitude"] == 1.0
    everything = {"current": {"time": 1, "interval": 900, "a": 1.0}}
    FaultBox().take_away([everything], 1.0)
    assert everything["current"] == {"time": 1, "interval": 900, "a": None}


def test_endings_and_additions_are_all_kinds() -> None:
    """Nothing is both."""
    assert len(set(KINDS)) == len(KINDS) == len(ENDINGS) + 2
