"""The machine's Chromium, and the screens that the page is looked at on."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Any, Literal

from playwright.sync_api import Browser, BrowserContext, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Without them a browser that starts looks up its maker's hosts, which a closed machine refuses many at a time.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWPORTS: dict[str, Any] = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
    "small": {"width": 320, "height": 568},
}
HANDHELD = ("phone", "small")

Device = Literal["desktop", "phone", "small"]
Scheme = Literal["light", "dark"]


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium, and close it at the end."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert program, "Chromium is not there: apt-get install chromium, or set CHROMIUM to its path"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


def context_of(browser: Browser, device: Device, scheme: Scheme) -> BrowserContext:
    """Return a fresh browser context of a device whose system asks for a colour scheme."""
    return browser.new_context(
        viewport=VIEWPORTS[device],
        color_scheme=scheme,
        has_touch=device in HANDHELD,
        is_mobile=device in HANDHELD,
        device_scale_factor=2 if device in HANDHELD else 1,
    )
