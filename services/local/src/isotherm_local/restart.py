"""When a process that died is started again: a pure policy."""

from __future__ import annotations

from dataclasses import dataclass

from isotherm_common.process import ExitCode


@dataclass(frozen=True)
class RestartPolicy:
    """How long to wait before each start.

    Attributes:
        initial_seconds: the first wait; it doubles with each death.
        maximum_seconds: the longest wait.
        healthy_after_seconds: a process that ran this long starts with the first wait again.
    """

    initial_seconds: float = 0.5
    maximum_seconds: float = 30.0
    healthy_after_seconds: float = 60.0


@dataclass(frozen=True)
class RestartState:
    """What is known of a process's deaths.

    Attributes:
        deaths: how many there were in a row.
        total: how many there were.
    """

    deaths: int = 0
    total: int = 0

    def died(self, ran_seconds: float, policy: RestartPolicy) -> tuple[RestartState, float]:
        """Return the state after one more death and how long to wait before the next start."""
        deaths = 1 if ran_seconds >= policy.healthy_after_seconds else self.deaths + 1
        wait = min(policy.initial_seconds * 2 ** min(deaths - 1, 30), policy.maximum_seconds)
        return RestartState(deaths, self.total + 1), wait


def is_final(exit_code: int) -> bool:
    """Whether starting again cannot help: settings that cannot work stay as they are."""
    return exit_code == ExitCode.CONFIGURATION


def describe_exit(exit_code: int) -> str:
    """Say how a process ended."""
    if exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"ended with exit code {exit_code}"
