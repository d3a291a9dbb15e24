"""axe-core in the page under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_AXE = Path(__file__).parents[2] / "services/web/frontend/node_modules/axe-core/axe.min.js"
_RUN = (
    "() => axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html)}`))"
)


def faults(page: Any) -> list[str]:
    """Return what axe-core finds wrong with the page as it is."""
    if not page.page.evaluate("() => 'axe' in window"):
        page.page.evaluate(_AXE.read_text(encoding="utf-8"))
    return list(page.page.evaluate(_RUN))
