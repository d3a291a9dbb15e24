from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_common.process import ExitCode
from isotherm_common.settings import (
    MysqlSettings,
    Secret,
    SettingsError,
    group,
    load,
    setting,
    variables,
)


@dataclass(frozen=True)
class Inner:
    password: Secret = setting("APP_PASSWORD", help="the password.")


@dataclass(frozen=True)
class Example:
    count: int = setting("APP_COUNT", default=3, minimum=1, maximum=9, help="How many.")
    ratio: float = setting("APP_RATIO", default=0.5, help="A share.")
    mode: Literal["fast", "safe"] = setting("APP_MODE", default="safe", help="Which way.")
    names: tuple[str, ...] = setting("APP_NAMES", default=(), help="Which ones.")
    file: Path | None = setting("APP_FILE_NAME", default=None, help="A file.")
    enabled: bool = setting("APP_ENABLED", default=False, help="Whether.")
    url: str = setting(
        "APP_URL",
        default="http://a",
        help="Where.",
        check=lambda text: None if text.startswith("http") else "must begin with http",
    )
    inner: Inner = group(Inner)


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(Example, environ)
    return caught.value.problems


def test_defaults_stand_where_nothing_is_set() -> None:
    """Only what has no default must be given."""
    loaded = load(Example, {"APP_PASSWORD": "x"})
    assert (loaded.count, loaded.mode, loaded.names, loaded.file, loaded.enabled) == (3, "safe", (), None, False)


def test_values_are_converted_to_the_type_of_their_field() -> None:
    """Text becomes the declared type."""
    loaded = load(
        Example,
        {
            "APP_COUNT": "7",
            "APP_RATIO": "1e-3",
            "APP_MODE": "fast",
            "APP_NAMES": "a, b,,c ",
            "APP_FILE_NAME": "/x/y",
            "APP_ENABLED": "Yes",
            "APP_PASSWORD": "x",
        },
    )
    assert (loaded.count, loaded.ratio, loaded.mode) == (7, 0.001, "fast")
    assert (loaded.names, loaded.file, loaded.enabled) == (("a", "b", "c"), Path("/x/y"), True)


@pytest.mark.contract("E3")
def test_all_mistakes_are_reported_at_once() -> None:
    """A person mends everything in one go; the exit code is the one for configuration."""
    found = problems({"APP_COUNT": "12", "APP_RATIO": "nan", "APP_MODE": "quick", "APP_ENABLED": "2", "APP_URL": "ftp"})
    assert found == [
        "APP_COUNT must be at most 9, not 12.",
        "APP_RATIO must be a number, not 'nan'.",
        "APP_MODE must be one of fast, safe, not 'quick'.",
        "APP_ENABLED must be true or false, not '2'.",
        "APP_URL must begin with http.",
        "APP_PASSWORD is not set: the password.",
    ]
    assert SettingsError.exit_code == ExitCode.CONFIGURATION == 64


@pytest.mark.contract("E2")
def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    """`X_FILE` names a file with the value; the line end that editors leave is no part of it."""
    file = tmp_path / "password"
    file.write_text("s3cret \n", encoding="utf-8")
    assert load(Inner, {"APP_PASSWORD_FILE": str(file)}).password == Secret("s3cret ")


@pytest.mark.contract("E2")
def test_a_value_and_its_file_together_are_a_mistake(tmp_path: Path) -> None:
    """Which of two values was meant cannot be known."""
    assert problems({"APP_PASSWORD": "x", "APP_PASSWORD_FILE": str(tmp_path)}) == [
        "APP_PASSWORD and APP_PASSWORD_FILE are both set: give one of them."
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The sentence has the path and the reason."""
    missing = tmp_path / "missing"
    assert problems({"APP_PASSWORD_FILE": str(missing)}) == [
        f"APP_PASSWORD_FILE names {str(missing)!r}, which cannot be read: No such file or directory."
    ]


def test_secrets_are_never_shown() -> None:
    """Neither `repr` nor `str` of settings, nor a sentence about a mistake, has the secret in it."""
    loaded = load(MysqlSettings, {"MYSQL_USER": "u", "MYSQL_PASSWORD": "s3cret"})
    assert "s3cret" not in f"{loaded!r} {loaded} {loaded.password}"


def test_every_variable_can_be_listed_for_the_documentation() -> None:
    """Groups are walked in order of declaration."""
    names = [variable.name for variable, _ in variables(Example)]
    assert names[0] == "APP_COUNT"
    assert names[-1] == "APP_PASSWORD"


@given(st.dictionaries(st.sampled_from(["APP_COUNT", "APP_RATIO", "APP_MODE", "APP_ENABLED"]), st.text()))
def test_no_text_makes_loading_fail_in_another_way(environ: dict[str, str]) -> None:
    """Whatever the environment holds, the answer is settings or a list of mistakes."""
    try:
        loaded = load(Example, {**environ, "APP_PASSWORD": "x"})
    except SettingsError as error:
        assert 1 <= len(error.problems) <= len(environ)  # noqa: PT017 - the error is one of two right answers
    else:
        assert 1 <= loaded.count <= 9
