"""Sets of global transaction identifiers, tags included.

A GTID is `uuid:number` or `uuid:tag:number`; what stands before the number is here called the *origin*. A set keeps, for
each origin, sorted intervals [first, end) that neither overlap nor touch.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}")
_INTERVAL = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_TAGGED_FORMAT = 1

Interval = tuple[int, int]


def split_gtid(gtid: str) -> tuple[str, int]:
    """Return a GTID's origin and number."""
    origin, _, number = gtid.rpartition(":")
    return origin, int(number)


class GtidSet:
    """A set of GTIDs; changes in place by `add` and `update`, everything else leaves it as it is."""

    __slots__ = ("_intervals",)

    def __init__(self, intervals: dict[str, list[Interval]] | None = None) -> None:
        self._intervals: dict[str, list[Interval]] = intervals or {}

    @classmethod
    def parse(cls, text: str) -> GtidSet:
        """Read MySQL's notation (`uuid:1-3:5,uuid:tag:1`), in any order, with overlaps.

        Raises:
            ValueError: the text is not a GTID set.
        """
        result = cls()
        for part in filter(None, (part.strip().lower() for part in text.replace("\n", "").split(","))):
            uuid, *pieces = (piece.strip() for piece in part.split(":"))
            if not _UUID.fullmatch(uuid) or not pieces:
                message = f"{part!r} is not a GTID set"
                raise ValueError(message)
            origin = uuid
            for piece in pieces:
                if match := _INTERVAL.fullmatch(piece):
                    first = int(match[1])
                    last = int(match[2] or first)
                    if first < 1:
                        message = f"{part!r} is not a GTID set"
                        raise ValueError(message)
                    if last >= first:
                        result._insert(origin, first, last + 1)
                elif _TAG.fullmatch(piece):
                    origin = f"{uuid}:{piece}"
                else:
                    message = f"{part!r} is not a GTID set"
                    raise ValueError(message)
        return result

    def copy(self) -> GtidSet:
        """Return a set of its own with the same members."""
        return GtidSet({origin: list(intervals) for origin, intervals in self._intervals.items()})

    def add(self, origin: str, number: int) -> None:
        """Add one GTID; adding a member again changes nothing."""
        intervals = self._intervals.get(origin)
        if intervals and intervals[-1][1] == number:
            intervals[-1] = (intervals[-1][0], number + 1)
        else:
            self._insert(origin, number, number + 1)

    def add_gtid(self, gtid: str) -> None:
        """Add one GTID in its text form."""
        self.add(*split_gtid(gtid))

    def update(self, other: GtidSet) -> None:
        """Add all members of `other`."""
        for origin, intervals in other._intervals.items():
            for first, end in intervals:
                self._insert(origin, first, end)

    def _insert(self, origin: str, first: int, end: int) -> None:
        intervals = self._intervals.setdefault(origin, [])
        left = bisect_right(intervals, first, key=lambda interval: interval[0])
        if left and intervals[left - 1][1] >= first:
            left -= 1
            first = intervals[left][0]
        right = left
        while right < len(intervals) and intervals[right][0] <= end:
            end = max(end, intervals[right][1])
            right += 1
        intervals[left:right] = [(first, end)]

    def __contains__(self, gtid: str) -> bool:
        return self.contains(*split_gtid(gtid))

    def contains(self, origin: str, number: int) -> bool:
        """Whether the GTID is a member."""
        intervals = self._intervals.get(origin)
        if not intervals or number >= intervals[-1][1]:
            return False
        index = bisect_right(intervals, number, key=lambda interval: interval[0])
        return index > 0 and number < intervals[index - 1][1]

    def __le__(self, other: GtidSet) -> bool:
        """Whether every member is a member of `other`."""
        return not (self - other)

    def __sub__(self, other: GtidSet) -> GtidSet:
        """Return the members that `other` does not have."""
        result: dict[str, list[Interval]] = {}
        for origin, intervals in self._intervals.items():
            rest = _subtract(intervals, other._intervals.get(origin, []))
            if rest:
                result[origin] = rest
        return GtidSet(result)

    def __or__(self, other: GtidSet) -> GtidSet:
        """Return the members of both."""
        result = self.copy()
        result.update(other)
        return result

    def highest(self) -> dict[str, int]:
        """Return the highest number of each origin."""
        return {origin: intervals[-1][1] - 1 for origin, intervals in self._intervals.items() if intervals}

    def __len__(self) -> int:
        """Return how many members it has."""
        return sum(end - first for intervals in self._intervals.values() for first, end in intervals)

    def __bool__(self) -> bool:
        return any(self._intervals.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GtidSet):
            return NotImplemented
        return {k: v for k, v in self._intervals.items() if v} == {k: v for k, v in other._intervals.items() if v}

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield every member; meant for small sets."""
        for origin in sorted(self._intervals):
            for first, end in self._intervals[origin]:
                for number in range(first, end):
                    yield origin, number

    def __str__(self) -> str:
        """Write it as MySQL does: by uuid, untagged intervals first, then tag by tag."""
        by_uuid: dict[str, list[str]] = {}
        for origin in sorted(self._intervals):
            uuid, _, tag = origin.partition(":")
            pieces = [f"{first}-{end - 1}" if end - first > 1 else str(first) for first, end in self._intervals[origin]]
            if pieces:
                by_uuid.setdefault(uuid, []).extend([tag, *pieces] if tag else pieces)
        return ",".join(":".join([uuid, *pieces]) for uuid, pieces in by_uuid.items())

    def __repr__(self) -> str:
        return f"GtidSet({str(self)!r})"

    def encode(self) -> bytes:
        """Write the binary form that COM_BINLOG_DUMP_GTID takes."""
        origins = sorted(origin for origin, intervals in self._intervals.items() if intervals)
        tagged = any(":" in origin for origin in origins)
        head = len(origins)
        if tagged:
            head = _TAGGED_FORMAT | head << 8 | _TAGGED_FORMAT << 56
        parts = [struct.pack("<Q", head)]
        for origin in origins:
            uuid, _, tag = origin.partition(":")
            intervals = self._intervals[origin]
            parts.append(UUID(uuid).bytes)
            if tagged:
                parts.append(bytes([len(tag) << 1]) + tag.encode("ascii"))
            parts.append(struct.pack("<Q", len(intervals)))
            parts.extend(struct.pack("<QQ", first, end) for first, end in intervals)
        return b"".join(parts)


def _subtract(intervals: Iterable[Interval], removed: list[Interval]) -> list[Interval]:
    result: list[Interval] = []
    for start, end in intervals:
        first = start
        for removed_first, removed_end in removed:
            if removed_end <= first or removed_first >= end:
                continue
            if removed_first > first:
                result.append((first, removed_first))
            first = max(first, removed_end)
        if first < end:
            result.append((first, end))
    return result
