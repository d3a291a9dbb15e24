"""The simulator's dashboard."""

from __future__ import annotations

from panels import Query, Row, build, by, lines, process_row, rate, spread


def simulator() -> str:
    """Return the simulator's dashboard."""
    answers: Row = (
        "Answers",
        [
            lines(
                "Requests by status",
                "Forecast requests per second.",
                "reqps",
                Query(by("status", rate("isotherm_simulator_requests_total")), "{{status}}"),
                width=12,
            ),
            lines(
                "Locations",
                "Locations whose weather was answered, per second.",
                "ops",
                Query(by("", rate("isotherm_simulator_locations_total")), "locations"),
                width=12,
            ),
            spread(
                "How long answers take",
                "Time to compute and write an answer.",
                "s",
                "isotherm_simulator_answer_seconds",
                width=12,
            ),
            lines(
                "Faults injected",
                "By kind, per second.",
                "ops",
                Query(by("kind", rate("isotherm_simulator_faults_total")), "{{kind}}"),
                width=12,
            ),
        ],
        False,
    )
    return build(
        "isotherm-simulator",
        "Isotherm / Simulator",
        "The simulated Open-Meteo of demonstrations and tests.",
        "isotherm_simulator_locations_total",
        [answers, process_row("simulator", "isotherm_simulator_locations_total")],
    )
