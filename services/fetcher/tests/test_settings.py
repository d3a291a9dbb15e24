from __future__ import annotations

from pathlib import Path  # noqa: TC003 - a fixture's type

import pytest

from isotherm_common.settings import SettingsError, load, variables
from isotherm_fetcher.quota import Limits
from isotherm_fetcher.settings import Settings

BASE = {"MYSQL_USER": "u", "MYSQL_PASSWORD": "p"}


def loaded(**environ: str) -> Settings:
    return load(Settings, BASE | environ)


@pytest.mark.parametrize(
    ("environ", "limits"),
    [
        ({}, Limits(600, 5000, 10_000)),
        ({"OPEN_METEO_URL": "http://127.0.0.1:8090"}, Limits()),
        ({"OPEN_METEO_URL": "https://notopen-meteo.com"}, Limits()),
        ({"OPEN_METEO_URL": "https://customer-api.open-meteo.com", "OPEN_METEO_API_KEY": "k"}, Limits(day=32_000)),
        ({"FETCHER_QUOTA_PER_MINUTE": "0", "FETCHER_QUOTA_PER_DAY": "500"}, Limits(None, 5000, 500)),
        ({"OPEN_METEO_URL": "http://mine", "FETCHER_QUOTA_PER_HOUR": "70"}, Limits(hour=70)),
    ],
)
def test_the_quota_is_the_hosts_unless_it_is_set(environ: dict[str, str], limits: Limits) -> None:
    """Open-Meteo's free host has its windows, a customer a million a month, a host of one's own none; 0 is no limit."""
    assert loaded(**environ).limits == limits


def test_a_region_is_a_preset_a_box_or_a_file(tmp_path: Path) -> None:
    """A file comes before a box, a box before a preset; a step refines a grid."""
    file = tmp_path / "places.csv"
    file.write_text("name,latitude,longitude\nBerlin,52.52,13.405\n", encoding="utf-8")
    assert len(loaded().region.places()) == 612
    assert len(loaded(FETCHER_STEP_DEGREES="20").region.places()) == 9 * 18
    assert len(loaded(FETCHER_BOUNDING_BOX="50,10,52,13").region.places()) == 12
    region = loaded(FETCHER_PLACES_FILE=str(file)).region
    assert [place.name for place in region.places()] == ["Berlin"]
    assert [loaded().region.label, region.label] == ["global", "places.csv"]


@pytest.mark.contract("E1", "E3")
def test_all_mistakes_are_told_at_once() -> None:
    """One sentence each, with the name of the setting."""
    with pytest.raises(SettingsError) as caught:
        load(
            Settings,
            {
                "MYSQL_USER": "u",
                "FETCHER_REGION": "mars",
                "FETCHER_BOUNDING_BOX": "9,9",
                "FETCHER_INTERVAL_SECONDS": "0",
                "OPEN_METEO_URL": "ftp://x",
            },
        )
    names = [problem.split()[0] for problem in caught.value.problems]
    assert sorted(names) == [
        "FETCHER_BOUNDING_BOX",
        "FETCHER_INTERVAL_SECONDS",
        "FETCHER_REGION",
        "MYSQL_PASSWORD",
        "OPEN_METEO_URL",
    ]


@pytest.mark.parametrize(
    ("environ", "wrong"),
    [
        ({"OPEN_METEO_API_KEY": "k"}, "the free host takes no key"),
        ({"FETCHER_PLACES_FILE": "x", "FETCHER_BOUNDING_BOX": "1,2,3,4"}, "cannot be combined"),
        ({"OPEN_METEO_URL": "http://["}, "must be an http or https address"),
    ],
)
def test_settings_that_contradict_each_other_are_mistakes(environ: dict[str, str], wrong: str) -> None:
    """They are told before anything is asked for."""
    with pytest.raises(SettingsError, match=wrong):
        loaded(**environ)


def test_a_places_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    """The sentence names the setting, the file and the reason."""
    region = loaded(FETCHER_PLACES_FILE=str(tmp_path / "none.csv")).region
    with pytest.raises(Exception, match=r"FETCHER_PLACES_FILE names .*none.csv.*: No such file"):
        region.places()


@pytest.mark.contract("E1", "E6")
def test_names_and_ports_are_the_agreed_ones() -> None:
    """A service's own settings begin with its prefix; its metrics are on port 9101."""
    shared = ("MYSQL_", "LOG_", "METRICS_", "OTEL_")
    assert all(variable.name.startswith((*shared, "FETCHER_", "OPEN_METEO_")) for variable, _ in variables(Settings))
    assert loaded().observability.port == 9101


def test_the_key_is_not_shown() -> None:
    """A logged settings object tells no secret."""
    shown = repr(loaded(OPEN_METEO_URL="http://mine", OPEN_METEO_API_KEY="k3y", MYSQL_PASSWORD="s3cret"))
    assert "k3y" not in shown
    assert "s3cret" not in shown
