"""How a benchmark is run as a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from lake.errors import LakeError


def run(benchmark: Callable[..., Any]) -> None:
    """Run a benchmark with the options of the command line; errors that a person can mend are printed without a
    traceback."""
    try:
        typer.run(benchmark)
    except LakeError as error:
        Console().print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise SystemExit(1) from None
