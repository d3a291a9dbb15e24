"""Panels that stand on more than one dashboard."""

from __future__ import annotations

from typing import Any

import limits
from panels import Limit, Query, chosen, lines, number, p99


def commit_to_broadcast() -> Any:
    """Return how long a change takes to reach the browsers."""
    return number(
        "Commit to broadcast, p99",
        "From the commit in MySQL until all browsers have been handed the change.",
        "s",
        p99("isotherm_web_commit_to_broadcast_seconds"),
        Limit(limits.BROADCAST_SECONDS),
    )


def cdc_lag() -> Any:
    """Return how far MongoDB is behind MySQL."""
    return number(
        "CDC lag",
        "How far MongoDB is behind MySQL, by the source's commit times; 0 when nothing waits.",
        "s",
        f"max({chosen('isotherm_cdc_lag_seconds')})",
        Limit(limits.CDC_LAG_SECONDS),
    )


def since_last_success() -> Any:
    """Return how long ago a run was a success."""
    return number(
        "Since the last success",
        "Since a run of the fetcher stored what it had asked for.",
        "s",
        f"time() - max({chosen('isotherm_fetcher_last_success_timestamp_seconds')})",
        Limit(limits.FETCH_NO_SUCCESS_SECONDS),
    )


def age_of_data(width: int = 8) -> Any:
    """Return how old what the web servers show is, over time."""
    return lines(
        "Age of the data",
        "Of the oldest and newest value, by their valid times, as the web servers have them.",
        "s",
        Query(f"max({chosen('isotherm_web_data_age_oldest_seconds')})", "oldest"),
        Query(f"min({chosen('isotherm_web_data_age_newest_seconds')})", "newest"),
        Query(f"min({chosen('isotherm_web_stale_after_seconds')})", "called old from"),
        width=width,
    )


def locations(width: int = 8) -> Any:
    """Return how much of the region has data, over time."""
    return lines(
        "Locations",
        "Of the region, with data, and with simulated data.",
        "none",
        Query(f"max({chosen('isotherm_fetcher_locations_wanted')})", "wanted"),
        Query(f"max({chosen('isotherm_fetcher_locations_with_data')})", "with data"),
        Query(f"max({chosen('isotherm_fetcher_locations_simulated')})", "simulated"),
        width=width,
    )
