"""The series in memory against a database that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isotherm_web.courses import Courses

if TYPE_CHECKING:
    from isotherm_web.hub import Hub


class Database:
    """Documents with their seq, and tombstones."""

    def __init__(self) -> None:
        self.documents: dict[int, int] = {}
        self.tombstones: dict[int, int] = {}
        self.asked: list[int] = []

    async def forecasts(self, after_seq: int) -> tuple[list[dict[str, Any]], list[int]]:
        """Return what has changed."""
        self.asked.append(after_seq)
        changed = [
            {"_id": identity, "valid_at": [seq], "temperature_2m": [0.1 * seq], "_cdc": {"seq": seq}}
            for identity, seq in self.documents.items()
            if seq > after_seq
        ]
        return changed, [identity for identity, seq in self.tombstones.items() if seq > after_seq]


async def test_only_changes_are_read(hub: Hub) -> None:
    """After the first time only what is newer is read; deletes are taken out; a purge of tombstones reads all anew."""
    database, now = Database(), 0.0
    courses = Courses(database, hub, clock=lambda: now)  # type: ignore[arg-type]

    async def known() -> dict[int, int]:
        return {identity: course.valid_at[0] for identity, course in (await courses.current()).items()}

    database.documents = {1: 40, 2: 41}
    assert await known() == {1: 40, 2: 41}
    assert courses.seq == 41
    assert await known() == {1: 40, 2: 41}
    database.documents, database.tombstones = {1: 42}, {2: 42}
    hub.state.seq = 42
    assert await known() == {1: 40, 2: 41}
    now = 10.0
    assert await known() == {1: 42}
    assert (courses.seq, database.asked) == (42, [-1, 41])
    hub.state.seq = hub.state.resume_floor = 50
    database.documents, database.tombstones = {3: 45}, {}
    now = 20.0
    assert await known() == {3: 45}
    assert database.asked == [-1, 41, -1]
