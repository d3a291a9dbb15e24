"""Writes PromQL of rules.

Every selector of a rule carries `namespace=~".*"`, which matches everything, a missing label too. The chart puts its
release's namespace in its place.
"""

from __future__ import annotations

EVERYWHERE = 'namespace=~".*"'


def metric(name: str, *matchers: str, window: str = "", offset: str = "") -> str:
    """Return a selector of `name`, over `window` if given."""
    text = f"{name}{{{', '.join((EVERYWHERE, *matchers))}}}"
    return text + (f"[{window}]" if window else "") + (f" offset {offset}" if offset else "")


def total(expression: str) -> str:
    """Sum up what belongs to one installation."""
    return f"sum by (namespace) ({expression})"


def increase(name: str, window: str, *matchers: str) -> str:
    """Return by how much the counter `name` rose."""
    return f"increase({metric(name, *matchers, window=window)})"


def appeared(name: str, window: str) -> str:
    """Return by how much a labelled counter rose, a series that did not exist before included.

    `increase` does not see the 1 that a series begins with.
    """
    new = f"({metric(name)} unless {metric(name, offset=window)})"
    return f"({new} > 0 or {increase(name, window)} > 0)"
