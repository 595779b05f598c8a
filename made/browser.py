"""A headless Chromium: for tests of pages, and for the docs' pictures of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def browser_here() -> str | None:
    """A Chromium of this machine; None: there is none but, perhaps, playwright's own."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser, closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=browser_here(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()
