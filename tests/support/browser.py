"""Headless Chromium, from the machine's own packages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from infra.resources.build_context import ROOT
from tests.support.packages import apt_get

ARTIFACTS = ROOT / "artifacts"
# Of 5 s a page that draws itself by a script may need most, on a machine that is busy.
expect.set_options(timeout=30_000)
# Without these Chromium asks hosts on the internet about itself at every start.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)


def find_chromium() -> str:
    """Path of Chromium, installed from the distribution's packages where it is missing.

    Raises
    ------
    RuntimeError
        Raised where it is missing and cannot be installed.
    """
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError("chromium: should be installed (got nothing). Install it.")
    apt_get("update")
    apt_get("install", "-y", "--no-install-recommends", "chromium")
    return "/usr/bin/chromium"


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=[*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        yield browser
        browser.close()


def listen(page: Page) -> list[str]:
    """What the page complains of from now on: errors of scripts, what its policy refused."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return complaints


def keep_picture(page: Page, name: str) -> Path:
    """A screenshot among the run's artifacts, which git does not keep."""
    path = ARTIFACTS / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    assert path.stat().st_size > 0
    return path
