"""Makes docs/screenshots anew: `make screenshots`, after the page was built.

The weather is the simulator's, through the whole pipeline; the states that a healthy pipeline does not have are the fake
server's. Where a picture is not there, the page did not come to that state: the command fails and says which.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from browser.chromium import Device, Scheme, context_of, launched
from browser.fake import fake_server
from isotherm_local.databases import Layout
from isotherm_local.harness import Servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/screenshots"
WIDTH_PX = {"desktop": 1080, "phone": 390, "small": 320}
PATIENCE_MS = 60_000
PULSE_MS = 3_500
"""After which the marks of recent changes have faded."""
COLOURS = 256
DRAWN = "() => document.querySelector('[data-testid=map][data-drawn=true]') !== null"


def _nothing(page: Any) -> None:
    """The picture is of the page as it opens."""


@dataclass(frozen=True)
class Picture:
    """One picture: where the page is opened, what is done there, and what has to be in sight then."""

    subject: str
    caption: str
    address: str = ""
    do: Callable[[Any], None] = _nothing
    see: str = "legend"
    device: Device = "desktop"
    scheme: Scheme = "light"
    drawn: bool = True
    before: str = ""
    """A script that runs before the page's own."""

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.subject}-{self.scheme}-{self.device}.png"


def press(*hooks: str) -> Callable[[Any], None]:
    """Return what presses these controls one after the other."""

    def do(page: Any) -> None:
        for hook in hooks:
            page.get_by_test_id(hook).click()

    return do


def open_place(page: Any) -> None:
    """Open the place in the middle, with its course drawn."""
    page.get_by_test_id("map").focus()
    page.keyboard.press("Enter")
    page.locator(".panel-chart .main-svg").first.wait_for(state="attached", timeout=PATIENCE_MS)


def search(page: Any) -> None:
    """Look for a country."""
    page.get_by_test_id("search").click()
    page.get_by_test_id("search-input").fill("ice")


def a_day_ahead(page: Any) -> None:
    """Show the forecast of a day from now."""
    page.get_by_test_id("time-step").select_option("10800")
    for _ in range(8):
        page.get_by_test_id("time-ahead").click()
    page.wait_for_function("() => window.isotherm.shown(1).temperature !== null", timeout=PATIENCE_MS)


def cells(page: Any) -> None:
    """Draw cells rather than smooth colours."""
    press("settings", "fill-cells")(page)
    page.keyboard.press("Escape")


WORLD = (
    Picture("temperature", "Temperature, with isotherms"),
    Picture("temperature", "Temperature in the dark", scheme="dark"),
    Picture("temperature", "Temperature on a phone", device="phone"),
    Picture("temperature", "Temperature on the smallest phones", device="small"),
    Picture("cells", "Temperature as cells", do=cells),
    Picture(
        "arrows",
        "Temperature with wind arrows, in °F",
        "#view=48,12,3.5&units=fahrenheit,mph",
        press("settings", "arrows", "settings"),
    ),
    Picture("wind", "Wind", "#layer=wind"),
    Picture("wind", "Wind in the dark, in knots", "#layer=wind&units=celsius,knots", scheme="dark"),
    Picture("wind", "Wind on a phone", "#layer=wind", device="phone", scheme="dark"),
    Picture("forecast", "The forecast of a day from now", do=a_day_ahead),
    Picture("place", "A place, its last day and its next two", do=open_place, see="panel"),
    Picture("place", "A place on a phone", do=open_place, see="panel", device="phone"),
    Picture("search", "Search on a phone", do=search, see="search-input", device="phone", scheme="dark"),
    Picture("settings", "Display settings", do=press("settings"), see="theme-dark"),
    Picture("table", "Every value as text", do=press("share", "open-table"), see="table", scheme="dark"),
    Picture("embed", "Embedded in another page", "?embed=1#layer=wind", see="open-whole"),
)
STATES = (
    Picture("age", "How old each value is", "?state=real#layer=age"),
    Picture("filling", "The first sweep is under way", "?state=filling", see="filling"),
    Picture("empty", "No data yet", "?state=empty", see="empty", drawn=False),
    Picture("stale", "Data older than promised", "?state=stale", see="stale"),
    Picture("connecting", "The server has not answered yet", "?state=connecting", see="waiting", drawn=False),
    Picture("restarting", "The server restarts", "?state=restarting", _nothing, "connection-state=restarting"),
    Picture("closing", "The server closes", "?state=closing", _nothing, "connection-state=closing", scheme="dark"),
    Picture("disconnected", "No connection", "?state=disconnected", see="disconnected"),
    Picture(
        "disconnected",
        "No connection, on a phone",
        "?state=disconnected",
        see="disconnected",
        device="phone",
        scheme="dark",
    ),
    Picture("places", "Places that lie on no grid", "?state=cities"),
    Picture("region", "A region", "?state=region", scheme="dark"),
    Picture("antimeridian", "A region across the antimeridian", "?state=pacific"),
    Picture(
        "no-canvas",
        "A browser that cannot draw",
        see="canvas",
        drawn=False,
        before="HTMLCanvasElement.prototype.getContext = () => null",
    ),
    Picture("old-browser", "A browser that is too old", see="too-old", drawn=False, before="delete Array.prototype.at"),
)


def take(browser: Browser, base: str, picture: Picture) -> None:
    """Open the page, bring it to the picture's state, and keep what it looks like."""
    context = context_of(browser, picture.device, picture.scheme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    if picture.before:
        page.add_init_script(picture.before)
    page.goto(f"{base}/{picture.address}")
    if picture.drawn:
        page.wait_for_function(DRAWN)
    picture.do(page)
    hook, _, state = picture.see.partition("=")
    page.locator(f"[data-testid={hook}]" + (f"[data-state={state}]" if state else "")).first.wait_for(state="visible")
    if picture.drawn and not state:
        page.wait_for_timeout(PULSE_MS)
    path = FOLDER / picture.name
    page.screenshot(path=path)
    context.close()
    shrink(path, WIDTH_PX[picture.device])
    print(picture.name)  # noqa: T201 - what the command has to say


def shrink(path: Path, width: int) -> None:
    """Make the picture as wide as a document shows it, with a palette: a third of the bytes."""
    whole = Image.open(path).convert("RGB")
    small = whole.resize((width, round(whole.height * width / whole.width)), Image.Resampling.LANCZOS)
    palette = small.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
    small.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def gallery() -> str:
    """Return the page that shows them all."""
    lines = ["# The page", "", "Made by `make screenshots`.", ""]
    for picture in (*WORLD, *STATES):
        lines += [f"## {picture.caption}", "", f"![{picture.caption}]({picture.name})", ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Make every picture, and the page that shows them."""
    with launched() as browser:
        with fake_server() as base:
            for picture in STATES:
                take(browser, base, picture)
        with tempfile.TemporaryDirectory(prefix="isotherm-screenshots-") as data:
            layout = Layout(data=Path(data), cache=ROOT / ".cache")
            with Servers.running(layout) as servers, servers.weather(region="global", interval_seconds=600) as world:
                world.start_all()
                world.until(world.filled, seconds=180, what="every cell of the map")
                for picture in WORLD:
                    take(browser, world.url.rstrip("/"), picture)
    for path in set(FOLDER.glob("*.png")) - {FOLDER / picture.name for picture in (*WORLD, *STATES)}:
        path.unlink()
    (FOLDER / "README.md").write_text(gallery(), encoding="utf-8")


if __name__ == "__main__":
    main()
