"""What a step logs says of which run and source it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from lake import logs

Given = ParamSpec("Given")
Found = TypeVar("Found")


def logged(step: Callable[Given, Found]) -> Callable[Given, Found]:
    """A step whose lines say its name as ``task``, and the run and the source that it is called with."""
    signature = inspect.signature(step)

    @wraps(step)
    def about_run(*arguments: Given.args, **named: Given.kwargs) -> Found:
        given = signature.bind(*arguments, **named).arguments
        run = given.get("run")
        with logs.about(task=step.__name__, run=run and run.run_id, source=given.get("source")):
            return step(*arguments, **named)

    return about_run
