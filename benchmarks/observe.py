"""The command behind `make bench-observe`: what the profile `observe` costs a platform on which nothing happens.

    python -m benchmarks.observe --seconds 600

Needs a platform that is up with the profile (`lake up observe`), and an otherwise idle machine. It looks at every
service for some minutes, stops the profile, and looks again for as long: what the core does more while it is watched,
because exporters ask it, counts as the profile's cost too. OpenSearch, which others share, is told apart. In the
end the profile runs again. Writes ``benchmarks/out/observe.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command, measure
from lake.errors import ServiceError
from lake.runtime import supervise
from lake.runtime.service import CORE
from lake.runtime.services import services
from lake.settings import PROJECT

OUT = Path(__file__).resolve().parent / "out" / "observe.json"
PROFILE, APART = "observe", "opensearch"
LOOKS = 10
"""How often memory is added up in the time: the highest counts."""

STEADY_SECONDS = 60
"""That a platform is left alone before it is looked at: what was just started has things to do."""

START_SECONDS = 900
console = Console()


@dataclass(frozen=True)
class Cost:
    """What a service took.

    Attributes:
        cores: of processor time, on average.
        bytes: of memory, at most; a page that several processes share counts once.
    """

    cores: float
    bytes: int


@dataclass(frozen=True)
class Outcome:
    """What was measured.

    Attributes:
        seconds: of each of the two times.
        watched: cost of every service while the profile runs.
        alone: cost of the core's services while it does not.
    """

    seconds: float
    watched: dict[str, Cost]
    alone: dict[str, Cost]

    @property
    def own(self) -> Cost:
        """The profile's own processes, OpenSearch apart."""
        own = [cost for name, cost in self.watched.items() if name not in self.alone and name != APART]
        return Cost(sum(cost.cores for cost in own), sum(cost.bytes for cost in own))

    @property
    def caused_cores(self) -> float:
        """What the core does more while it is watched."""
        return sum(self.watched[name].cores - cost.cores for name, cost in self.alone.items())


def benchmark(
    seconds: Annotated[int, typer.Option(min=10, help="How long to look, with the profile and without it.")] = 600,
) -> None:
    """Measure, and write it down."""
    profile_of = {name: service.profile for name, service in services().items()}
    if PROFILE not in {profile_of[name] for name in _running()}:
        raise ServiceError(f"the profile {PROFILE} does not run", f"start it with `lake up {PROFILE}`")
    watched = _look(seconds)
    _lake("down", PROFILE)
    try:
        alone = {name: cost for name, cost in _look(seconds).items() if profile_of[name] == CORE}
    finally:
        _lake("up", PROFILE)
    outcome = Outcome(seconds, watched, alone)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(asdict(outcome), indent=1))
    console.print(_table(outcome, profile_of))
    console.print(
        f"the profile: {outcome.own.cores:.1%} of a core and {outcome.own.bytes / 2**20:,.0f} MiB, {APART} apart; "
        f"the core does {outcome.caused_cores:+.1%} of a core more while it is watched"
    )


def _look(seconds: int) -> dict[str, Cost]:
    """What each service takes, over some time."""
    time.sleep(STEADY_SECONDS)
    pids = _running()
    before, began = {name: measure.cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
    highest = dict.fromkeys(pids, 0)
    for look in range(1, LOOKS + 1):
        time.sleep(max(0.0, began + seconds * look / LOOKS - time.monotonic()))
        for name, pid in pids.items():
            highest[name] = max(highest[name], measure.tree_bytes(pid))
    took = time.monotonic() - began
    after = measure.spent(before, {name: measure.cpu_seconds(pid) for name, pid in pids.items()})
    return {name: Cost(after[name] / took, highest[name]) for name in pids}


def _running() -> dict[str, int]:
    found = supervise.processes()
    return {name: process.pid for name, process in found.items() if process.pid and process.state in supervise.ALIVE}


def _lake(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "lake.commands", *arguments], cwd=PROJECT, check=True, timeout=START_SECONDS)


def _table(outcome: Outcome, profile_of: dict[str, str]) -> Table:
    table = Table("service", "profile", "% of a core", "MiB", "% of a core unwatched", box=None)
    for name, cost in outcome.watched.items():
        alone = outcome.alone.get(name)
        figures = f"{cost.cores * 100:.2f}", f"{cost.bytes / 2**20:,.0f}", f"{alone.cores * 100:.2f}" if alone else ""
        table.add_row(name, profile_of[name], *figures)
    return table


if __name__ == "__main__":
    command.run(benchmark)
