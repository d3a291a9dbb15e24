"""What is said while the map fills, and after."""

from __future__ import annotations

import io

from isotherm_local.progress import Message, Progress
from isotherm_local.terminal import Terminal
from isotherm_local.web_probe import Grid


def test_filling_is_counted_until_nearly_every_cell_is_there() -> None:
    """95 % is a whole map; before, each look gives the count."""
    progress = Progress(started=100.0)
    assert progress.see(101, 0, None, 0) == Message("filling: waiting for the first locations", is_status=True)
    assert progress.see(102, 0, Grid(312, 612, 1.0), 0) == Message("filling: 312 of 612 cells", is_status=True)
    assert not progress.full
    done = progress.see(141, 0, Grid(600, 612, 1.0), 0)
    assert done == Message("The map is there: 600 of 612 cells, 41 s after the start.", is_status=False)
    assert progress.full


def test_afterwards_a_summary_comes_now_and_then() -> None:
    """Not at each look; with the age of the newest data and the restarts, if there were any."""
    progress = Progress(started=0.0, summary_seconds=300)
    progress.see(10, 0, Grid(612, 612, 1.0), 0)
    assert progress.see(200, 1000, Grid(612, 612, 990), 0) is None
    assert progress.see(311, 1000, Grid(612, 612, 990), 0) == Message(
        "running: 612 of 612 cells, the newest data 10 s old", is_status=False
    )
    assert progress.see(400, 1000, None, 0) is None
    later = progress.see(620, 1000, Grid(612, 612, 995), 2)
    assert later is not None
    assert later.text.endswith(", 2 restarts of processes so far")


class Gone(io.StringIO):
    """A terminal that has been closed."""

    def write(self, _: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_stops_nothing() -> None:
    """The processes still have to be ended."""
    terminal = Terminal(Gone())
    terminal.line("Stopping …")
    terminal.status("filling")


def test_a_status_is_repeated_only_when_it_changes() -> None:
    """In a file each state is one line."""
    stream = io.StringIO()
    terminal = Terminal(stream)
    for text in ("a", "a", "b"):
        terminal.status(text)
    terminal.line("done")
    assert stream.getvalue() == "a\nb\ndone\n"
