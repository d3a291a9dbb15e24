from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_fetcher import query
from isotherm_fetcher.quota import SECONDS, Ledger, Limits, WindowName, weight_of_point, window_end, window_start

NOW = 1_795_534_207.25  # 2026-11-24T15:30:07Z
times = st.floats(min_value=1_700_000_000, max_value=1_900_000_000)
windows = st.sampled_from(tuple(SECONDS))


@pytest.mark.parametrize(
    ("variables", "days", "models", "weight"),
    [(1, 1, 1, 1.0), (10, 14, 1, 1.0), (11, 7, 1, 1.1), (10, 28, 1, 2.0), (20, 28, 1, 4.0), (10, 7, 2, 2.0)],
)
def test_a_location_weighs_by_its_variables_models_and_days(
    variables: int, days: float, models: int, weight: float
) -> None:
    """Ten variables and fourteen days are included; beyond them the weight grows in proportion."""
    assert weight_of_point(variables, days, models) == pytest.approx(weight)


def test_what_the_fetcher_asks_for_weighs_one() -> None:
    """An eleventh variable would cost a tenth of every day's locations."""
    assert query.WEIGHT_OF_POINT == 1.0


@given(times, windows)
def test_windows_are_fixed_on_the_clock(now: float, window: WindowName) -> None:
    """A window begins at a multiple of its length and ends where the next begins."""
    start, end = window_start(now, window), window_end(now, window)
    assert start <= now < end
    assert start % SECONDS[window] == 0
    assert end - start == SECONDS[window]


@given(st.lists(st.tuples(st.floats(min_value=0, max_value=90_000), st.integers(1, 50)), max_size=40), windows)
def test_what_is_left_is_the_limit_less_what_was_spent_in_the_window(
    spendings: list[tuple[float, int]], window: WindowName
) -> None:
    """Earlier windows do not count, whatever was spent in them."""
    ledger = Ledger()
    for ago, weight in spendings:
        ledger.charge(NOW - ago, weight)
    expected = sum(weight for ago, weight in spendings if NOW - ago >= window_start(NOW, window))
    assert ledger.spent(NOW, window) == expected
    assert ledger.left(NOW, window, Limits(600, 600, 600)) == max(0, 600 - expected)


@given(st.lists(st.dictionaries(st.integers(0, 3000), st.integers(1, 600), max_size=5), max_size=8))
def test_the_ledger_of_several_runs_is_the_sum_of_them(runs: list[dict[int, int]]) -> None:
    """What every run spent is remembered by the minute, in the form in which the table has it."""
    ledger = Ledger.of_runs({str(minute): float(weight) for minute, weight in run.items()} for run in runs)
    assert sum(ledger.by_minute.values()) == sum(sum(run.values()) for run in runs)
    assert ledger.by_minute.keys() == {minute for run in runs for minute in run}


def test_what_is_taken_back_never_makes_a_minute_negative() -> None:
    """A failed request gives back what it did not cost, and no more than was charged."""
    ledger = Ledger()
    ledger.charge(NOW, 100)
    ledger.charge(NOW, -99)
    assert ledger.spent(NOW, "minute") == 1
    ledger.charge(NOW, -5)
    assert ledger.spent(NOW, "minute") == 0


def test_a_window_without_a_limit_is_never_empty() -> None:
    """A host of one's own has no quota."""
    ledger = Ledger()
    ledger.charge(NOW, 1e9)
    assert ledger.left(NOW, "day", Limits(minute=600)) == math.inf
    assert Limits(minute=600, day=10).limited == ("minute", "day")
