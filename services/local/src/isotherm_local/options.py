"""The options of `make up`: what a person types, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from isotherm_local.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

Source = Literal["open-meteo", "simulator"]
SOURCES: tuple[Source, ...] = ("open-meteo", "simulator")
REGIONS = ("global", "africa", "asia", "europe", "north-america", "oceania", "south-america")
"""The fetcher's presets; a test compares them with the fetcher's own."""

PAGE_PORT = 5000
DEFAULT_INTERVAL_SECONDS: Mapping[Source, int] = {"open-meteo": 600, "simulator": 60}
_UNITS = {"s": 1, "m": 60, "h": 3600}
_INTERVAL_SECONDS = (5, 86_400)


@dataclass(frozen=True)
class Options:
    """What a person may decide.

    Attributes:
        source: where the weather comes from; None: Open-Meteo if it can be reached.
        region: a preset of the fetcher, or `south,west,north,east`.
        interval_seconds: from one fetch to the next; None: what suits the source.
        port: the page's port.
    """

    source: Source | None = None
    region: str | None = None
    interval_seconds: int | None = None
    port: int = PAGE_PORT

    @property
    def region_settings(self) -> dict[str, str]:
        """The fetcher's settings for the region."""
        if self.region is None:
            return {}
        return {"FETCHER_BOUNDING_BOX" if "," in self.region else "FETCHER_REGION": self.region}


def parse(source: str = "", region: str = "", interval: str = "", port: str = "") -> Options:
    """Check what was typed; an empty word is an option that was not given.

    Raises:
        OptionError: with one sentence for each mistake.
    """
    problems: list[str] = []
    if source and source not in SOURCES:
        problems.append(f"SOURCE must be one of {', '.join(SOURCES)}, not {source!r}.")
    if region and region not in REGIONS and not _is_box(region):
        problems.append(
            f"REGION must be one of {', '.join(REGIONS)}, or south,west,north,east in degrees such as 35,-25,72.5,45, "
            f"not {region!r}."
        )
    interval_seconds = _interval(interval)
    if interval and interval_seconds is None:
        problems.append(f"INTERVAL must be from 5s to 24h, such as 30s, 10m or 1h, not {interval!r}.")
    number = int(port) if port.isascii() and port.isdigit() else None if port else PAGE_PORT
    if number is None or not 1 <= number <= 65_535:  # noqa: PLR2004 - the ports that there are
        problems.append(f"PORT must be a number from 1 to 65535, not {port!r}.")
    if problems:
        raise OptionError("\n".join(problems))
    return Options(cast("Source", source) if source else None, region or None, interval_seconds, number or PAGE_PORT)


def _interval(text: str) -> int | None:
    found = re.fullmatch(r"(\d{1,6})([smh]?)", text)
    if not found:
        return None
    seconds = int(found[1]) * _UNITS[found[2] or "s"]
    return seconds if _INTERVAL_SECONDS[0] <= seconds <= _INTERVAL_SECONDS[1] else None


def _is_box(text: str) -> bool:
    """Whether the fetcher can be asked about it; it checks the degrees itself."""
    return re.fullmatch(r"-?\d+(\.\d+)?(,-?\d+(\.\d+)?){3}", text) is not None
