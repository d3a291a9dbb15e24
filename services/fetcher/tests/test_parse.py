from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fetcher_answers as answers
from isotherm_fetcher.parse import RANGES, UnusableAnswer, parse, reason
from isotherm_fetcher.query import CURRENT, HOURLY
from isotherm_fetcher.rows import Location, Weather

PLACES = [Location(1, 10.0, 20.0), Location(2, 20.0, 30.0), Location(3, -30.0, 179.99)]


def entries() -> list[dict[str, Any]]:
    return [answers.entry(location, position) for position, location in enumerate(PLACES)]


@pytest.mark.contract("S3", "S5")
def test_one_location_is_answered_as_an_object() -> None:
    """Exactly one location is no array."""
    example = answers.fixture("one_location.json")
    parsed = parse(json.dumps(example["body"]), answers.asked_for(example["request"]))
    (weather,) = parsed.weather
    assert (weather.location_id, weather.model_latitude, weather.elevation) == (101, 52.52, 38.0)
    assert weather.current.temperature_2m == 11.3
    assert (weather.current.valid_at, weather.current.weather_code) == (1_795_534_200, 3)
    assert weather.hourly.valid_at[0] == 1_795_525_200
    assert {len(getattr(weather.hourly, name)) for name in ("valid_at", *HOURLY)} == {5}
    assert (parsed.failures, parsed.rejected) == ((), ())


def test_several_locations_are_matched_by_position() -> None:
    """The coordinates answered are the model cell's: they match nothing that was asked for."""
    example = answers.fixture("three_locations.json")
    asked = answers.asked_for(example["request"])
    parsed = parse(json.dumps(example["body"]), asked)
    assert [weather.location_id for weather in parsed.weather] == [location.id for location in asked]
    assert [weather.current.temperature_2m for weather in parsed.weather] == [
        answer["current"]["temperature_2m"] for answer in example["body"]
    ]


def test_nulls_are_kept_as_nulls() -> None:
    """The model has no value there; that is no failure."""
    example = answers.fixture("nulls.json")
    parsed = parse(json.dumps(example["body"]), answers.asked_for(example["request"]))
    assert (parsed.failures, parsed.rejected) == ((), ())
    assert parsed.weather[0].current.temperature_2m is None
    assert parsed.weather[0].current.wind_speed_10m == 3.3
    assert parsed.weather[0].hourly.temperature_2m[1] is None


def test_an_answer_that_broke_off_is_unusable_and_says_why() -> None:
    """A late failure comes as text at the end of a 200."""
    text = (answers.FIXTURES / "late_stream_error.txt").read_text(encoding="utf-8")
    with pytest.raises(UnusableAnswer, match="the answer broke off: timeoutReached"):
        parse(text, PLACES[:2])


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("", "is not JSON"),
        ("<html>Bad gateway</html>", "begins with '<html>Bad gateway</html>'"),
        ('[{"latitude": NaN}]', "NaN is no JSON"),
        ("3", "neither an object nor an array"),
        ("[1]", "neither an object nor an array"),
        ('{"error": true, "reason": "no"}', "the answer is an error: no"),
        ("{}", "has 1 locations, 3 were asked for"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_answer_is_unusable(body: str, wrong: str) -> None:
    """Nothing of it is stored."""
    with pytest.raises(UnusableAnswer, match=wrong):
        parse(body, PLACES)


@pytest.mark.parametrize("identifiers", [[0, 2, 1], [0, 1, None], [1, 1, 2], [False, True, 2], [0, "1", 2]])
def test_locations_in_another_order_are_unusable(identifiers: list[Any]) -> None:
    """Position is what matches an answer to a location: where it is in doubt, nothing is stored."""
    mixed = entries()
    for answer, identifier in zip(mixed, identifiers, strict=True):
        answer["location_id"] = identifier
        if identifier is None:
            del answer["location_id"]
    with pytest.raises(UnusableAnswer, match="says that it is location"):
        parse(json.dumps(mixed), PLACES)


def test_a_cell_far_from_the_point_fails_its_location() -> None:
    """Answers that were swapped without a word are seen by where they lie; the antimeridian is no distance."""
    swapped = entries()
    for key in ("latitude", "longitude"):
        swapped[1][key], swapped[0][key] = swapped[0][key], swapped[1][key]
    swapped[2]["longitude"] = -179.98
    parsed = parse(json.dumps(swapped), PLACES)
    assert [weather.location_id for weather in parsed.weather] == [3]
    assert [failure.location_id for failure in parsed.failures] == [1, 2]
    assert "km from the point asked for" in parsed.failures[0].reason


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("current.temperature_2m", "11", "current.temperature_2m is '11', not a number"),
        ("current.temperature_2m", True, "current.temperature_2m is True, not a number"),
        ("current.time", 1.5, "current.time is 1.5, not a Unix time of this century"),
        ("current.time", "2026-11-24T15:30", "not a Unix time"),
        ("current.time", 10**30, "not a Unix time"),
        ("current.weather_code", 2.5, "current.weather_code is 2.5, not a whole number"),
        ("current_units.wind_speed_10m", "km/h", "current.wind_speed_10m is in 'km/h', 'm/s' was asked for"),
        ("current_units.temperature_2m", None, "current.temperature_2m is in None, '°C' was asked for"),
        ("hourly_units.time", "iso8601", "hourly.time is in 'iso8601', 'unixtime' was asked for"),
        ("current", None, "current or current_units is missing"),
        ("hourly", [], "hourly or hourly_units is missing"),
        ("hourly.temperature_2m", [1, 2], "the hourly arrays have 3, 2, 3, 3 values"),
        ("hourly.temperature_2m", None, "hourly.temperature_2m is no array"),
        ("hourly.time", [VALID := answers.VALID_AT, VALID, VALID], "hourly.time does not rise hour by hour"),
        ("latitude", None, "latitude is None, not a number between -90 and 90"),
        ("longitude", 1e300, "longitude is 1e"),
        ("elevation", "high", "elevation is 'high', not a number"),
    ],
)
def test_a_malformed_location_fails_alone(path: str, value: Any, reason: str) -> None:
    """Its reason is told, and the other locations of the answer are stored."""
    malformed = entries()
    *parents, last = path.split(".")
    target = malformed[1]
    for parent in parents:
        target = target[parent]
    target[last] = value
    parsed = parse(json.dumps(malformed), PLACES)
    (failure,) = parsed.failures
    assert failure.location_id == 2
    assert reason in failure.reason
    assert [weather.location_id for weather in parsed.weather] == [1, 3]


@pytest.mark.parametrize("name", CURRENT)
@pytest.mark.parametrize("beyond", [-1, 1])
def test_an_implausible_value_becomes_null_and_is_told(name: str, beyond: int) -> None:
    """The rest of the location is stored: one broken value is no reason to keep all the others old."""
    low, high = RANGES[name]
    odd = entries()
    odd[1]["current"][name] = low - 1 if beyond < 0 else high + 1
    parsed = parse(json.dumps(odd), PLACES)
    assert len(parsed.weather) == 3
    assert getattr(parsed.weather[1].current, name) is None
    assert len(parsed.rejected) == 1
    assert parsed.rejected[0].startswith(f"location 2: current.{name} is ")


def test_a_location_without_any_current_value_fails() -> None:
    """What is stored already is better than nothing at all."""
    empty = entries()
    empty[0]["current"].update(dict.fromkeys(CURRENT))
    parsed = parse(json.dumps(empty), PLACES)
    assert [failure.reason for failure in parsed.failures] == ["not one current value is there"]


def test_weather_of_another_time_fails() -> None:
    """A server whose clock or data is hours off does not pass for the weather of now."""
    within = (answers.VALID_AT - 3600, answers.VALID_AT + 3600)
    late = entries()
    late[1]["current"]["time"] -= 7200
    assert [failure.location_id for failure in parse(json.dumps(late), PLACES, within).failures] == [2]


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value of a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for key, child in children for path in paths(child, (*prefix, key)))]


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from([10**400, -1, 0, 1, 2, 360, answers.VALID_AT, "°C", "m/s", "km/h", [], {}])
)
ALL_PATHS = paths(entries())[1:]


@st.composite
def mutations(draw: st.DrawFn) -> Any:
    """Return a right answer with up to four values replaced, removed, doubled or swapped."""
    document: Any = copy.deepcopy(entries())
    for _ in range(draw(st.integers(1, 4))):
        *parents, last = draw(st.sampled_from(ALL_PATHS))
        target = document
        try:
            for parent in parents:
                target = target[parent]
            match draw(st.sampled_from(["replace", "remove", "double", "swap"])):
                case "replace":
                    target[last] = draw(scalars)
                case "remove":
                    del target[last]
                case "double" if isinstance(target, list):
                    target.insert(last, copy.deepcopy(target[last]))
                case "swap" if isinstance(target, list):
                    target[0], target[last] = target[last], target[0]
                case _:
                    pass
        except (KeyError, IndexError, TypeError):
            continue
    return document


def stored_as_answered(weather: Weather, answer: dict[str, Any]) -> None:
    """Assert that every stored value is the answer's, or null where the answer's is null or implausible."""
    for name in CURRENT:
        stored, told = getattr(weather.current, name), answer["current"][name]
        low, high = RANGES[name]
        assert stored == (told if told is not None and low <= told <= high else None)
        assert answer["current_units"][name] == entries()[0]["current_units"][name]
    assert weather.current.valid_at == answer["current"]["time"]
    assert list(weather.hourly.valid_at) == answer["hourly"]["time"]
    for name in HOURLY:
        low, high = RANGES[name]
        told = answer["hourly"][name]
        assert list(getattr(weather.hourly, name)) == [
            value if value is not None and low <= value <= high else None for value in told
        ]


@settings(max_examples=400)
@given(mutations())
def test_a_mutated_answer_never_stores_a_wrong_row(document: Any) -> None:
    """It is refused, or what is stored of a location is what stands at its position, in range, near its point."""
    try:
        parsed = parse(json.dumps(document), PLACES)
    except UnusableAnswer:
        return
    answered = [document] if isinstance(document, dict) else document
    assert len(parsed.weather) + len(parsed.failures) == len(PLACES)
    by_id = {location.id: position for position, location in enumerate(PLACES)}
    for weather in parsed.weather:
        position = by_id[weather.location_id]
        stored_as_answered(weather, answered[position])
        assert answered[position].get("location_id", 0) == position
        assert abs(weather.model_latitude - PLACES[position].latitude) < 1.5


@settings(max_examples=200)
@given(st.data())
def test_any_cut_or_changed_text_is_refused_or_right(data: st.DataObject) -> None:
    """Text that was cut, or in which characters were changed, raises nothing but the one error."""
    text = answers.body(PLACES)
    position = data.draw(st.integers(0, len(text) - 1))
    changed = text[:position] + data.draw(st.sampled_from(["", "x", "9", "]", '"', "é", "\x00"]))
    changed += data.draw(st.sampled_from(["", text[position + 1 :]]))
    try:
        parsed = parse(changed, PLACES)
    except UnusableAnswer:
        return
    assert len(parsed.weather) + len(parsed.failures) == 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"error": true, "reason": "Daily API request limit exceeded."}', "Daily API request limit exceeded."),
        ('{"error": true}', "no reason given"),
        ('{"error": "yes", "reason": "x"}', None),
        ("[]", None),
        ("<html>", None),
        ("[" * 100_000, None),
    ],
)
def test_the_reason_of_an_error_is_read(body: str, expected: str | None) -> None:
    """What is no error of Open-Meteo's shape has no reason."""
    assert reason(body) == expected
