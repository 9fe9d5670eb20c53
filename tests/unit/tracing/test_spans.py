"""What our code says of itself in spans, and how many there are at most."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from lake import logs, tracing
from lake.errors import LakeError
from lake.run import Run
from lake.steps.logged import logged
from lake.tracing import MOST_OF_A_KIND, MOST_SPANS, names
from lake.tracing.statements import summary, without_values
from tests.unit.tracing.conftest import Spans


def test_a_span_stands_below_the_open_one_also_in_a_pool_of_threads(ended: Spans) -> None:
    with (
        tracing.span("outer", {names.ROWS: 5, names.SOURCE: None}, service="trino"),
        ThreadPoolExecutor(1, initializer=logs.same_context()) as pool,
    ):
        pool.submit(_work).result()
    outer, inner = ended()["outer"], ended()["inner"]
    assert inner.parent and outer.context and inner.parent.span_id == outer.context.span_id
    assert dict(outer.attributes or {}) == {names.ROWS: 5, names.SERVICE: "trino"}


def _work() -> None:
    with tracing.span("inner"):
        pass


def test_an_error_is_said_and_goes_on(ended: Spans) -> None:
    with pytest.raises(LakeError), tracing.span("step"):
        raise LakeError("no such table", "name another")
    status = ended()["step"].status
    assert status.status_code is StatusCode.ERROR
    assert status.description and status.description.startswith("LakeError: no such table")
    assert not ended()["step"].events  # a traceback is the log's matter


def test_a_process_begins_no_more_spans_than_it_may_and_counts_the_rest(ended: Spans) -> None:
    with tracing.span("around"):
        for number in range(MOST_SPANS + 9):
            with tracing.span(f"statement {number}"):
                pass
    assert len(ended()) == MOST_SPANS
    assert (ended()["around"].attributes or {})[names.LEFT_OUT] == 10


def test_things_of_one_kind_count_among_all(ended: Spans) -> None:
    for block in range(20):
        with tracing.several(f"block {block}") as told:
            for number in range(MOST_OF_A_KIND):
                told.add(f"{block}-{number}", 0, 10**9)
    assert len(ended()) == MOST_SPANS


def test_of_several_things_the_longest_and_those_that_failed_have_spans(ended: Spans) -> None:
    begun = time.time_ns()
    with pytest.raises(ValueError), tracing.several("tables", service="spark") as told:
        for number in range(200):
            told.add(f"t{number}", begun, begun + (number + 2) * 1_000_000_000, {names.ROWS: number})
        told.add("unchanged", begun, begun + 1)
        told.note("unchanged", {}, is_quiet=True)
        with told.one("broken"):
            raise ValueError("5")
    found = ended()
    around = found.pop("tables")
    assert len(found) == MOST_OF_A_KIND
    assert found.keys() == {"broken", *(f"t{number}" for number in range(200 - MOST_OF_A_KIND + 1, 200))}
    assert (found["t199"].start_time, found["t199"].end_time) == (begun, begun + 201_000_000_000)
    assert dict(found["t199"].attributes or {}) == {names.ROWS: 199, names.SERVICE: "spark"}
    assert found["broken"].status.description == "ValueError: 5"
    assert (around.attributes or {})[names.LEFT_OUT] == 202 - MOST_OF_A_KIND
    assert (around.attributes or {})[names.LEFT_OUT_SECONDS] == pytest.approx(sum(range(2, 153)), abs=0.01)


def test_what_several_threads_did_for_one_thing_is_one_span(ended: Spans) -> None:
    with tracing.several("tables") as told:
        told.add("orders", 1_000_000_000, 3_000_000_000)
        told.add("orders", 2_000_000_000, 6_000_000_000)
    orders = ended()["orders"]
    assert (orders.start_time, orders.end_time) == (1_000_000_000, 6_000_000_000)
    assert dict(orders.attributes or {}) == {names.BUSY_SECONDS: 6.0}


def test_without_a_tracer_nothing_is_done() -> None:
    with tracing.span("a", {names.ROWS: 5}) as span, tracing.several("b") as told, told.one("c"):
        assert not span.is_recording()
    tracing.note({names.ROWS: 5})
    assert tracing.trace_id() == ""
    began = time.perf_counter()
    for _ in range(1000):
        with tracing.span("a", {names.ROWS: 5}):
            pass
    assert time.perf_counter() - began < 0.5


@logged
def extract(run: Run, source: str) -> str:
    """A step over a source."""
    return tracing.trace_id()


def test_a_step_says_its_run_in_the_task_s_span_and_its_trace_in_its_lines(ended: Spans) -> None:
    trace_id = extract(Run("r1", "abc"), "shop")
    assert len(trace_id) == 32
    said = getattr(trace.get_current_span(), "attributes", {})
    assert said == {names.RUN: "r1", names.SOURCE: "shop"}


# -- statements
@pytest.mark.parametrize(
    ("statement", "bare"),
    [
        ("SELECT * FROM t WHERE email = 'ada@example.org'", "SELECT * FROM t WHERE email = ?"),
        ("SELECT 'it''s', x'0a', U&'\\0041', 1.5e-3, t1.c2", "SELECT ?, ?, ?, ?, t1.c2"),
        ('SELECT "o\'5", "a""b" FROM "c-5"  -- \'x\'\n', 'SELECT "o\'5", "a""b" FROM "c-5"'),
        ("SELECT /* '5' */ DATE '2026-01-01'", "SELECT DATE ?"),
        ("SELECT 'never closed", "SELECT ?"),
    ],
)
def test_a_statement_stands_there_without_its_values(statement: str, bare: str) -> None:
    assert without_values(statement) == bare


def test_a_statement_in_a_few_words() -> None:
    assert summary('DROP CATALOG IF EXISTS "run_1"') == "DROP CATALOG"
    assert summary("select * from a.b join c.d on x union select * from e.f, g union select 1 from h.i") == (
        "SELECT a.b, c.d, e.f and 1 more"
    )
    assert summary("SELECT 1") == "SELECT"
