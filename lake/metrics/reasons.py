"""Why a metric is not what it was, looked for in each of its dimensions and told in words."""

from __future__ import annotations

from collections.abc import Callable

from lake.metrics import why
from lake.metrics.definitions import Metric
from lake.metrics.wording import told

CellsOf = Callable[[str], why.Cells]
"""The name of a dimension in, what the metric is and was of each of its segments out."""

SPREAD = "spread over the segments of every dimension"


def explained(metric: Metric, cells_of: CellsOf, but: str = "") -> why.Explanation | None:
    """What a change comes from; None where there is none, or nothing to split it by.

    Args:
        but: a dimension that is not looked at, because the change is that of one of its segments.
    """
    cells = {name: cells_of(name) for name in metric.dimensions if name != but}
    return why.explain({name: each for name, each in cells.items() if each})


def words(found: why.Explanation, metric: Metric) -> str:
    """An explanation in a line."""
    if not found.dimension:
        return SPREAD
    parts = [
        f"{part.segment} ({told(part.before, metric.unit)} -> {told(part.now, metric.unit)}, "
        f"{found.share(part) * 100:.0f} % of the change)"
        for part in found.parts
    ]
    said = f"mostly {found.dimension} {', '.join(parts)}"
    if metric.formula.kind == "quotient":
        by_rates = found.rate / found.change * 100
        said += f"; {by_rates:.0f} % of the change are the segments' own, the rest is their weight"
    return said
