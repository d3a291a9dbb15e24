"""Settings: frozen dataclasses filled from the environment, every mistake reported at once.

A service declares its settings as a frozen dataclass whose fields are made by `setting`, grouped by nesting::

    @dataclass(frozen=True)
    class Settings:
        batch_size: int = setting("CDC_MAX_BATCH_SIZE", default=1000, minimum=1, help="Documents in a batch at most.")
        mysql: MysqlSettings = group(MysqlSettings)

    settings = load(Settings, os.environ)

Every variable `X` may also be given as `X_FILE`, the path of a file with the value (how containers hand out secrets).
An empty variable counts as not set. Supported types: str, int, float, bool, Path, Secret, Literal, tuple[str, ...]
and their unions with None.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from isotherm_common.process import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
_REQUIRED: Any = object()
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class SettingsError(ConfigurationError):
    """One or more settings are wrong; the message has one sentence a line.

    Attributes:
        problems: the sentences.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Secret:
    """A value that must not be seen in logs: its `repr` hides it."""

    value: str

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Variable:
    """How one field is read: the metadata that `setting` leaves on it (documentation is generated from it)."""

    name: str
    help: str
    default: Any
    minimum: float | None
    maximum: float | None
    check: Callable[[Any], str | None] | None

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is _REQUIRED


def setting(
    name: str,
    *,
    help: str,  # noqa: A002 - the word that argparse uses for it too
    default: Any = _REQUIRED,
    minimum: float | None = None,
    maximum: float | None = None,
    check: Callable[[Any], str | None] | None = None,
) -> Any:
    """Declare a field read from environment variable `name`.

    Args:
        name: the variable.
        help: unit, meaning and why the default is what it is.
        default: the value when the variable is not set; without one the setting is required.
        minimum: the smallest number allowed.
        maximum: the largest number allowed.
        check: given the converted value, answers what is wrong with it (the end of a sentence), or None.
    """
    variable = Variable(name, help, default, minimum, maximum, check)
    keywords: dict[str, Any] = {} if default is _REQUIRED else {"default": default}
    return dataclasses.field(kw_only=True, metadata={"variable": variable}, **keywords)


def group(kind: type[T]) -> T:
    """Declare a field that is itself a dataclass of settings."""
    return typing.cast("T", dataclasses.field(kw_only=True, metadata={"group": kind}))


def load(kind: type[T], environ: Mapping[str, str]) -> T:
    """Fill `kind` from `environ`.

    Raises:
        SettingsError: with every mistake found, not only the first.
    """
    problems: list[str] = []
    loaded = _load(kind, environ, problems)
    if problems:
        raise SettingsError(problems)
    return typing.cast("T", loaded)


def variables(kind: type) -> Iterator[tuple[Variable, Any]]:
    """Yield every variable of `kind` and of its groups with its type, in order of declaration."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if "group" in field.metadata:
            yield from variables(field.metadata["group"])
        elif "variable" in field.metadata:
            yield field.metadata["variable"], hints[field.name]


def _load(kind: Any, environ: Mapping[str, str], problems: list[str]) -> Any:
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    before = len(problems)
    for field in dataclasses.fields(kind):
        if "group" in field.metadata:
            values[field.name] = _load(field.metadata["group"], environ, problems)
        else:
            try:
                values[field.name] = _read(field.metadata["variable"], hints[field.name], environ)
            except ValueError as error:
                problems.append(str(error))
    if len(problems) > before:
        return None
    try:
        return kind(**values)
    except ValueError as error:
        problems.append(str(error))
        return None


def _read(variable: Variable, hint: Any, environ: Mapping[str, str]) -> Any:
    text = _text(variable.name, environ)
    if text is None:
        if variable.required:
            message = f"{variable.name} is not set: {variable.help}"
            raise ValueError(message)
        return variable.default
    try:
        value = _convert(text, hint)
    except ValueError as error:
        shown = "" if _is_secret(hint) else f", not {text!r}"
        message = f"{variable.name} must be {error}{shown}."
        raise ValueError(message) from None
    wrong = _outside(value, variable.minimum, variable.maximum) or (variable.check and variable.check(value))
    if wrong:
        message = f"{variable.name} {wrong}."
        raise ValueError(message)
    return value


def _text(name: str, environ: Mapping[str, str]) -> str | None:
    value, file = environ.get(name) or None, environ.get(f"{name}_FILE") or None
    if file is None:
        return value
    if value is not None:
        message = f"{name} and {name}_FILE are both set: give one of them."
        raise ValueError(message)
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        message = f"{name}_FILE names {file!r}, which cannot be read: {reason}."
        raise ValueError(message) from None


def _outside(value: Any, minimum: float | None, maximum: float | None) -> str | None:
    if minimum is not None and value is not None and value < minimum:
        return f"must be at least {minimum:g}, not {value:g}"
    if maximum is not None and value is not None and value > maximum:
        return f"must be at most {maximum:g}, not {value:g}"
    return None


def _is_secret(hint: Any) -> bool:
    return hint is Secret or Secret in typing.get_args(hint)


def _convert(text: str, hint: Any) -> Any:
    """Convert `text`; the ValueError's message says what it must be."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (hint,) = (argument for argument in typing.get_args(hint) if argument is not types.NoneType)
    if typing.get_origin(hint) is Literal:
        return _choice(text, typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    converter = _CONVERTERS.get(hint)
    if converter is None:
        message = f"settings cannot be of type {hint!r}"
        raise TypeError(message)
    return converter(text)


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text in choices:
        return text
    message = "one of " + ", ".join(choices)
    raise ValueError(message)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        message = "a whole number"
        raise ValueError(message) from None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = "a number"
        raise ValueError(message)
    return value


def _boolean(text: str) -> bool:
    word = text.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    message = "true or false"
    raise ValueError(message)


_CONVERTERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: _integer,
    float: _number,
    bool: _boolean,
    Path: Path,
    Secret: Secret,
}


@dataclass(frozen=True)
class LogSettings:
    """What a service says of itself, and how."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "LOG_LEVEL", default="info", help="The least severity that is logged."
    )
    format: Literal["json", "console"] = setting(
        "LOG_FORMAT", default="json", help="json: one object a line, for machines; console: for a person's terminal."
    )


@dataclass(frozen=True)
class MysqlSettings:
    """How MySQL is reached."""

    user: str = setting("MYSQL_USER", help="the MySQL user of this service.")
    password: Secret = setting("MYSQL_PASSWORD", help="the password of MYSQL_USER (or MYSQL_PASSWORD_FILE).")
    host: str = setting("MYSQL_HOST", default="127.0.0.1", help="Host name or address of the MySQL server.")
    port: int = setting("MYSQL_PORT", default=3306, minimum=1, maximum=65535, help="TCP port of the MySQL server.")
    database: str = setting("MYSQL_DATABASE", default="weather", help="The schema that holds the weather's tables.")
    ssl_ca: Path | None = setting(
        "MYSQL_SSL_CA",
        default=None,
        help="A file of certificates to trust; given one, the connection must be encrypted and the server's name match.",
    )


@dataclass(frozen=True)
class MongodbSettings:
    """How MongoDB is reached."""

    uri: Secret = setting(
        "MONGODB_URI", help="the connection string of a MongoDB replica set, mongodb://… or mongodb+srv://…."
    )
    database: str = setting(
        "MONGODB_DATABASE", default="weather", help="The database of the CDC's state and of the weather's collections."
    )
