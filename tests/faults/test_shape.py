"""A table that a person has to look at, and a source that is away, hold back themselves and nothing else."""

from __future__ import annotations

import pytest

from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.run import run_id_of
from lake.settings import settings
from tests.faults import oracle
from tests.faults.case import Case
from tests.faults.data import change, fill
from tests.faults.record import Tell


def _run(case: Case, **environment: str) -> dict[str, Manifest]:
    """A run, which must succeed; what it says of each table."""
    run = case.new_run()
    case.run(run, **environment)
    with case.active():
        return {entry.table: entry for entry in manifest.read_all(case.name, run_id_of(run))}


@pytest.mark.fault("shape_ambiguous")
@pytest.mark.parametrize(
    ("struck", "statement", "why"),
    [
        ("items", "ALTER TABLE items DROP COLUMN note", "column items.note is not in the source"),
        ("places", "DROP TABLE places", "table 'places' is not in the source"),
    ],
)
def test_what_is_gone_holds_back_its_table_alone(case: Case, tell: Tell, struck: str, statement: str, why: str) -> None:
    fill(case, rows=500)
    before = _run(case)
    change(case)
    case.sql(statement)
    after = _run(case)
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


def _rows_of_places(case: Case) -> list[tuple[str | bytes | None, ...]]:
    contract = case.contracts["places"]
    with case.active():
        rows = oracle.lake_rows(contract)
    assert len(rows) == 50
    return sorted(rows, key=repr)


@pytest.mark.thorough
@pytest.mark.fault("shape_kept")
def test_a_table_that_is_gone_stays_where_its_contract_says_so_and_may_come_back(case: Case, tell: Tell) -> None:
    fill(case, rows=500)
    with case.active():
        file = settings().contracts / case.name / "places.yml"
        file.write_text(f"{file.read_text()}gone_table: keep\n")
    before = _run(case)
    shown = _rows_of_places(case)
    change(case)
    case.sql("DROP TABLE places")
    for _ in range(2):
        after = _run(case)
        assert (after["places"].mode, after["places"].held_since) == ("gone", before["places"].snapshot.instant)
        assert _rows_of_places(case) == shown
    assert after["items"].mode == "increment"

    case.sql(
        "CREATE TABLE places (country CHAR(2), code INT, name VARCHAR(50), PRIMARY KEY (country, code))",
        "INSERT INTO places VALUES ('XX', 1, 'new')",
    )
    came_back = _run(case)["places"]
    assert (came_back.mode, came_back.was_held) == ("full", True)
    tell(f"DROP TABLE places: kept as of its last run in two runs; it came back: {case.settle()}")


def test_a_table_that_was_renamed_is_not_taken_for_one_that_is_gone(case: Case) -> None:
    fill(case, rows=50)
    with case.active():
        file = settings().contracts / case.name / "places.yml"
        file.write_text(f"{file.read_text()}gone_table: keep\n")
    _run(case)
    case.sql("RENAME TABLE places TO towns")
    held = _run(case)["places"]
    assert held.mode == "held back"
    assert "has it become 'towns', with all its columns? 'source_table' says so" in held.reason


@pytest.mark.fault("source_away")
def test_a_source_that_is_away_holds_back_its_tables_unless_it_is_required(case: Case, tell: Tell) -> None:
    fill(case, rows=500)
    before = _run(case)
    change(case)
    case.world.primary.kill()
    try:
        refused = case.launch(case.new_run())
        assert refused.wait() == 1
        assert "lake.errors.Source" in refused.log, refused.tail

        for table, entry in _run(case, LAKE_SOURCE_REQUIRED="false").items():
            assert (entry.mode, entry.held_since) == ("held back", before[table].snapshot.instant)
            assert entry.reason.startswith(f"source {case.name}: ")
    finally:
        case.world.revive()
    case.run()
    tell(f"required, the run failed; not required, both tables were held back; with the server back {case.settle()}")
