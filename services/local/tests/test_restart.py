"""When a process that died is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isotherm_common.process import ExitCode
from isotherm_local.restart import RestartPolicy, RestartState, describe_exit, is_final

POLICY = RestartPolicy(initial_seconds=0.5, maximum_seconds=30, healthy_after_seconds=60)


def test_the_wait_doubles_with_each_death_up_to_the_longest() -> None:
    """A process that dies at once does not keep the machine busy."""
    state, waits = RestartState(), []
    for _ in range(9):
        state, wait = state.died(1, POLICY)
        waits.append(wait)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_process_that_ran_well_starts_soon_again() -> None:
    """One death after an hour is no series."""
    state = RestartState(deaths=7, total=7)
    state, wait = state.died(61, POLICY)
    assert (state.deaths, state.total, wait) == (1, 8, 0.5)


@given(st.lists(st.floats(0, 1000), max_size=200))
def test_no_history_leads_outside_the_bounds(runs: list[float]) -> None:
    """However long the runs were, the wait is between the first and the longest, and every death is counted."""
    state = RestartState()
    for seconds in runs:
        state, wait = state.died(seconds, POLICY)
        assert POLICY.initial_seconds <= wait <= POLICY.maximum_seconds
    assert state.total == len(runs)


def test_only_a_mistake_in_the_settings_is_final() -> None:
    """Everything else may pass."""
    assert is_final(ExitCode.CONFIGURATION)
    assert not any(is_final(code) for code in (0, 1, -9, ExitCode.INTERNAL, ExitCode.TRY_AGAIN_LATER))


def test_an_end_is_told_in_words() -> None:
    """A signal is not an exit code."""
    assert describe_exit(-9) == "was ended by signal 9"
    assert describe_exit(70) == "ended with exit code 70"
