"""Settings: each mistake is one sentence, and all of them are told at once."""

from __future__ import annotations

import pytest

from isotherm_cdc.settings import Settings, TableFilter
from isotherm_common.process import ExitCode
from isotherm_common.settings import SettingsError, load

LEASE_TIMES = (
    "CDC_LEASE_RETRY_SECONDS must be less than CDC_LEASE_RENEW_DEADLINE_SECONDS, and that less than "
    "CDC_LEASE_DURATION_SECONDS."
)
NEEDED = {"MYSQL_USER": "u", "MYSQL_PASSWORD": "p", "MONGODB_URI": "mongodb://h"}


def mistakes(**settings: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(Settings, {**NEEDED, **settings})
    assert caught.value.exit_code == ExitCode.CONFIGURATION == 64
    return caught.value.problems


def test_the_defaults_capture_the_weather() -> None:
    """Nothing but the addresses has to be set."""
    settings = load(Settings, NEEDED)
    assert settings.tables == tuple(
        f"weather.{table}" for table in ("locations", "weather_data", "weather_forecast", "weather_history")
    )
    assert settings.captures_weather
    assert settings.lease.name is None
    assert (settings.snapshot_mode, settings.keyless) == ("initial", "fail")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "CDC_TABLE_INCLUDE_LIST",
            "shop",
            "CDC_TABLE_INCLUDE_LIST must be a list of schema.table, which 'shop' is not.",
        ),
        (
            "CDC_TABLE_EXCLUDE_LIST",
            "a.b,c d.e",
            "CDC_TABLE_EXCLUDE_LIST must be a list of schema.table, which 'c d.e' is not.",
        ),
        ("CDC_SERVER_ID", "0", "CDC_SERVER_ID must be at least 1, not 0."),
        ("CDC_SERVER_ID", "seven", "CDC_SERVER_ID must be a whole number, not 'seven'."),
        (
            "CDC_SNAPSHOT_MODE",
            "initial_only",
            "CDC_SNAPSHOT_MODE must be one of initial, no_data, when_needed, always, not 'initial_only'.",
        ),
        ("CDC_KEYLESS", "yes", "CDC_KEYLESS must be one of fail, hash, not 'yes'."),
        ("CDC_SNAPSHOT_CHUNK_ROWS", "0", "CDC_SNAPSHOT_CHUNK_ROWS must be at least 1, not 0."),
        ("CDC_HEARTBEAT_INTERVAL_MS", "60000", "CDC_HEARTBEAT_INTERVAL_MS must be at most 10000, not 60000."),
        ("CDC_MAX_BATCH_BYTES", "99999999", "CDC_MAX_BATCH_BYTES must be at most 1.46801e+07, not 1e+08."),
        ("CDC_EVENT_FAILURE_LIMIT", "-1", "CDC_EVENT_FAILURE_LIMIT must be at least 0, not -1."),
        ("CDC_LEASE_DURATION_SECONDS", "1", "CDC_LEASE_DURATION_SECONDS must be at least 2, not 1."),
        (
            "CDC_LEASE_RENEW_DEADLINE_SECONDS",
            "15",
            LEASE_TIMES,
        ),
        (
            "CDC_LEASE_RETRY_SECONDS",
            "10",
            LEASE_TIMES,
        ),
    ],
)
def test_a_mistake_is_one_sentence(name: str, value: str, sentence: str) -> None:
    """It names the variable, what it must be, and what it is."""
    assert mistakes(**{name: value}) == [sentence]


def test_a_queue_that_is_too_small_is_told() -> None:
    """A batch must find room in it twice."""
    (sentence,) = mistakes(CDC_MAX_QUEUE_BYTES="1000000", CDC_MAX_BATCH_BYTES="600000")
    assert sentence == "CDC_MAX_QUEUE_BYTES must be at least twice CDC_MAX_BATCH_BYTES."


@pytest.mark.contract("E3")
def test_all_mistakes_are_told_at_once() -> None:
    """Nobody has to start again and again to find them."""
    found = mistakes(CDC_SERVER_ID="x", CDC_SNAPSHOT_MODE="y", MYSQL_USER="", CDC_LEASE_RETRY_SECONDS="z")
    assert [sentence.partition(" ")[0] for sentence in found] == [
        "MYSQL_USER", "CDC_LEASE_RETRY_SECONDS", "CDC_SERVER_ID", "CDC_SNAPSHOT_MODE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "captured"),
    [("a.x", True), ("a.y", False), ("b.x", True), ("b.y", True), ("b.no", False), ("c.x", False), ("d.x", False)],
)
def test_tables_are_chosen_by_their_full_names(table: str, captured: bool) -> None:
    """A name of the same table in another schema, and the schema's other tables, are not meant; exclusion wins."""
    chosen = TableFilter(("a.x", "b.*", "c.*"), ("b.no", "c.*"))
    assert chosen(table) is captured
    assert chosen.schemas == ("a", "b", "c")


def test_any_name_of_a_table_can_be_excluded() -> None:
    """Also one with a dot, a space or what MongoDB does not take: that it be excluded is then the advice."""
    settings = load(Settings, {**NEEDED, "CDC_TABLE_EXCLUDE_LIST": "a.b.c, a.end., a.two words"})
    assert settings.table_exclude_list == ("a.b.c", "a.end.", "a.two words")
