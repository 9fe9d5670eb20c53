"""The metrics as the API asks for them: their definitions, and the compiler, one question at a time."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from threading import Lock

from lake.layers import dbt_manifest
from lake.layers.marts import DBT
from lake.metrics import definitions
from lake.metrics.ask import Question
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metrics
from lake.recommend import serve
from lake.search import ask


class Defined:
    """Metrics and their compiler, which threads may share.

    Args:
        metrics: those of this checkout, in the product.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._compiler = Compiler(metrics.manifest)
        self._lock = Lock()

    def compile(self, question: Question) -> str:
        """SQL for Trino, with tables as ``layer.table``. Raises as `Compiler.compile` does."""
        # MetricFlow does not say that threads may share it.
        with self._lock:
            statement = self._compiler.compile(question)
        return statement.replace(f'"{dbt_manifest.PARSED_FOR}".', "")


def load() -> Defined:
    """The metrics of this checkout; takes seconds.

    Raises:
        LakeError: a definition is wrong.
    """
    return Defined(definitions.load())


@lru_cache(maxsize=1)
def code() -> str:
    """Names the code that answers come from: the definitions, this package, and those that it asks."""
    digest = hashlib.sha256(dbt_manifest.fingerprint(DBT).encode())
    for module in (__file__, definitions.__file__, ask.__file__, serve.__file__):
        folder = Path(module).parent
        for file in sorted(folder.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
