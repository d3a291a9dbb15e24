"""The documentation is about what is there: links lead somewhere, lists are whole."""

from __future__ import annotations

import re
from pathlib import Path

import configuration
import log_events
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("*.md", "docs/**/*.md", "services/*/*.md", "charts/*/README.md", "ci/kube/*.md")
PAGES = sorted(page for pattern in FOLDERS for page in ROOT.glob(pattern))
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """Return a page without its blocks and spans of code."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, made as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there, and a heading of it."""
    broken = []
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_are_readable_on_github(page: Path) -> None:
    """One title, blocks that end, tables whose rows have as many cells as their heads."""
    text = page.read_text(encoding="utf-8")
    assert text.count("\n```") % 2 == (1 if text.startswith("```") else 0)
    bare = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    assert len(re.findall(r"^# ", bare, re.MULTILINE)) == 1
    width = 0
    for line in bare.splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", lambda code: code[0].replace("|", "/"), line)))
        width = width or cells
        assert cells == width, line


def test_every_page_can_be_found() -> None:
    """Every page of docs is linked from the table of contents or from a page that is."""
    seen, ahead = set(), [ROOT / "README.md", ROOT / "docs/README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        for target in LINK.findall(prose(page)):
            if not re.match(r"[a-z]+:", target):
                file = (page.parent / target.partition("#")[0]).resolve()
                ahead.append(file / "README.md" if file.is_dir() else file)
    assert {str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md")} <= {
        str(page.relative_to(ROOT)) for page in seen
    }


def test_every_settings_class_is_documented() -> None:
    """docs/configuration.md has every class of settings that a command loads."""
    loaded = {name for name in configuration.classes() if not name.startswith("isotherm_common")}
    part_of_another = {"isotherm_setup.settings:SchemaSettings"}
    assert loaded - part_of_another == set(configuration.TITLES)


def test_every_log_event_is_explained() -> None:
    """docs/logs.md says what each event means (MEANINGS in ci/observability/log_events.py), and names no other."""
    assert log_events.unexplained() == set()
    assert log_events.unknown() == set()


def test_names_of_log_events_are_words() -> None:
    """Event names are snake_case words, never sentences with values in them."""
    names = {name for found in log_events.events().values() for name in found}
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
