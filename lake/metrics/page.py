"""Writes docs/metrics.md from the definitions: `python -m lake.metrics.page`; `--check` only looks."""

from __future__ import annotations

import sys
from pathlib import Path

from lake.metrics.definitions import Metric, Metrics, load
from lake.settings import PROJECT

PAGE = PROJECT / "docs" / "metrics.md"

HEAD = """# Metrics

Generated from `dbt/models/metrics/` by `python -m lake.metrics.page`; `make lint` refuses a stale page.

Each metric is defined once, and reads the same everywhere:

```
lake metric                                        # lists them
lake metric revenue                                # of all days
lake metric revenue --by category --grain month --from 2026-01-01 --to 2026-03-31
lake metric conversion_rate --by device --by source --json
lake metric revenue --at COMMIT                    # as it was; `lake receipts` lists commits
```

Days are UTC days; both `--from` and `--to` count. A metric that is known by month takes the months that begin between
them. A quotient that has nothing to divide by is empty (`null` in JSON), not zero. Decimals are text in JSON, so that
none is rounded. How a metric comes about column by column, `lake lineage` tells of its marts.

`lake docs` makes pages of the marts: models and their columns, tests, metrics, and what depends on what,
from the tables of the shop to reports and alert rules; `--serve` shows them at an address. Which columns a
mart has is declared beside it and proven of each build before it is published. What dbt told of a run's build
(`manifest.json` and `run_results.json`, gzipped) is kept with the run, under `s3://audit/<run>/dbt/`.

Percentiles are exact: the smallest value that so many of all values do not exceed (nearest rank). MetricFlow itself has
approximate ones alone for Trino, which may differ from one time to the next; so Shoplake writes their SQL.

Helpers are what others are computed of, and nobody would ask for. They stand apart below, and can be asked for as well.

To add one, write it into a file of `dbt/models/metrics/`, in the format of dbt's semantic layer, with `unit`, `owner`
and `good` in its `meta`, and `helper: true` in a helper's; then run `python -m lake.metrics.page`. What is wrong in it
is told with file and line.
"""


def written(metrics: Metrics) -> str:
    """The page."""
    asked = [metric for metric in metrics if not metric.is_helper]
    of_owners = [
        (owner.capitalize(), [metric for metric in asked if metric.owner == owner])
        for owner in sorted({metric.owner for metric in asked})
    ]
    parts = [HEAD]
    for title, listed in (*of_owners, ("Helpers", [metric for metric in metrics if metric.is_helper])):
        parts.append(f"\n## {title}\n\n")
        parts.append(
            "| metric | what it is | unit | good | by | known by | computed as |\n|---|---|---|---|---|---|---|\n"
        )
        parts += map(_row, listed)
    return "".join(parts)


def _row(metric: Metric) -> str:
    by = ", ".join(f"`{name}`" for name in metric.dimensions) or "–"
    cells = (
        f"**{metric.label}**<br>`{metric.name}`",
        metric.description,
        metric.unit,
        metric.good,
        by,
        metric.grain,
        f"`{metric.expression.replace('|', chr(92) + '|')}`",
    )
    return f"| {' | '.join(cells)} |\n"


def main(arguments: list[str], page: Path = PAGE) -> int:
    """Write the page, or tell whether it is stale; the exit code."""
    text = written(load())
    if "--check" not in arguments:
        page.write_text(text, "utf-8")
        return 0
    if not page.exists() or page.read_text("utf-8") != text:
        print(f"{page.relative_to(PROJECT)} is stale: run `python -m lake.metrics.page`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
