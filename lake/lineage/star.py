"""The lineage of the star schema: the functions that build it on Spark, asked for the SQL that they stand for.

They say in Python what the tables are made of, and only they. sqlframe has Spark's DataFrames without a Spark: what it
is told becomes a query, which is read like any other. So nothing is declared beside the code, and no server is needed.
The plan that Spark's server makes of the same code would do as well, but it can be had as a text for people alone, and
only while a server is up.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from lake.contracts import Contract
from lake.errors import LakeError
from lake.lineage import queries
from lake.lineage.model import Columns, Made, lake_table


def made(contracts: Mapping[str, Contract], known: Columns) -> Iterator[Made]:
    """The curated tables.

    Args:
        contracts: of the tables that the star schema is made of, by name.
        known: columns of the cleaned tables.

    Raises:
        LakeError: a contract is missing, or a builder uses something of Spark that sqlframe does not know.
    """
    # Imported here: they bring Spark's client, and most of those who ask for a lineage have it in the cache.
    from sqlframe.standalone import StandaloneSession

    from spark_jobs.curated import MODELS

    session: Any = StandaloneSession()
    inputs_of_all = sorted({name for model in MODELS for name in model.inputs})
    if missing := [name for name in inputs_of_all if name not in contracts]:
        raise LakeError(f"the star schema is made of {', '.join(missing)}, too", "put their contracts back")
    for name in inputs_of_all:
        columns = contracts[name].columns.items()
        session.catalog.add_table(f"cleaned.{name}", {column: told.parsed.sql for column, told in columns})
    for model in MODELS:
        inputs = [session.read.table(f"cleaned.{name}") for name in model.inputs]
        query = _query(model.build, inputs)
        yield queries.read(lake_table("curated", model.name), f"curated.{model.name}", query, known, "spark")


def _query(build: Callable[..., Any], inputs: list[Any]) -> str:
    builder = getattr(_beside_spark(build.__module__), build.__name__)
    try:
        return str(builder(*inputs).sql(dialect="spark", optimize=False))
    except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
        raise LakeError(
            f"the lineage of curated.{build.__name__} cannot be told: {error}",
            f"write {build.__module__}.{build.__name__} with what sqlframe knows of Spark",
        ) from error


def _beside_spark(name: str) -> ModuleType:
    """A module of Spark's functions once more, with sqlframe's in their place. The module itself stays as it is."""
    from sqlframe.standalone import functions

    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__dict__["F"] = functions
    return module
