"""Lineage in the words of OpenLineage: an event for each job of a run, with a column lineage for each table it made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.generated.column_lineage_dataset import (
    ColumnLineageDatasetFacet,
    Fields,
    InputField,
    Transformation,
)
from openlineage.client.serde import Serde

from lake.ledger.lineage_ledger import Event
from lake.lineage.graph import Uses, grouped
from lake.lineage.model import Kind, Made, Table
from lake.source.sources import Source

LAKE = "lake"
"""Namespace of the lake's tables and of its jobs. Sources have their addresses, reports and alert rules their kind."""

PRODUCER = "urn:shoplake"


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
    return OutputDataset(*_place(made.table, sources), facets={"columnLineage": facet})


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
        source = sources[table.space]
        return f"mysql://{source.host}:{source.port}", f"{source.database}.{table.name}"
    return (LAKE if table.kind is Kind.LAKE else table.kind.value), str(table)
