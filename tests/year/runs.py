"""A run without Airflow: the platform's own steps, called one after the other as `dags/shop_lake.py` wires them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from lake.ledger.receipts import Receipt
from lake.steps.audit import audit
from lake.steps.clean import clean
from lake.steps.curate import curate
from lake.steps.extract import extract
from lake.steps.marts import marts
from lake.steps.publish import publish
from lake.steps.register import register
from lake.steps.start import start
from tests.faults.world import forget

Death = Literal["extract", "clean", "merge"]
"""What a run has just done when it dies."""

RUN_SECONDS = 180
RUNS_PER_SESSION = 15
"""Of Spark's: each run brings a catalog of its own, which the server keeps for as long as the session."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.year.runs", "pyiceberg.io.pyarrow", "lake.extract.extract"])


@dataclass
class Engine:
    """Spark, in sessions that serve some runs each, and where the time of runs goes."""

    _session: Any = None
    _runs: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def spark(self) -> Any:
        """A session for the next run."""
        from spark_jobs.session import connect

        if self._runs % RUNS_PER_SESSION == 0:
            self.close()
            self._session = connect()
        self._runs += 1
        return self._session

    @property
    def steps(self) -> str:
        """Where the time of the present run went."""
        return ", ".join(f"{step} {seconds:.1f}" for step, seconds in self.seconds.items())

    def close(self) -> None:
        """Give up the session."""
        if self._session is not None:
            from spark_jobs.session import disconnect

            disconnect(self._session)
            self._session = None

    @contextmanager
    def timed(self, step: str) -> Any:
        """Note how long a step of the present run took."""
        began = time.monotonic()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - began


def dag_run_id(instant: datetime, kind: str = "scheduled") -> str:
    """The orchestrator's name of a run at an instant, which its receipt carries on."""
    return f"{kind}__{instant.isoformat()}"


def simulated_at(receipt: Receipt) -> datetime:
    """When a run was, as the year has it: its receipt itself says when it was published in truth."""
    found = re.search(r"_(\d{8}t\d{6})", receipt.run_id)
    assert found, receipt.run_id
    return datetime.strptime(found[1], "%Y%m%dt%H%M%S").replace(tzinfo=UTC)


def run(name: str, engine: Engine, after: Callable[[str], None] = lambda step: None) -> Receipt:
    """One run from its beginning; its receipt.

    Args:
        name: the orchestrator's.
        after: is told of each step that is done.
    """
    engine.seconds = {}
    with engine.timed("start"):
        begun = start(name)
    with engine.timed("extract"):
        for source in begun.sources:
            extract(begun, source)
    after("extract")
    with engine.timed("register"):
        batches = register(begun)
    if batches:
        spark = engine.spark()
        with engine.timed("clean"):
            for tables in batches:
                clean(spark, begun, tables)
        after("clean")
        with engine.timed("audit"):
            # The shop is not the demo's: there is no star schema and there are no marts, and both say so.
            curate(spark, begun)
            marts(begun)
            audit(begun)
    with engine.timed("publish"):
        return publish(begun)


def killed(name: str, last: Death, log: Path) -> None:
    """A run in a process of its own, which is killed when it has done a step."""
    environment = dict(os.environ)
    if last == "merge":
        environment["CRASH_AT"] = "publish.merged"
    process = _processes.Process(target=_die, args=(environment, name, last, log), daemon=True)
    process.start()
    process.join(RUN_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join(10)
    said = "\n".join(log.read_text().splitlines()[-25:])
    assert process.exitcode == -signal.SIGKILL, f"the run did not die after {last}: {process.exitcode}\n{said}"


def _die(environment: dict[str, str], name: str, last: Death, log: Path) -> None:
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    forget()
    logging.basicConfig(level=logging.INFO)

    def kill(step: str) -> None:
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    run(name, Engine(), kill)
