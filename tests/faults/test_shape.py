"""A table that a person has to look at, and a source that is away, hold back themselves and nothing else."""

from __future__ import annotations

import pytest

from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.platform import catalog
from lake.run import last_published
from tests.faults.case import Case
from tests.faults.data import change, fill
from tests.faults.record import Tell


def _published(case: Case) -> dict[str, Manifest]:
    """What the published run says of each table."""
    with case.active():
        run_id = last_published(catalog.head())
        assert run_id is not None
        return {entry.table: entry for entry in manifest.read_all(case.name, run_id)}


@pytest.mark.fault("shape_ambiguous")
@pytest.mark.parametrize(
    ("struck", "statement", "why"),
    [
        ("items", "ALTER TABLE items DROP COLUMN note", "column items.note is not in the source"),
        ("places", "DROP TABLE places", "places is not in the source"),
    ],
)
def test_what_is_gone_holds_back_its_table_alone(case: Case, tell: Tell, struck: str, statement: str, why: str) -> None:
    fill(case, rows=500)
    case.run()
    before = _published(case)
    change(case)
    case.sql(statement)
    case.run()

    after = _published(case)
    (other,) = after.keys() - {struck}
    assert (after[struck].mode, after[struck].held_since) == ("held back", before[struck].snapshot.instant)
    assert why in after[struck].reason
    assert (after[struck].rows, after[struck].source_rows) == (0, before[struck].source_rows)
    assert after[other].mode == "increment"
    assert after[other].rows

    if struck == "items":
        case.add("items", replace=True)
    else:
        case.sql("CREATE TABLE places (country CHAR(2), code INT, name VARCHAR(50), PRIMARY KEY (country, code))")
    case.run()
    tell(f"{statement}: held back as of its last run, `{other}` was read; settled, {case.settle()}")


@pytest.mark.fault("source_away")
def test_a_source_that_is_away_holds_back_its_tables_unless_it_is_required(case: Case, tell: Tell) -> None:
    fill(case, rows=500)
    case.run()
    before = _published(case)
    change(case)
    case.world.primary.kill()
    try:
        refused = case.launch(case.new_run())
        assert refused.wait() == 1
        assert "lake.errors.Source" in refused.log, refused.tail

        case.run(LAKE_SOURCE_REQUIRED="false")
        for table, entry in _published(case).items():
            assert (entry.mode, entry.held_since) == ("held back", before[table].snapshot.instant)
            assert entry.reason.startswith(f"source {case.name}: ")
    finally:
        case.world.revive()
    case.run()
    tell(f"required, the run failed; not required, both tables were held back; with the server back {case.settle()}")
