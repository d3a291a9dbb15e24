"""The window."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from isotherm_web.coalesce import Window


def test_first_change_leaves_at_once_and_the_next_waits() -> None:
    """After a quiet time a change need not wait; the next one leaves a window later."""
    window = Window(0.1)
    window.note(5.0)
    assert window.due_at == 5.0
    window.close(5.0)
    assert window.due_at is None
    window.note(5.03)
    window.note(5.07)
    assert window.due_at == 5.1


@given(st.lists(st.floats(0, 0.3), max_size=40))
def test_never_more_than_one_a_window(gaps: list[float]) -> None:
    """However changes arrive, deltas are a window apart and no change waits longer than one."""
    window, now, left = Window(0.1), 0.0, []
    for gap in gaps:
        now += gap
        if window.due_at is not None and window.due_at <= now:
            left.append(window.due_at)
            window.close(window.due_at)
        window.note(now)
        assert window.due_at is not None
        assert window.due_at <= now + 0.1 + 1e-9
    assert all(later - earlier >= 0.1 - 1e-9 for earlier, later in pairwise(left))
