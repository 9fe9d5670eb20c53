"""A year of a small shop: one run a day, a night of upkeep every thirty days, and what must follow from what happened.

What a day's run must end in is told by what was written and by the events of that day (`tests.year.events`), never by
asking the platform. It publishes if a row was written of a table that is not held, or if an event says so; else it
finds that nothing has changed.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML

from lake.commands.add_table import add_source, add_tables
from lake.ledger import receipts
from lake.ledger.receipts import HELD_BACK, Receipt
from lake.platform import catalog
from lake.settings import settings
from lake.source import sources
from tests.year import oracle, runs, upkeep
from tests.year.oracle import Table
from tests.year.runs import Death, Engine
from tests.year.shop import TABLES, Shop
from tests.year.world import World, bytes_by_layer, stored_bytes

SOURCE = "year"
KEYS = {
    **dict.fromkeys(TABLES, ("id",)),
    "countries": ("code",),
    "coupons": ("code",),
    "order_items": ("order_id", "line"),
    "visits": (),
}
WITH_HISTORY = "customers"


@dataclass(frozen=True)
class Event:
    """Something that happens on a day, before the run of that day, and what must follow.

    Attributes:
        happens: does it; gives the tables of which it wrote rows that the source tells of.
        publishes: whether the run publishes though no row was written.
        holds, frees: the table that is held back from this day on, or no longer.
        follows: the table whose contract follows it in this run.
        whole: tables that this run reads whole.
        is_quiet: whether nothing else happens that day.
    """

    day: int
    happens: Callable[[Year], set[str] | None]
    publishes: bool = False
    holds: str = ""
    frees: str = ""
    follows: str = ""
    whole: tuple[str, ...] = ()
    is_quiet: bool = False

    def __str__(self) -> str:
        return self.happens.__name__.replace("_", " ")


@dataclass
class Month:
    """What was measured of thirty days."""

    month: int
    runs: int = 0
    published: int = 0
    seconds: list[float] = field(default_factory=list, repr=False)
    steps: dict[str, list[float]] = field(default_factory=dict, repr=False)
    parity_seconds: float = 0.0
    maintenance_seconds: float = 0.0
    receipts: int = 0
    rows_compared: int = 0
    stored: dict[str, int] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the medians of what was measured of each run."""
        plain = asdict(self) | asdict(self)["stored"]
        plain["seconds"] = round(statistics.median(self.seconds), 2)
        plain["steps"] = {step: round(statistics.median(each), 2) for step, each in self.steps.items()}
        return {name: value for name, value in plain.items() if name != "stored"}


@dataclass
class Year:
    """The shop, the lake that follows it, and how the two stand.

    Attributes:
        begins_at: the instant of day 0 as the lake has it; the days after it lie in the future, so that whatever is
            older than something in truth is so in the year too.
        tables: of the shop that the lake has a contract for, by their first names.
        held: those of them that are held back.
        drifted: those that no log tells to have changed.
        dies_after: the step after which the next run is killed.
    """

    world: World
    shop: Shop
    begins_at: datetime
    month_days: int = 30
    engine: Engine = field(default_factory=Engine)
    tables: dict[str, Table] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    drifted: set[str] = field(default_factory=set)
    dies_after: Death | None = None
    day: int = 0
    months: list[Month] = field(default_factory=list)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    # -- what a person does
    def read_from(self, port: int, replace: bool = False) -> None:
        """`lake add-source`, again for another server."""
        password = quote(settings().source_password.get_secret_value(), safe="")
        url = f"mysql://lake_reader:{password}@{self.shop.server.host}:{port}/{self.shop.database}"
        add_source(sources.from_url(url, SOURCE, is_required=True), replace)

    def add(self, *names: str) -> None:
        """`lake add-table`, for some tables by their first names."""
        add_tables(names, source_name=SOURCE)
        for name in names:
            key = KEYS.get(name, ("id",))
            self.tables[name] = Table(f"{SOURCE}_{name}", key, {}, has_history=name == WITH_HISTORY)
            self.keys[self.tables[name].lake_name] = key
            if name == WITH_HISTORY:
                self.settle(name, lambda contract: contract.update(history=True))

    def settle(self, name: str, edit: Callable[[Any], object]) -> None:
        """Edit a table's contract as a person does."""
        file, yaml = self.contract(name), YAML()
        document = yaml.load(file.read_text(encoding="utf-8"))
        edit(document)
        with file.open("w", encoding="utf-8") as stream:
            yaml.dump(document, stream)

    def contract(self, name: str) -> Path:
        """File of a table's contract."""
        return settings().contracts / SOURCE / f"{self.tables[name].lake_name}.yml"

    # -- the days
    def live(self, days: int, events: Iterable[Event]) -> None:
        """Let days pass, from the first run on, and check each.

        Raises:
            AssertionError: something did not follow as it must; the day stands before it.
        """
        listed = [*events]
        for self.day in range(days + 1):
            today = [event for event in listed if event.day == self.day]
            try:
                self._live_a_day(today)
                if self.day and self.day % self.month_days == 0:
                    self._end_the_month()
            except Exception as error:
                error.add_note(
                    f"on day {self.day} of seed {self.shop.seed}: {', '.join(map(str, today)) or 'no event'}"
                )
                raise
        if days % self.month_days:
            self.months[-1].rows_compared += self.compare()

    def _live_a_day(self, today: list[Event]) -> None:
        if not self.day or (self.day > 1 and self.day % self.month_days == 1):
            self.months.append(Month(len(self.months) + 1))
        is_quiet = any(event.is_quiet for event in today)
        touched = set() if is_quiet or not self.day else self.shop.live(self.day)
        for event in today:
            touched |= event.happens(self) or set()
            self.held |= {event.holds} - {""}
            self.held -= {event.frees}
        # A table without a key is read whole in every run, and replaced.
        reads_keyless = any(not table.key for name, table in self.tables.items() if name not in self.held)
        publishes = not self.day or any(event.publishes for event in today)
        publishes |= reads_keyless or bool(touched & self.tables.keys() - self.held)
        began = time.monotonic()
        publishes, receipt = self._run(publishes)
        seconds = time.monotonic() - began
        self._check(receipt, publishes, today)
        self._measure(receipt, seconds)
        said = "; ".join(map(str, today))
        print(f"day {self.day}: {'published' if publishes else 'unchanged'} in {seconds:.1f} s "
              f"{self.engine.steps} {said}", flush=True)  # fmt: skip

    @property
    def now(self) -> datetime:
        """When the run of the day is, as the lake has it."""
        return self.begins_at + timedelta(days=self.day)

    def _run(self, publishes: bool) -> tuple[bool, Receipt]:
        """The run of the day; one that dies is begun anew.

        Returns:
            Whether the run that came to its end has anything to publish, and its receipt.
        """
        name = runs.dag_run_id(self.now)
        dies_after, self.dies_after = self.dies_after, None
        if dies_after is None:
            return publishes, runs.run(name, self.engine)
        before = catalog.head()
        runs.killed(name, dies_after, self.world.home / "killed.log")
        has_merged = dies_after == "merge"
        assert (catalog.head() != before) == has_merged, f"main after a run that died after {dies_after}"
        receipt = runs.run(name, self.engine)
        # What was merged has its receipt now, and nothing is left to be published.
        assert not has_merged or receipts.of_run(receipt.unchanged_since).lake_commit == catalog.head()
        return publishes and not has_merged, receipt

    def _check(self, receipt: Receipt, publishes: bool, today: list[Event]) -> None:
        """Whether the run ended as the day's events say, and counts what the source counts."""
        assert bool(receipt.unchanged_since) != publishes, f"expected that the run publishes: {publishes}; {receipt}"
        by_name = {name: receipt.tables.get(table.lake_name) for name, table in self.tables.items()}
        assert receipt.tables.keys() == {table.lake_name for table in self.tables.values()}
        held = {name for name, told in by_name.items() if told["mode"] == HELD_BACK}
        assert held == self.held, f"held back are {held}, and {self.held} should be"
        read = sorted(self.tables.keys() - self.held)
        there = oracle.counts(self.shop, read)
        refused = oracle.refused(self.shop, self.tables)
        for name in read:
            told, waiting = by_name[name], refused.get(name, 0)
            found = told["source_rows"], told["cleaned_rows"], told["quarantine_rows"]
            assert found == (there[name], there[name] - waiting, waiting), f"{name}: {found}, of {there[name]} rows"
        for event in today:
            if event.follows:
                assert by_name[event.follows]["followed"], f"the contract of {event.follows} has followed nothing"
            for name in event.whole:
                assert by_name[name]["mode"] == "full", f"{name} was not read whole: {by_name[name]['reason']}"

    def _measure(self, receipt: Receipt, seconds: float) -> None:
        month = self.months[-1]
        month.runs += 1
        month.published += not receipt.unchanged_since
        month.seconds.append(seconds)
        for step, each in self.engine.seconds.items():
            month.steps.setdefault(step, []).append(each)

    def _end_the_month(self) -> None:
        month, began = self.months[-1], time.monotonic()
        upkeep.prove(self)
        month.parity_seconds = round(time.monotonic() - began, 1)
        month.rows_compared += self.compare()
        began = time.monotonic()
        upkeep.maintain(self.engine.spark, self.now + timedelta(hours=12))
        month.maintenance_seconds = round(time.monotonic() - began, 1)
        month.receipts = len(receipts.run_ids())
        month.stored, month.layers = stored_bytes(), bytes_by_layer()
        print(f"month {month.month}: {month.to_json()}", flush=True)

    def compare(self) -> int:
        """Every table that is not held against the source, row by row; how many rows there are."""
        return oracle.assert_equal(self.shop, {n: table for n, table in self.tables.items() if n not in self.held})

    def report(self, file: Path) -> None:
        """Write what was measured."""
        document = {
            "server": self.shop.server.kind,
            "seed": self.shop.seed,
            "days": self.day,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "months": [month.to_json() for month in self.months],
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
