"""Each client is an open file of the process."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from isotherm_web.descriptors import allow_open_files, files_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def limits() -> Iterator[tuple[int, int]]:
    """The limits of this process, as they are again afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_small_soft_limit_is_raised(limits: tuple[int, int]) -> None:
    """A process that begins with few files, as container runtimes and shells have it, may open what its clients need."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, limits[1]))
    assert allow_open_files(900) == 900
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (900, limits[1])


def test_a_large_one_is_left_alone(limits: tuple[int, int]) -> None:
    """Nothing is lowered."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, limits[1]))
    assert allow_open_files(900) == 1000
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1000


def test_the_hard_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system does not allow is not asked for; the caller learns how many there are."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 500))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert allow_open_files(900) == 500
    assert asked == [(500, 500)]


def test_a_system_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that says no is no error: fewer clients than wanted are better than none."""

    def refuse(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert allow_open_files(900) == 256


def test_what_clients_need() -> None:
    """A file for each client, and some for whoever only asks for pages, for MongoDB and the process itself."""
    assert files_for(12_000) > 12_500
