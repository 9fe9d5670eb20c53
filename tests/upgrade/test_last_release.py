"""A lake that the last release made goes on under this code, in place: its own servers, its state folder, its tables.

The last release is taken from the project's history, set up in a folder of its own, and drives the lake first.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from lake.settings import PROJECT

LAST_RELEASE = "afacc6d"
"""The commit before MySQL became the second server, and before `lake/` had rooms."""

REVENUE = "select sum(revenue) as revenue from marts.daily_revenue"

Lake = Callable[..., str]


def _driver(checkout: Path, home: Path, offset: int) -> Lake:
    """The command of a checkout, on the one state folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAKE_")}
    environment |= {"LAKE_HOME": str(home), "LAKE_PORT_OFFSET": str(offset), "LAKE_PIPELINE_SCHEDULE": ""}

    def lake(*arguments: str) -> str:
        command = [str(checkout / ".venv/bin/lake"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=checkout, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return lake


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that is open to the users that servers run as which refuse root; pytest's own is not."""
    with TemporaryDirectory(prefix="shoplake-upgrade-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def lakes(folder: Path) -> Iterator[tuple[Lake, Lake]]:
    """The command of the last release and that of this checkout, on the same state folder."""
    from conftest import OFFSETS
    from lake.runtime.ports import free_offset

    old, home = folder / "last-release", folder / "home"
    listed = subprocess.run(["git", "archive", LAST_RELEASE], cwd=PROJECT, capture_output=True, timeout=60)
    if listed.returncode:
        pytest.skip(f"this clone's history does not reach back to {LAST_RELEASE}")
    with tarfile.open(fileobj=io.BytesIO(listed.stdout)) as archive:
        archive.extractall(old, filter="data")
    subprocess.run(["make", "setup"], cwd=old, check=True, timeout=1200)
    offset = free_offset(OFFSETS)
    before, now = _driver(old, home, offset), _driver(PROJECT, home, offset)
    try:
        yield before, now
    finally:
        now("down")


def _revenue(lake: Lake, *options: str) -> Decimal:
    (row,) = json.loads(lake("sql", REVENUE, "--format", "json", *options))
    return Decimal(row["revenue"])


def _receipts(lake: Lake) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(lake("receipts", "--json"))
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_lake_of_the_last_release_goes_on(lakes: tuple[Lake, Lake]) -> None:
    before, now = lakes
    before("up")
    before("shop", "load", "--sample", "0.02")
    before("run")
    before("shop", "tick", "--orders", "20", "--seed", "1")
    before("run")
    (newest, *_) = _receipts(before)
    figure = _revenue(before)
    before("down")

    now("up")
    assert {service["state"] for service in json.loads(now("status", "--json"))} == {"healthy"}
    assert _revenue(now) == figure
    # The demo shop has tables and columns since that it had not then.
    now("shop", "load", "--sample", "0.02", "--replace")
    now("shop", "tick", "--orders", "20", "--seed", "2")
    now("run")
    upgraded = _receipts(now)
    assert len(upgraded) == 3
    assert upgraded[0]["contracts_sha256"] != ""
    assert _revenue(now) != figure
    assert _revenue(now, "--at", newest["lake_commit"]) == figure, "what was published stays as it was"

    # From then on increments add up again: the checks of each run hold it against the shop.
    now("shop", "tick", "--orders", "5", "--seed", "3")
    now("run")
    modes = {table: counts["mode"] for table, counts in _receipts(now)[0]["tables"].items()}
    assert set(modes.values()) == {"increment"}, modes
