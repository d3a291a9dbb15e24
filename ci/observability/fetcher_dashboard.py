"""The fetcher's dashboard."""

from __future__ import annotations

import limits
from panels import Limit, Query, Row, build, by, chosen, lines, number, process_row, rate, spread
from shared_panels import locations, since_last_success


def fetcher() -> str:
    """Return the fetcher's dashboard."""
    left = chosen("isotherm_fetcher_quota_left_points")
    healthy: Row = (
        "Is it healthy?",
        [
            since_last_success(),
            number(
                "Since the last run",
                "Since the newest run began; the schedule is every ten minutes.",
                "s",
                f"time() - max({chosen('isotherm_fetcher_last_run_timestamp_seconds')})",
                Limit(limits.FETCH_OVERDUE_SECONDS),
            ),
            number(
                "Stalest location",
                "Since the location was fetched whose data is oldest.",
                "s",
                f"time() - min({chosen('isotherm_fetcher_stalest_fetched_timestamp_seconds')})",
            ),
            number(
                "Locations with data",
                "Of the region's locations.",
                "percentunit",
                f"max({chosen('isotherm_fetcher_locations_with_data')}) / max({chosen('isotherm_fetcher_locations_wanted')})",
                Limit(limits.MAP_FILLED_RATIO, below=True),
            ),
            number(
                "Points failed",
                "Of the points asked for within the last hour.",
                "percentunit",
                f"sum(increase({chosen('isotherm_fetcher_points_failed_total', window='1h')})) / "
                f"sum(increase({chosen('isotherm_fetcher_points_asked_total', window='1h')}))",
                Limit(limits.POINTS_FAILED_RATIO),
            ),
            number(
                "Exporter's view",
                "How old it is what the exporter says.",
                "s",
                f"time() - max({chosen('isotherm_fetcher_exporter_refresh_timestamp_seconds')})",
                Limit(limits.EXPORTER_STALE_SECONDS),
            ),
        ],
        False,
    )
    runs: Row = (
        "Runs",
        [
            lines(
                "Runs by outcome",
                "Runs that ended, within the last hour.",
                "none",
                Query(
                    f"sum by (outcome) (increase({chosen('isotherm_fetcher_runs_total', window='1h')}))", "{{outcome}}"
                ),
            ),
            lines(
                "Outcome of the newest run",
                "1 for the outcome that the newest run has.",
                "none",
                Query(f"max by (outcome) ({chosen('isotherm_fetcher_last_run_outcome')})", "{{outcome}}"),
                stacked=True,
            ),
            lines(
                "Duration",
                "Of the newest run that ended, and on average.",
                "s",
                Query(f"max({chosen('isotherm_fetcher_last_run_duration_seconds')})", "newest"),
                Query(
                    f"{by('', rate('isotherm_fetcher_run_duration_seconds_sum'))} / "
                    f"{by('', rate('isotherm_fetcher_run_duration_seconds_count'))}",
                    "average",
                ),
            ),
            lines(
                "Points",
                "Asked for, stored and failed, per second.",
                "ops",
                Query(by("", rate("isotherm_fetcher_points_asked_total")), "asked"),
                Query(by("", rate("isotherm_fetcher_points_stored_total")), "stored"),
                Query(by("", rate("isotherm_fetcher_points_failed_total")), "failed"),
            ),
            lines(
                "Age of the data",
                "Of the stalest and the newest location, by the time of fetching, and of the newest model time.",
                "s",
                Query(f"time() - min({chosen('isotherm_fetcher_stalest_fetched_timestamp_seconds')})", "stalest"),
                Query(f"time() - max({chosen('isotherm_fetcher_newest_fetched_timestamp_seconds')})", "newest"),
                Query(
                    f"time() - max({chosen('isotherm_fetcher_newest_valid_timestamp_seconds')})", "newest model time"
                ),
            ),
            locations(),
        ],
        False,
    )
    upstream: Row = (
        "Open-Meteo and its quota",
        [
            lines(
                "Requests by status",
                "Per second; error: no whole answer.",
                "reqps",
                Query(by("status", rate("isotherm_fetcher_upstream_requests_total")), "{{status}}"),
            ),
            spread(
                "How long answers take",
                "Requests to Open-Meteo by their duration.",
                "s",
                "isotherm_fetcher_upstream_latency_seconds",
            ),
            lines(
                "Quota left",
                "Of each window; 0 while Open-Meteo refuses to answer. No line without a limit.",
                "percentunit",
                Query(
                    f"min by (window) ({left}) / max by (window) ({chosen('isotherm_fetcher_quota_limit_points')})",
                    "{{window}}",
                ),
            ),
            lines(
                "Quota spent",
                "Points that runs were charged for, per second.",
                "ops",
                Query(by("", rate("isotherm_fetcher_quota_spent_points_total")), "spent"),
            ),
            lines(
                "Refused for",
                "For how much longer Open-Meteo refuses to answer; 0 when it does not.",
                "s",
                Query(
                    f"clamp_min(max({chosen('isotherm_fetcher_quota_blocked_until_timestamp_seconds')}) - time(), 0)",
                    "refused",
                ),
                limit=Limit(1),
            ),
            lines(
                "Exporter's failed reads",
                "Attempts to read MySQL that failed, per second.",
                "ops",
                Query(rate("isotherm_fetcher_exporter_refresh_errors_total")),
            ),
        ],
        False,
    )
    return build(
        "isotherm-fetcher",
        "Isotherm / Fetcher",
        "Runs, quota and freshness, as the exporter reads them from MySQL.",
        "isotherm_fetcher_exporter_refresh_errors_total",
        [healthy, runs, upstream, process_row("fetcher's exporter", "isotherm_fetcher_exporter_refresh_errors_total")],
    )
