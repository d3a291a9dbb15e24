from __future__ import annotations

import pytest

from isotherm_fetcher import __version__, planner
from isotherm_fetcher.__main__ import main
from isotherm_fetcher.dry_run import lines
from isotherm_fetcher.locations import Changes
from isotherm_fetcher.planner import Policy
from isotherm_fetcher.quota import Ledger, Limits
from isotherm_fetcher.rows import Location

NOON = 1_795_521_600.0


def ended(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any setting."""
    assert ended("--version") == 0
    assert capsys.readouterr().out == f"isotherm-fetcher {__version__}\n"


@pytest.mark.contract("E3", "E4")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--watch", "soon"], "'soon' is no duration"),
        (["--watch", "1m", "--dry-run"], "not allowed with argument"),
        (["exporter", "--dry-run"], "--dry-run and --watch do not go with exporter"),
        (["fetch"], "invalid choice: 'fetch'"),
    ],
)
def test_wrong_arguments_are_a_configuration_mistake(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 64 and one sentence."""
    assert ended(*arguments) == 64
    assert sentence in capsys.readouterr().err


@pytest.mark.contract("E3", "E4")
def test_missing_settings_are_a_configuration_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 64, each in a sentence."""
    monkeypatch.setattr("os.environ", {"FETCHER_REGION": "mars"})
    assert ended() == 64
    told = capsys.readouterr().err
    assert "MYSQL_USER is not set" in told
    assert "FETCHER_REGION must be one of" in told


def test_a_dry_run_says_what_would_be_asked_when_and_at_which_cost() -> None:
    """The plan in words, with the quota that is left."""
    policy = Policy(Limits(600, 5000, 10_000))
    locations = [Location(number, 0.0, 0.0, None if number <= 512 else NOON - 6 * 3600) for number in range(612)]
    made = planner.plan(NOON, locations, Ledger(), policy)
    told = list(lines("global", Changes(deactivate=(1, 2)), made, Ledger(), policy, NOON, None))
    assert told[0] == "Region global: 612 locations (0 new, 0 come back, 2 leave)"
    assert (
        told[1] == "Quota: 600 of 600 left of the minute, 5000 of 5000 left of the hour, 10000 of 10000 left of the day"
    )
    assert told[2].startswith("Plan: sweep: ")
    assert told[3].startswith("  request 1, at once: 100 points, ")
    assert told[9].startswith("  request 7, at 12:01:01 UTC: 12 points, ")
    assert told[10] == "Cost: 612; left for later runs: 0 points"


def test_a_dry_run_says_what_keeps_the_run_from_asking() -> None:
    """A spent day, or an upstream that refuses to answer."""
    policy = Policy(Limits(600, 5000, 10_000))
    ledger = Ledger({int(NOON // 60) - 300: 10_000.0})
    made = planner.plan(NOON, [Location(1, 0.0, 0.0)], ledger, policy)
    assert list(lines("r", Changes(), made, ledger, policy, NOON, None))[-1] == (
        "Nothing more is left of the day: the run would end with exit code 75"
    )
    assert list(lines("r", Changes(), made, ledger, policy, NOON, NOON + 60))[-1] == (
        "Open-Meteo refuses to answer until 12:01:00 UTC: the run would end at once"
    )
