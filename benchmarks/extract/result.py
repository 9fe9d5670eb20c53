"""What the benchmark found: medians of the rounds, ratios, JSON, and a table for people."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from statistics import median
from typing import Any

from rich.table import Table as PrintedTable

from benchmarks.extract.compare import Comparison
from benchmarks.extract.process import Figures
from benchmarks.extract.ways import Group, Way
from benchmarks.measure import ratio

NAMES = tuple(each.name for each in fields(Figures))


@dataclass
class Entry:
    """One way: its figures of every round, what came out, or why it was not measured."""

    way: Way
    rounds: list[Figures] = field(default_factory=list)
    main: Comparison | None = None
    torture: dict[str, Comparison | str] = field(default_factory=dict)
    not_measured: str | None = None

    @property
    def medians(self) -> Figures | None:
        """Of each figure by itself; None without a round."""
        if not self.rounds:
            return None
        return Figures(**{name: median(getattr(each, name) for each in self.rounds) for name in NAMES})

    @property
    def is_exact(self) -> bool:
        """Whether everything came out right that came out at all: no column of the main table is wrong, and what the
        small tables hold is right or was refused.
        """
        told = [self.main, *(found for found in self.torture.values() if not isinstance(found, str))]
        return all(found is not None and not found.type_errors for found in told)

    def to_json(self) -> dict[str, Any]:
        """Plain values; ``type_errors`` counts the main table's columns of wrong types or values."""
        if self.not_measured or not self.medians:
            return {"what": self.way.what, "not_measured": self.not_measured or "no round was run"}
        told: dict[str, Any] = {"what": self.way.what, **self.medians.to_json()}
        told["total_cpu_s"] = round(total_cpu(self.medians), 3)
        if self.main:
            told["type_errors"] = self.main.type_errors
            told["values_wrong"] = self.main.values_wrong
            told["errors"] = [finding.to_json() for finding in self.main.findings]
            told["widened"] = dict(self.main.widened or {})
            told["torture"] = {
                table: found if isinstance(found, str) else [finding.to_json() for finding in found.findings]
                for table, found in self.torture.items()
                if isinstance(found, str) or found.findings
            }
        told["rounds"] = [figures.to_json() for figures in self.rounds]
        return told


@dataclass
class Result:
    """All ways over one table."""

    table: str
    rows: int
    entries: list[Entry]
    machine: dict[str, Any] = field(default_factory=dict)

    def named(self, name: str) -> Entry:
        """The entry of this name."""
        return next(entry for entry in self.entries if entry.way.name == name)

    def of(self, group: Group) -> list[Entry]:
        """The entries of one group, in their order."""
        return [entry for entry in self.entries if entry.way.group == group]

    @property
    def floor(self) -> float | None:
        """Wall seconds of the faster protocol's packets, read and thrown away."""
        walls = [figures.wall_s for entry in self.of("floor") if (figures := entry.medians)]
        return min(walls, default=None)

    def goals(self) -> dict[str, float | None]:
        """The figures that the platform's reader is judged by."""
        ours, hashed = self.named("parquet"), self.named("parquet, hashes")
        peers = [entry for entry in self.of("peers") if entry.rounds]
        return {
            "wall_to_floor": paired(ours, self.of("floor"), lambda figures: figures.wall_s),
            "hashes_wall_to_floor": paired(hashed, self.of("floor"), lambda figures: figures.wall_s),
            "rows_per_cpu_s_to_best_peer": paired_inverse(ours, peers),
            "rows_per_cpu_s_to_best_exact_peer": paired_inverse(ours, [each for each in peers if each.is_exact]),
            "peak_mb": max((each.medians.peak_mb for each in (ours, hashed) if each.medians), default=None),
            "type_errors": ours.main.type_errors if ours.main else None,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        groups = {
            "floor": {each.way.name.removeprefix("floor "): each.to_json() for each in self.of("floor")},
            "ours": {each.way.name: each.to_json() for each in self.of("ours")},
            "peers": {each.way.name: each.to_json() for each in self.of("peers")},
        }
        goals = {name: value if value is None else round(value, 3) for name, value in self.goals().items()}
        return {"table": self.table, "rows": self.rows, "machine": self.machine, "goals": goals, **groups}

    def printed(self) -> PrintedTable:
        """A row a way: seconds, memory, how many times the floor, rows per CPU second, errors."""
        title = f"{self.table}: {self.rows:,} rows, medians of {max(len(each.rounds) for each in self.entries)} rounds"
        columns = ("wall s", "× floor", "client CPU s", "server CPU s", "peak MB", "rows / CPU s")
        shown = PrintedTable(title=title, title_justify="left", box=None)
        shown.add_column("", no_wrap=True)
        for name in columns:
            shown.add_column(name, justify="right")
        shown.add_column("wrong columns")
        for entry in self.entries:
            figures = entry.medians
            if figures is None:
                why = (entry.not_measured or "").strip().splitlines() or ["?"]
                shown.add_row(entry.way.name, *[""] * len(columns), f"not measured: {why[-1][:80]}")
                continue
            times = ratio(figures.wall_s, self.floor or 0)
            numbers = (
                f"{figures.wall_s:.2f}",
                "" if times is None else f"{times:.2f}",
                f"{figures.client_cpu_s:.2f}",
                f"{figures.server_cpu_s:.2f}",
                f"{figures.peak_mb:,.0f}",
                f"{self.rows / total_cpu(figures):,.0f}",
            )
            shown.add_row(entry.way.name, *numbers, _errors(entry))
        return shown


def _errors(entry: Entry) -> str:
    if entry.main is None:
        return ""
    names = ", ".join(finding.column for finding in entry.main.findings) or "none"
    bad = sum(isinstance(found, str) or bool(found.findings) for found in entry.torture.values())
    return names + (f"; {bad} of {len(entry.torture)} torture tables" if bad else "")


def total_cpu(figures: Figures) -> float:
    """CPU seconds of both sides."""
    return figures.client_cpu_s + figures.server_cpu_s


def paired(entry: Entry, others: list[Entry], figure: Any) -> float | None:
    """Median, over the rounds, of an entry's figure by the least of the others' in the same round.

    The machine drifts between rounds, so that only what was measured in the same one is compared.
    """
    rounds = [
        figure(mine) / min(figure(other.rounds[at]) for other in others if at < len(other.rounds))
        for at, mine in enumerate(entry.rounds)
        if any(at < len(other.rounds) for other in others)
    ]
    return median(rounds) if rounds else None


def paired_inverse(entry: Entry, others: list[Entry]) -> float | None:
    """How many times as many rows a CPU second as the best of the others, in the median round."""
    times = paired(entry, others, total_cpu)
    return 1 / times if times else None
