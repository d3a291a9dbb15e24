"""How late the event loop is said to be."""

from isotherm_web.ticker import Lateness


def test_the_worst_of_the_last_ticks_counts() -> None:
    """A loop that was held up once is said to be late for fifteen ticks, however punctual the others are."""
    lateness = Lateness()
    assert lateness.worst_seconds(1.5) == 0.5
    assert [lateness.worst_seconds(1.0) for _ in range(15)] == [0.5] * 14 + [0.0]


def test_early_is_not_late() -> None:
    """Clocks may tick a little faster than the loop."""
    assert Lateness().worst_seconds(0.9) == 0.0
