"""What a step logs, and its span, say of which run and source it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from opentelemetry import trace

from lake import logs, tracing
from lake.tracing import names

Given = ParamSpec("Given")
Found = TypeVar("Found")


def logged(step: Callable[Given, Found]) -> Callable[Given, Found]:
    """A step whose lines say its name as ``task``, the run and the source that it is called with, and the trace.

    The span that is open says the same, and what the step ended with; Airflow has begun it for the task.
    """
    signature = inspect.signature(step)

    @wraps(step)
    def about_run(*arguments: Given.args, **named: Given.kwargs) -> Found:
        given = signature.bind(*arguments, **named).arguments
        run = given.get("run")
        run_id, source = run and run.run_id, given.get("source")
        tracing.note({names.RUN: run_id, names.SOURCE: source})
        with logs.about(task=step.__name__, run=run_id, source=source, trace_id=tracing.trace_id()):
            try:
                return step(*arguments, **named)
            except Exception as error:
                tracing.failed(trace.get_current_span(), error)
                raise

    return about_run
