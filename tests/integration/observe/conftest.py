"""A Prometheus that holds a made-up day, the page that draws it, and a browser that looks at the page."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.integration.alerts.conftest import free_port
from tests.integration.observe import world
from tests.parts import part

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DAY = 24 * 3600
PAST, AHEAD = DAY, 2 * 3600
"""Seconds of the made-up day before and after the tests begin."""


@retry(retry=retry_if_exception_type(httpx.HTTPError), stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def answers(url: str) -> None:
    """Wait until something answers well."""
    httpx.get(url, timeout=5).raise_for_status()


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Prometheus that holds the day of `world`; it scrapes nothing."""
    programs = part("prometheus") / "usr" / "bin"
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "day.txt").write_text("".join(world.openmetrics(time.time() - PAST, PAST + AHEAD, step=60)))
    blocks = ("tsdb", "create-blocks-from", "openmetrics", "--quiet", folder / "day.txt", folder / "data")
    subprocess.run([programs / "promtool", *blocks], check=True, stdout=subprocess.DEVNULL, timeout=300)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    port = free_port()
    arguments = (
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
    process = subprocess.Popen([programs / "prometheus", *arguments])
    try:
        answers(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


class Page(uvicorn.Server):
    """The dashboards' page in a thread, for a Prometheus at an address."""

    def __init__(self, prometheus: str) -> None:
        from lake.observe.pages import application

        part("uplot")
        self.port = free_port()
        super().__init__(uvicorn.Config(application(prometheus), port=self.port, log_level="warning"))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        url = f"http://127.0.0.1:{self.port}"
        answers(f"{url}/healthz")
        return url

    def __exit__(self, *error: object) -> None:
        self.should_exit = True
        self.thread.join(timeout=30)


@pytest.fixture(scope="session")
def page(made_up: str) -> Iterator[str]:
    """Address of the page that draws the made-up day."""
    with Page(made_up) as url:
        yield url


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Chromium, of Debian's packages; Playwright only drives it."""
    from playwright.sync_api import sync_playwright

    root = part("chromium")
    home = tmp_path_factory.mktemp("browser")
    environment = {
        **os.environ,
        "HOME": str(home),
        "TZ": "UTC",
        "FONTCONFIG_SYSROOT": str(root),
        # One library lies in a folder of its own, where the programs of its package look.
        "LD_LIBRARY_PATH": str(root / "usr/lib/x86_64-linux-gnu/pulseaudio"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=root / "usr/lib/chromium/chromium-headless-shell",
            # Root has no sandbox; what is looked at is our own.
            args=["--no-sandbox", "--disable-gpu"],
            env=environment,
        )
        yield browser
        browser.close()


def ask(prometheus: str, expr: str) -> list[object]:
    """What Prometheus says to an expression now.

    Raises:
        AssertionError: it refuses the expression.
    """
    answer = httpx.post(f"{prometheus}/api/v1/query", data={"query": expr}, timeout=60)
    said = json.loads(answer.text)
    assert said["status"] == "success", said
    found: list[object] = said["data"]["result"]
    return found
