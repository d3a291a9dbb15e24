"""The fetcher's settings: the only module that reads the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - `load` resolves the annotations at run time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from isotherm_common.observability import ObservabilitySettings
from isotherm_common.process import ConfigurationError
from isotherm_common.settings import LogSettings, MysqlSettings, Secret, group, setting
from isotherm_common.tracing import TracingSettings
from isotherm_fetcher import query, regions
from isotherm_fetcher.planner import Policy
from isotherm_fetcher.quota import Limits

if TYPE_CHECKING:
    from isotherm_fetcher.rows import Place

_FREE = Limits(minute=600, hour=5_000, day=10_000)
_CUSTOMER = Limits(day=32_000)
_UNLIMITED = Limits()


def _box_problem(text: str) -> str | None:
    try:
        regions.parse_box(text)
    except ValueError as error:
        return str(error)
    return None


def _region_problem(name: str) -> str | None:
    return None if name in regions.PRESETS else f"must be one of {', '.join(regions.PRESETS)}, not {name!r}"


def _url_problem(text: str) -> str | None:
    try:
        url = urlsplit(text)
        good = url.scheme in {"http", "https"} and bool(url.hostname) and not url.query
    except ValueError:
        good = False
    return None if good else f"must be an http or https address such as https://api.open-meteo.com, not {text!r}"


@dataclass(frozen=True)
class RegionSettings:
    """Which locations are fetched. A file of places comes before a bounding box, a bounding box before a preset."""

    name: str = setting(
        "FETCHER_REGION",
        default="global",
        check=_region_problem,
        help="A preset: global (every 10 degrees, 612 points), africa, asia, europe, north-america, oceania, south-america.",
    )
    bounding_box: str | None = setting(
        "FETCHER_BOUNDING_BOX",
        default=None,
        check=_box_problem,
        help="south,west,north,east in degrees, instead of a preset; it may cross the antimeridian.",
    )
    step_degrees: float | None = setting(
        "FETCHER_STEP_DEGREES",
        default=None,
        minimum=0.01,
        maximum=90,
        help="The distance between points in degrees; the preset's own, or 1 in a bounding box, when not set.",
    )
    places_file: Path | None = setting(
        "FETCHER_PLACES_FILE",
        default=None,
        help="A CSV file of places with the header name,latitude,longitude, instead of a grid.",
    )

    def __post_init__(self) -> None:
        if self.places_file is not None and (self.bounding_box is not None or self.step_degrees is not None):
            message = "FETCHER_PLACES_FILE cannot be combined with FETCHER_BOUNDING_BOX or FETCHER_STEP_DEGREES."
            raise ValueError(message)

    def places(self) -> tuple[Place, ...]:
        """Return the locations.

        Raises:
            ConfigurationError: the file cannot be used, or there are too many points.
        """
        if self.places_file is not None:
            return _read_places_file(self.places_file)
        preset = regions.PRESETS[self.name]
        if self.bounding_box is not None:
            return regions.grid(regions.Grid(regions.parse_box(self.bounding_box), self.step_degrees or 1.0))
        return regions.grid(regions.Grid(preset.box, self.step_degrees or preset.step_degrees))

    @property
    def label(self) -> str:
        """What the region is called in logs."""
        if self.places_file is not None:
            return self.places_file.name
        return self.bounding_box or self.name


def _read_places_file(path: Path) -> tuple[Place, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return regions.read_places(file, f"FETCHER_PLACES_FILE {path}")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        message = f"FETCHER_PLACES_FILE names {str(path)!r}, which cannot be read: {reason}."
        raise ConfigurationError(message) from error


@dataclass(frozen=True)
class OpenMeteoSettings:
    """Where the weather comes from."""

    url: str = setting(
        "OPEN_METEO_URL",
        default="https://api.open-meteo.com",
        check=_url_problem,
        help="The server: Open-Meteo's free host, its customers' host, one of your own, or the simulator.",
    )
    api_key: Secret | None = setting("OPEN_METEO_API_KEY", default=None, help="The key of a customer of Open-Meteo.")
    timeout_seconds: float = setting(
        "OPEN_METEO_TIMEOUT_SECONDS", default=30.0, minimum=0.1, maximum=600, help="How long one answer may take."
    )

    def __post_init__(self) -> None:
        if self.api_key is not None and self._host == "api.open-meteo.com":
            message = "OPEN_METEO_API_KEY needs OPEN_METEO_URL=https://customer-api.open-meteo.com: the free host takes no key."
            raise ValueError(message)

    @property
    def _host(self) -> str:
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def public(self) -> bool:
        """Whether it is one of Open-Meteo's own hosts: those have quotas, and their weather is not simulated."""
        return self._host == "open-meteo.com" or self._host.endswith(".open-meteo.com")

    @property
    def default_limits(self) -> Limits:
        """The quota of the host: the free one's, a customer's million a month, or none where the host is your own."""
        if not self.public:
            return _UNLIMITED
        return _FREE if self.api_key is None else _CUSTOMER


@dataclass(frozen=True)
class QuotaSettings:
    """What may be spent. A point costs 1."""

    per_minute: int | None = setting(
        "FETCHER_QUOTA_PER_MINUTE",
        default=None,
        minimum=0,
        help="Points a minute, 0 for no limit. When not set: 600 on Open-Meteo's free host, else no limit.",
    )
    per_hour: int | None = setting(
        "FETCHER_QUOTA_PER_HOUR",
        default=None,
        minimum=0,
        help="Points an hour, 0 for no limit. When not set: 5000 on Open-Meteo's free host, else no limit.",
    )
    per_day: int | None = setting(
        "FETCHER_QUOTA_PER_DAY",
        default=None,
        minimum=0,
        help="Points a UTC day, 0 for no limit. When not set: 10000 on Open-Meteo's free host, 32000 with a customer's key (a "
        "million a month), else no limit.",
    )

    def limits(self, defaults: Limits) -> Limits:
        """Return the limits, with those of the host where none are set."""

        def chosen(value: int | None, default: int | None) -> int | None:
            return default if value is None else value or None

        return Limits(
            minute=chosen(self.per_minute, defaults.minute),
            hour=chosen(self.per_hour, defaults.hour),
            day=chosen(self.per_day, defaults.day),
        )


@dataclass(frozen=True)
class RetentionSettings:
    """How long data is kept. The fetcher is the only one that deletes."""

    history_hours: int = setting(
        "FETCHER_HISTORY_RETENTION_HOURS", default=72, minimum=1, help="How long the history of a location is kept."
    )
    runs_hours: int = setting(
        "FETCHER_RUNS_RETENTION_HOURS",
        default=30 * 24,
        minimum=48,
        help="How long the record of runs is kept; the quota spent is in it, hence two days at least.",
    )


@dataclass(frozen=True)
class FetcherObservabilitySettings(ObservabilitySettings):
    """Where the exporter serves its metrics and health."""

    port: int = setting("METRICS_PORT", default=9101, minimum=0, maximum=65535, help="Their port; 0: any free one.")


@dataclass(frozen=True)
class Settings:
    """Everything."""

    interval_seconds: int = setting(
        "FETCHER_INTERVAL_SECONDS",
        default=600,
        minimum=1,
        maximum=86_400,
        help="From one run to the next, as the schedule has it: it decides a run's share of the quota.",
    )
    stale_after_seconds: int = setting(
        "FETCHER_STALE_AFTER_SECONDS",
        default=3 * 3600,
        minimum=60,
        help="Data older than this is stale; when most of it is, everything stale is fetched at once. Twice the time in which "
        "the quota goes round all locations counts instead when that is longer.",
    )
    runner_wait_seconds: float = setting(
        "FETCHER_RUNNER_WAIT_SECONDS",
        default=2.0,
        minimum=0,
        maximum=3600,
        help="How long a run waits for the end of another one that is at work in the same database; then it gives way.",
    )
    points_per_request: int = setting(
        "FETCHER_POINTS_PER_REQUEST",
        default=100,
        minimum=1,
        maximum=10_000,
        help="Locations in one request. Open-Meteo allows 1000 on its free host; what fails, fails together.",
    )
    region: RegionSettings = group(RegionSettings)
    quota: QuotaSettings = group(QuotaSettings)
    retention: RetentionSettings = group(RetentionSettings)
    open_meteo: OpenMeteoSettings = group(OpenMeteoSettings)
    mysql: MysqlSettings = group(MysqlSettings)
    log: LogSettings = group(LogSettings)
    observability: FetcherObservabilitySettings = group(FetcherObservabilitySettings)
    tracing: TracingSettings = group(TracingSettings)

    @property
    def limits(self) -> Limits:
        """The quota in force."""
        return self.quota.limits(self.open_meteo.default_limits)

    def policy(self, interval_seconds: float | None = None) -> Policy:
        """Return what plans obey.

        Args:
            interval_seconds: from one run to the next, when it is not the schedule's.
        """
        return Policy(
            limits=self.limits,
            interval_seconds=interval_seconds or self.interval_seconds,
            stale_after_seconds=self.stale_after_seconds,
            points_per_request=self.points_per_request,
            weight_of_point=query.WEIGHT_OF_POINT,
        )
