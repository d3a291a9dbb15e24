"""Unix seconds, in which this service reckons, and the DATETIMEs of the tables."""

from __future__ import annotations

from datetime import UTC, datetime


def to_datetime(seconds: float) -> datetime:
    """Return Unix seconds as MySQL stores them: UTC without saying so."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def to_seconds(value: datetime | None) -> float | None:
    """Return a DATETIME as Unix seconds."""
    return None if value is None else value.replace(tzinfo=UTC).timestamp()
