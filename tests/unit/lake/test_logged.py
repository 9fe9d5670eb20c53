"""What the lines of a step are about."""

from __future__ import annotations

from structlog.contextvars import get_contextvars

from lake.run import Run
from lake.steps.logged import logged


@logged
def extract(run: Run, source: str) -> dict[str, object]:
    """A step over a source."""
    return get_contextvars()


@logged
def audit(run: Run) -> dict[str, object]:
    """A step over a run."""
    return get_contextvars()


@logged
def start(dag_run_id: str) -> dict[str, object]:
    """A step before there is a run."""
    return get_contextvars()


def test_a_step_says_its_run_and_its_source_however_they_are_given() -> None:
    run = Run("r1", "abc")
    assert extract(run, "shop") == extract(run, source="shop") == {"task": "extract", "run": "r1", "source": "shop"}
    assert audit(run=run) == {"task": "audit", "run": "r1"}
    assert start("manual__1") == {"task": "start"}
    assert get_contextvars() == {}
