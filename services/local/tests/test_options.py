"""What a person types after `make up`."""

from __future__ import annotations

import pytest

from isotherm_fetcher import regions
from isotherm_local import options
from isotherm_local.errors import OptionError


def test_nothing_given_leaves_every_choice_open() -> None:
    """Empty words, as make passes them, are options that were not given."""
    assert options.parse("", "", "", "") == options.Options(None, None, None, 5000)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("1h", 3600), ("45", 45)])
def test_an_interval_has_a_unit_or_is_in_seconds(text: str, seconds: int) -> None:
    """Seconds, minutes and hours are understood."""
    assert options.parse(interval=text).interval_seconds == seconds


@pytest.mark.parametrize("text", ["1s", "25h", "soon", "-5m", "5 m", "9999999s"])
def test_an_interval_that_cannot_work_is_refused(text: str) -> None:
    """The sentence says what an interval looks like."""
    with pytest.raises(OptionError, match="INTERVAL must be from 5s to 24h"):
        options.parse(interval=text)


def test_every_mistake_is_reported_at_once() -> None:
    """One sentence a line for each wrong option."""
    with pytest.raises(OptionError) as caught:
        options.parse("moon", "atlantis", "x", "70000")
    assert [line.split()[0] for line in str(caught.value).splitlines()] == ["SOURCE", "REGION", "INTERVAL", "PORT"]


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "²"])
def test_a_port_is_a_number_from_1_to_65535(port: str) -> None:
    """Anything else is refused."""
    with pytest.raises(OptionError, match="PORT must be"):
        options.parse(port=port)


def test_the_presets_are_those_of_the_fetcher() -> None:
    """The list is repeated here only to refuse a wrong word before anything starts."""
    assert set(options.REGIONS) == set(regions.PRESETS)


def test_a_region_may_be_a_preset_or_a_box() -> None:
    """Each goes to the setting of the fetcher that takes it."""
    assert options.parse(region="europe").region_settings == {"FETCHER_REGION": "europe"}
    box = "35,-25,72.5,45"
    assert options.parse(region=box).region_settings == {"FETCHER_BOUNDING_BOX": box}
    assert options.parse().region_settings == {}
