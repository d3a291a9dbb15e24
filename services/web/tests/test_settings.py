"""Settings of the web service."""

import pytest

from isotherm_common.settings import SettingsError, load
from isotherm_web.settings import Settings


@pytest.mark.contract("E3", "E6")
def test_defaults_and_mistakes() -> None:
    """Only MongoDB's address is required; every mistake is told at once."""
    settings = load(Settings, {"MONGODB_URI": "mongodb://x"})
    assert (settings.server.port, settings.observability.port, settings.feed.coalesce_ms) == (5000, 9103, 100)
    with pytest.raises(SettingsError) as wrong:
        load(Settings, {"WEB_ALLOWED_ORIGINS": "example.org", "WEB_TRUSTED_PROXIES": "proxy", "WEB_PORT": "-1"})
    assert len(wrong.value.problems) == 4
