"""Lineage in the words of OpenLineage: an event for each job of a run, with a column lineage for each table it made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.generated.column_lineage_dataset import (
    ColumnLineageDatasetFacet,
    Fields,
    InputField,
    Transformation,
)
from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields
from openlineage.client.serde import Serde

from lake.ledger.lineage_ledger import Event
from lake.lineage.graph import Uses, grouped
from lake.lineage.model import Column, Input, Kind, Made, Table, Use
from lake.source.sources import Source

LAKE = "lake"
"""Namespace of the lake's tables and of its jobs. Sources have their addresses, reports and alert rules their kind."""

PRODUCER = "urn:shoplake"
_SCHEME = "mysql://"


def events(made: Iterable[Made], sources: Mapping[str, Source], run_id: str, at: datetime) -> list[Event]:
    """What each job made of what.

    Args:
        sources: by name, for their addresses.
        run_id: of our run; OpenLineage's is a UUID made of it.
        at: when the run was published, with a time zone.
    """
    # What nobody made is the sources' own.
    by_job = sorted((one for one in made if one.by), key=lambda one: (one.by, one.table))
    run = Run(str(uuid5(NAMESPACE_URL, f"{PRODUCER}:{run_id}")))
    found = []
    for job, tables in groupby(by_job, key=lambda one: one.by):
        outputs = list(tables)
        inputs = sorted({table for one in outputs for table in one.inputs})
        event = RunEvent(
            eventTime=at.isoformat(),
            producer=PRODUCER,
            eventType=RunState.COMPLETE,
            run=run,
            job=Job(LAKE, job),
            inputs=[InputDataset(*_place(table, sources)) for table in inputs],
            outputs=[_output(one, sources) for one in outputs],
        )
        found.append(Event(job, Serde.to_json(event)))
    return found


def _output(made: Made, sources: Mapping[str, Source]) -> OutputDataset:
    facet = ColumnLineageDatasetFacet(
        fields={name: Fields(_inputs(grouped(inputs), sources)) for name, inputs in made.columns.items()},
        dataset=_inputs(grouped(made.rows), sources),
        producer=PRODUCER,
    )
    # The fields of a lineage are in no order.
    schema = SchemaDatasetFacet([SchemaDatasetFacetFields(name) for name in made.columns], producer=PRODUCER)
    return OutputDataset(*_place(made.table, sources), facets={"columnLineage": facet, "schema": schema})


def _inputs(uses: Uses, sources: Mapping[str, Source]) -> list[InputField]:
    return [
        InputField(
            *_place(column.table, sources),
            column.name,
            [Transformation("DIRECT" if use.is_direct else "INDIRECT", use.value) for use in found],
        )
        for column, found in uses.items()
    ]


def _place(table: Table, sources: Mapping[str, Source]) -> tuple[str, str]:
    """Namespace and name (https://openlineage.io/docs/spec/naming)."""
    if table.kind is Kind.SOURCE and table.space in sources:
        return _address(sources[table.space]), f"{sources[table.space].database}.{table.name}"
    return (LAKE if table.kind is Kind.LAKE else table.kind.value), str(table)


def read(events: Iterable[Event], sources: Mapping[str, Source]) -> list[Made]:
    """How every table comes about by some events: the inverse of `events`.

    Args:
        sources: by name; a database that none of them reads any more is called by its own name.
    """
    found: dict[Table, Made] = {}
    for event in events:
        document = json.loads(event.json)
        for output in document["outputs"]:
            facet, names = output["facets"]["columnLineage"], output["facets"]["schema"]["fields"]
            table = _table(output["namespace"], output["name"], sources)
            columns = {each["name"]: _read(facet["fields"][each["name"]]["inputFields"], sources) for each in names}
            found[table] = Made(table, event.job, columns, _read(facet["dataset"], sources))
    return [*_made_by_nobody(found), *found.values()]


def _made_by_nobody(found: Mapping[Table, Made]) -> Iterator[Made]:
    """The tables that others are made of and that no job makes: the sources' own, with their columns in the order in
    which they are read."""
    used: dict[Table, dict[str, frozenset[Input]]] = {}
    for one in found.values():
        for inputs in (*one.columns.values(), one.rows):
            for column in sorted(each.column for each in inputs):
                if column.table not in found:
                    used.setdefault(column.table, {})[column.name] = frozenset()
    return (Made(table, "", columns) for table, columns in used.items())


def _read(fields: Iterable[Mapping[str, Any]], sources: Mapping[str, Source]) -> frozenset[Input]:
    return frozenset(
        Input(Column(_table(field["namespace"], field["name"], sources), field["field"]), Use(one["subtype"]))
        for field in fields
        for one in field["transformations"]
    )


def _table(namespace: str, name: str, sources: Mapping[str, Source]) -> Table:
    """The inverse of `_place`."""
    for source in sources.values():
        if namespace == _address(source) and name.startswith(f"{source.database}."):
            return Table(Kind.SOURCE, source.name, name.removeprefix(f"{source.database}."))
    space, _, rest = name.partition(".")
    return Table(Kind.SOURCE if namespace.startswith(_SCHEME) else Kind(namespace), space, rest)


def _address(source: Source) -> str:
    return f"{_SCHEME}{source.host}:{source.port}"
