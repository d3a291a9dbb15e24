from __future__ import annotations

import pytest

from isotherm_common.settings import SettingsError, load, variables
from isotherm_simulator.faults import Fault
from isotherm_simulator.settings import Settings, parse_faults


def test_everything_has_a_default() -> None:
    """The simulator starts with nothing set, on its well-known ports."""
    settings = load(Settings, {})
    assert (settings.port, settings.observability.port) == (8090, 9104)
    assert settings.quota
    assert parse_faults(settings.faults) == []


@pytest.mark.contract("E1")
def test_own_settings_have_the_simulators_prefix() -> None:
    """Everything else means the same in every service."""
    shared = {"METRICS_HOST", "METRICS_PORT", "LOG_LEVEL", "LOG_FORMAT"}
    for variable, _ in variables(Settings):
        assert variable.name in shared or variable.name.startswith("SIMULATOR_")


def test_faults_can_be_on_from_the_start() -> None:
    """As a JSON list."""
    text = '[{"kind": "overloaded", "probability": 0.05}, {"kind": "slow"}]'
    assert parse_faults(load(Settings, {"SIMULATOR_FAULTS": text}).faults) == [
        Fault("overloaded", probability=0.05),
        Fault("slow"),
    ]


@pytest.mark.parametrize("text", ["x", "{}", '[{"kind": "x"}]'])
def test_wrong_faults_are_a_configuration_error(text: str) -> None:
    """One sentence that names the setting."""
    with pytest.raises(SettingsError, match=r"^SIMULATOR_FAULTS .*\.$"):
        load(Settings, {"SIMULATOR_FAULTS": text})
