"""A source database with its contracts, and runs of the pipeline over it that may be made to die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pymysql
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake import contracts as contract_files
from lake.commands.add_table import add_tables
from lake.contracts import Contract
from lake.faultpoints import Point
from lake.layers import raw
from lake.maintenance.tidy import tidy
from lake.platform import catalog, storage
from tests.faults import drive, oracle
from tests.faults.oracle import Proof
from tests.faults.world import World

RUN_SECONDS = 180
"""How long a run may take; a small one takes a few seconds."""

KILLED = -signal.SIGKILL

# A new process for each try, made from one that has loaded everything and done nothing: in a tenth of a second.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.faults.drive", "pyiceberg.io.pyarrow", "lake.extract.extract"])


class Try:
    """One process that drives a run."""

    def __init__(self, process: Any, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Of the process."""
        return int(self._process.pid)

    @property
    def log(self) -> str:
        """What the process printed."""
        return self._log.read_text() if self._log.exists() else ""

    def wait(self, seconds: float = RUN_SECONDS) -> int:
        """Wait for its end; its exit code, negative for the signal that ended it."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            self.end()
            raise AssertionError(f"the run did not end within {seconds} s\n{self.tail}")
        return int(self._process.exitcode)

    def end(self) -> None:
        """Kill it, if it still runs."""
        if self._process.exitcode is None:
            os.kill(self.pid, signal.SIGKILL)
            self._process.join(10)

    def wait_until_paused(self, seconds: float = RUN_SECONDS) -> None:
        """Wait until it stands still at the point that `PAUSE_AT` named."""
        until = time.monotonic() + seconds
        while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
            assert self._process.exitcode is None, f"the run ended without a pause\n{self.tail}"
            assert time.monotonic() < until, f"the run did not get to its pause\n{self.tail}"
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def go_on(self) -> None:
        """End a pause."""
        self.signal(signal.SIGCONT)

    @property
    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.splitlines()[-25:])


class Case:
    """One source database of its own in a world, dropped at the end.

    Attributes:
        name: of the database, and of the source: its contracts and its landing area are called so.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = f"fault_{uuid.uuid4().hex[:10]}"
        self._folder = world.home / self.name
        self._folder.mkdir()
        self._tries: list[Try] = []
        self._runs = 0
        world.root(f"CREATE DATABASE {self.name}")
        world.root(f"GRANT SELECT, SHOW VIEW ON {self.name}.* TO lake_reader")

    # -- the source
    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements in the source, each committed; the rows of the last one."""
        return self.world.root(*statements, database=self.name)

    @contextmanager
    def connection(self, **options: Any) -> Iterator[pymysql.connections.Connection[Any]]:
        """A connection to the source as its administrator."""
        with closing(self.world.connect(self.name, **options)) as connection:
            yield connection

    def add(self, *tables: str, replace: bool = False, increment: str = "auto") -> None:
        """Write the contracts of tables as `lake add-table` does, with a way in which their changes are found."""
        with self.active():
            for file in add_tables(tables, source_name=self.name, replace=replace).written:
                file.write_text(f"{file.read_text()}increment: {increment}\n")

    @contextmanager
    def active(self, **more: str) -> Iterator[None]:
        """Let code in this process see this source, through no proxy unless ``more`` says so."""
        with self.world.active(**self._variables, **more):
            yield

    @property
    def _variables(self) -> dict[str, str]:
        return {"LAKE_SOURCE_NAME": self.name, "LAKE_SOURCE_DATABASE": self.name}

    @property
    def contracts(self) -> dict[str, Contract]:
        """The contracts of the source."""
        with self.active():
            return contract_files.load_all([self.name])

    # -- runs
    def new_run(self) -> str:
        """Name of the next run, as a scheduler would name it."""
        self._runs += 1
        return f"{self.name}_{self._runs}"

    def launch(
        self,
        run: str,
        *,
        full: bool = False,
        crash_at: Point | str | None = None,
        pause_at: Point | str | None = None,
        memory_bytes: int | None = None,
        chunk_bytes: int = drive.CHUNK_BYTES,
        unheard: str | None = None,
        from_the_start: bool = False,
        **environment: str,
    ) -> Try:
        """Start a try of a run; a run that was tried before goes on after its last finished task.

        Args:
            memory_bytes: how much the process may take beyond what it has at its start.
            chunk_bytes: how large a chunk is, in the source's pages.
            unheard: a task after which the process dies before it is kept that it was done.
            from_the_start: whether every task is done anew, as when a person clears the whole run.
            environment: further settings, such as the port of a proxy.
        """
        state = self._folder / f"{run}.json"
        if from_the_start:
            state.unlink(missing_ok=True)
        points = {"CRASH_AT": crash_at, "PAUSE_AT": pause_at}
        with self.active(**environment, **{name: value for name, value in points.items() if value}):
            variables = dict(os.environ)
        log = self._folder / f"{run}.{len(self._tries)}.log"
        arguments = (variables, memory_bytes, chunk_bytes, log, state, run, "full" if full else "auto", unheard)
        process = _processes.Process(target=drive.main, args=arguments, daemon=True)
        process.start()
        attempt = Try(process, log)
        self._tries.append(attempt)
        return attempt

    def run(self, run: str | None = None, **options: Any) -> Try:
        """Try a run, which must succeed."""
        attempt = self.launch(run or self.new_run(), **options)
        assert attempt.wait() == 0, attempt.tail
        return attempt

    def port(self, server: str) -> int:
        """Where `SHOP`, `S3` or `NESSIE` listens."""
        return int(self.world.environment[f"LAKE_{server}_PORT"])

    def bytes_sent(self) -> int:
        """How much the source's server has sent to all its clients since its start."""
        return int(self.sql("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")[0][1])

    # -- the oracle
    def prove(self) -> Proof:
        """Compare the published lake with the source; see `oracle.prove`."""
        with self.active(), self.connection() as connection:
            return oracle.prove(connection, self.contracts)

    def settle(self) -> str:
        """The end of every test: lake and source agree, one more run adds nothing, and no stray file is left.

        Returns:
            What was found, in a few words.
        """
        proof = self.prove()
        with self.active():
            before = oracle.raw_rows(self.contracts)
        self.run()
        assert self.prove() == proof, "a run over an unchanged source changed the lake"
        with self.active():
            added = oracle.raw_rows(self.contracts) - before
            assert added == 0, f"a run over an unchanged source added {added} rows to the raw layer"
            tidy()
            strays = oracle.strays(self.name, self.contracts)
            assert not strays, f"nothing refers to {strays}"
        return f"{proof}; a rerun added 0 rows; 0 stray files"

    def close(self) -> None:
        """End what still runs, and drop the database, its tables in the lake, its branches and its landing area."""
        for attempt in self._tries:
            attempt.end()
        self.world.root(f"DROP DATABASE IF EXISTS {self.name}")
        with self.active():
            for table in catalog.tables():
                layer, _, name = table.partition(".")
                if (self.world.home / "contracts" / self.name / f"{name}.yml").exists():
                    raw.open_catalog(catalog.MAIN).drop_table((layer, name))
            for branch in catalog.branches():
                if self.name in branch:
                    catalog.delete_branch(branch)
            storage.delete_prefix(f"{storage.LANDING}/{self.name}")


def until(condition: Any, seconds: float = 60) -> None:
    """Wait for something to become true.

    Raises:
        AssertionError: it did not in time.
    """
    for attempt in Retrying(stop=stop_after_delay(seconds), wait=wait_fixed(0.02), reraise=True):
        with attempt:
            assert condition(), "it did not come true"
