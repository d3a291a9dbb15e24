"""What clients may say, and how they go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from isotherm_web.errors import ProtocolError
from isotherm_web.protocol import (
    Checkpoint,
    CloseCode,
    Decision,
    Format,
    Pong,
    Resume,
    choose_format,
    decide,
    parse_client_message,
)

if TYPE_CHECKING:
    from isotherm_web.state import GridState

STREAM = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32


@pytest.mark.contract("W1")
def test_resume_is_read() -> None:
    """A client says what it has, or nulls and 0."""
    assert parse_client_message('{"type":"resume","stream":null,"seq":0,"geometry":null}') == Resume(None, 0, None)
    text = f'{{"type":"resume","stream":"{STREAM}","seq":7,"geometry":"{"a" * 16}"}}'
    assert parse_client_message(text) == Resume(STREAM, 7, "a" * 16)
    assert parse_client_message('{"type":"pong"}') == Pong()


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[]",
        '{"type":"shout"}',
        '{"type":"resume"}',
        '{"type":"resume","stream":"x","seq":0,"geometry":null}',
        '{"type":"resume","stream":null,"seq":-1,"geometry":null}',
        '{"type":"resume","stream":null,"seq":1.5,"geometry":null}',
        '{"type":"resume","stream":null,"seq":9223372036854775808,"geometry":null}',
        b"\x01\x02",
        "\ud800",
        "[" * 3000,
    ],
)
def test_anything_else_is_refused(data: str | bytes) -> None:
    """What is no message of the protocol is refused with a reason."""
    with pytest.raises(ProtocolError):
        parse_client_message(data)


@pytest.mark.contract("W10")
def test_only_protocol_errors_are_final() -> None:
    """Every close code but 4000 is to be retried."""
    assert [code for code in CloseCode if not code.retry] == [CloseCode.PROTOCOL_ERROR]
    assert sorted(int(code) for code in CloseCode) == [1001, 1012, 4000, 4001, 4002, 4003, 4004, 4005]


def test_first_format_offered_that_is_known() -> None:
    """The client's order counts; without a known format there is none."""
    assert choose_format(["mqtt", "isotherm.v1.bin", "isotherm.v1.json"]) is Format.BINARY
    assert choose_format(["isotherm.v2.bin"]) is None


@pytest.mark.contract("W12")
@pytest.mark.parametrize(
    ("changes", "floor", "checkpoint", "expected"),
    [
        ({}, 0, None, Decision.RESUMED),
        ({"seq": 41}, 41, None, Decision.RESUMED),
        ({"stream": None, "seq": 0, "geometry": None}, 0, None, Decision.SNAPSHOT),
        ({"geometry": "b" * 16}, 0, None, Decision.SNAPSHOT),
        ({"geometry": None}, 0, None, Decision.SNAPSHOT),
        ({"seq": 29}, 30, None, Decision.SNAPSHOT),
        ({"seq": 50}, 0, None, Decision.ASK),
        ({"seq": 50}, 0, Checkpoint(STREAM, 50), Decision.WAIT),
        ({"seq": 50}, 0, Checkpoint(STREAM, 49), Decision.SNAPSHOT),
        ({"seq": 50}, 0, Checkpoint(STREAM, 9), Decision.WAIT),
        ({"seq": 50}, 0, Checkpoint(OTHER, 99), Decision.WAIT),
        ({"stream": OTHER}, 0, None, Decision.ASK),
        ({"stream": OTHER}, 0, Checkpoint(OTHER, 99), Decision.WAIT),
        ({"stream": OTHER}, 0, Checkpoint(STREAM, 99), Decision.SNAPSHOT),
    ],
)
def test_how_a_client_goes_on(
    state: GridState, changes: dict[str, object], floor: int, checkpoint: Checkpoint | None, expected: Decision
) -> None:
    """Resumed where that is exact, held while this process is behind, a snapshot otherwise."""
    state = replace(state, resume_floor=floor)
    has = {"stream": STREAM, "seq": 40, "geometry": state.geometry.name} | changes
    assert decide(Resume(**has), state, checkpoint) is expected
