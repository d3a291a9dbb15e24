"""The dashboard of the whole pipeline."""

from __future__ import annotations

from typing import Any

import limits
from limits import FAST, OBJECTIVES, SLOW
from panels import Limit, Query, Row, build, by, chosen, lines, number, p99, quantiles, rate
from shared_panels import age_of_data, cdc_lag, commit_to_broadcast, locations, since_last_success

_BUDGET_TEXTS = (
    "How fast the budget for an old map burns: 1 spends exactly the 30 days' budget of 1 % of the time.",
    "How fast the budget for late changes burns: 1 spends exactly the 30 days' budget of 1 % of the changes.",
    "How fast the budget for refused browsers burns: 1 spends exactly the 30 days' budget of 0.1 % of the connections.",
)


def pipeline() -> str:
    """Return the dashboard of the whole pipeline."""
    healthy: Row = (
        "Is it healthy?",
        [
            number(
                "Age of the map",
                "The oldest value that browsers show, as a share of the age from which on the page calls it old.",
                "percentunit",
                f"max({chosen('isotherm_web_data_age_oldest_seconds')} / {chosen('isotherm_web_stale_after_seconds')})",
                Limit(limits.MAP_STALE_RATIO),
            ),
            number(
                "Map filled",
                "Cells with data of all cells.",
                "percentunit",
                f"min({chosen('isotherm_web_cells_filled')} / {chosen('isotherm_web_cells')})",
                Limit(limits.MAP_FILLED_RATIO, below=True),
            ),
            commit_to_broadcast(),
            cdc_lag(),
            since_last_success(),
            number("Browsers", "Websockets open now.", "none", by("", chosen("isotherm_web_clients"))),
        ],
        False,
    )
    objectives: Row = (
        "Objectives",
        [_budget(objective, text) for objective, text in zip(OBJECTIVES, _BUDGET_TEXTS, strict=True)],
        False,
    )
    where: Row = (
        "Where is the time going?",
        [
            lines(
                "Commit to MongoDB and to broadcast, p99",
                "How long a change takes to be in MongoDB, and to be handed to the browsers.",
                "s",
                Query(p99("isotherm_cdc_commit_to_mongodb_seconds"), "in MongoDB"),
                Query(p99("isotherm_web_commit_to_broadcast_seconds"), "broadcast"),
                limit=Limit(limits.BROADCAST_SECONDS),
            ),
            lines(
                "Open-Meteo's answers, p50 and p99",
                "How long requests to Open-Meteo take.",
                "s",
                *[
                    query
                    for query in quantiles("isotherm_fetcher_upstream_latency_seconds")
                    if query.legend in {"p50", "p99"}
                ],
            ),
            lines(
                "Batches between CDC and web",
                "Batches that the CDC has committed and a web server has not applied; steadily above 0 is a web server behind.",
                "none",
                Query(
                    f"max({chosen('isotherm_cdc_seq')}) - min({chosen('isotherm_web_seq')})",
                    "the slowest web server",
                ),
            ),
        ],
        False,
    )
    flow: Row = (
        "What flows",
        [
            lines(
                "Points stored",
                "Weather points that runs stored, per second.",
                "ops",
                Query(by("", rate("isotherm_fetcher_points_stored_total")), "stored"),
                Query(by("", rate("isotherm_fetcher_points_failed_total")), "failed"),
            ),
            lines(
                "Row changes",
                "Changes that the CDC wrote to MongoDB, per second.",
                "ops",
                Query(by("operation", rate("isotherm_cdc_events_total")), "{{operation}}"),
            ),
            lines(
                "Bytes to browsers",
                "What is handed to browsers, per second.",
                "Bps",
                Query(by("", rate("isotherm_web_sent_bytes_total")), "sent"),
            ),
        ],
        False,
    )
    fresh: Row = (
        "How fresh is the map?",
        [
            age_of_data(width=12),
            locations(width=12),
        ],
        False,
    )
    return build(
        "isotherm-pipeline",
        "Isotherm / Pipeline",
        "From Open-Meteo to the browsers: is it healthy, where is the time going, how fresh is the map?",
        '{__name__=~"isotherm_(fetcher_exporter_refresh_timestamp_seconds|cdc_connected|web_seq)"}',
        [healthy, objectives, where, flow, fresh],
    )


def _budget(objective: limits.Objective, description: str) -> Any:
    windows = sorted({burn.long for burn in (*FAST, *SLOW)}, key=limits.WINDOWS.index)
    queries = [
        Query(
            f'max(isotherm:slo_{objective.name}:error_ratio_{window}{{namespace=~"$namespace"}}) / {objective.budget:g}',
            f"over {window}",
        )
        for window in windows
    ]
    title = f"{objective.title}: burn rate"
    return lines(title, description, "none", *queries, limit=Limit(FAST[0].rate))
