"""How fast the sources were read: rows of the receipts over seconds of Airflow's task."""

from __future__ import annotations

from typing import Any

import pytest

from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.observe import extraction
from lake.observe.extraction import Extraction
from lake.observe.news import State
from tests.unit.observe.made_up import NOON, MadeUp, run, task
from tests.unit.observe.test_published import shown

DAG_RUN = "scheduled__2026-11-26T12:00:00+00:00"
RUN = "scheduled_20261126t120000"


def receipt(run_id: str = RUN, **rows: int) -> Receipt:
    """What a run read, by source; of each source two tables."""
    tables: dict[str, dict[str, Any]] = {}
    for source, count in rows.items():
        tables |= {f"{source}_a": {"source": source, "read": count}, f"{source}_b": {"source": source, "read": 0}}
    return Receipt(run_id, "", "", "", NOON.isoformat(), "", "", tables=tables)


def airflow(run_id: str = DAG_RUN, **seconds: float) -> MadeUp:
    of = run("shop_lake", run_id, "success", NOON)
    done = [
        task(of, "extract", "success", each, map_index=index, label=source)
        for index, (source, each) in enumerate(seconds.items())
    ]
    return MadeUp(runs=[of], done=[*done, task(of, "clean", "success", 1, label="shop", map_index=0)])


def test_rows_a_second_by_source() -> None:
    found: Any = airflow(shop=4, crm=0.5)
    assert extraction.speeds([receipt(shop=1000, crm=200)], found) == {"shop": 250, "crm": 400}


def test_a_source_of_which_nothing_was_read_keeps_what_it_had() -> None:
    found: Any = airflow(shop=4, crm=0.5)
    assert extraction.speeds([receipt(shop=1000, crm=0)], found) == {"shop": 250}
    assert extraction.speeds([receipt("later", shop=0), receipt(shop=1000)], found) == {"shop": 250}


def test_a_run_of_which_airflow_knows_nothing_tells_nothing() -> None:
    found: Any = airflow("manual__x", shop=4)
    assert extraction.speeds([receipt(shop=1000)], found) == {}


def test_a_second_try_of_a_run_has_an_id_of_its_own() -> None:
    runs = airflow().runs
    assert extraction.of_run(RUN, runs) == extraction.of_run(f"{RUN}_2", runs) == runs[0]
    assert extraction.of_run(f"{RUN}_x", runs) is None


def test_receipts_are_read_when_there_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    written, read = [receipt(shop=1000)], []

    def newest(limit: int) -> Any:
        for each in written[:limit]:
            read.append(each.run_id)
            yield each

    monkeypatch.setattr(receipts, "newest", newest)
    made_up = airflow(shop=4)
    found = Extraction(made_up.sessions())
    state = [None]
    monkeypatch.setattr(found._news, "state", lambda: state[0])
    assert found.collect() == []
    state[0] = State("c1", RUN, True)
    for _ in range(2):
        assert shown(found.collect()) == {("extraction_rows_per_second", "shop"): 250}
    assert read == [RUN]
    written.insert(0, receipt("idle", shop=0))
    state[0] = State("c1", "idle", True)
    assert shown(found.collect()) == {("extraction_rows_per_second", "shop"): 250}
    assert read == [RUN, "idle", RUN]
    assert made_up.asked["newest_runs"] == 1
