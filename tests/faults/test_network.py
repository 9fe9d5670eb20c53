"""The network between the lake and its servers breaks, stands still, is slow, or loses a reply."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.faults.case import Case
from tests.faults.data import change, fill
from tests.faults.proxy import Proxy, Rule

pytestmark = pytest.mark.thorough

Tell = Callable[[str], None]

PART = rb"PUT /landing/\S*part-"
COMPLETE = rb"POST /landing/\S*part-\S*uploadId="
MANIFEST = rb"PUT /landing/\S*/run(=|%3D)[^/\s]*\.json"
COMMIT = rb"POST /iceberg/\S*/tables/items"
MERGE = rb"POST /api/v2/trees/main\S*/history/merge"
VARIABLES = {"SHOP": "LAKE_SOURCE_PORT", "S3": "LAKE_S3_PORT", "NESSIE": "LAKE_NESSIE_PORT"}


def survive(case: Case, server: str, *rules: Rule, seconds: float = 180, **environment: str) -> str:
    """One run over a bad link, and one more try over a good one if it failed; how it ended, in words."""
    run = case.new_run()
    with Proxy(case.port(server), *rules) as proxy:
        began = time.monotonic()
        attempt = case.launch(run, **{VARIABLES[server]: str(proxy.port)}, **environment)
        code = attempt.wait(seconds)
        took = time.monotonic() - began
    assert all(rule.hits for rule in rules), f"the fault did not happen: {rules}\n{attempt.tail}"
    if code == 0:
        return "the task ended well by itself"
    assert code == 1, f"exit code {code}\n{attempt.tail}"
    case.run(run)
    return f"the task failed after {took:.0f} s, the next try succeeded"


@pytest.mark.fault("reset")
@pytest.mark.parametrize(
    ("server", "rule"),
    [
        pytest.param("SHOP", Rule("reset", after=700_000), id="source, in the rows"),
        pytest.param("SHOP", Rule("reset"), id="source, at its greeting", marks=pytest.mark.slow),
        pytest.param("SHOP", Rule("reset", after=150, times=3), id="source, at the login", marks=pytest.mark.slow),
        pytest.param("SHOP", Rule("reset", after=9_000), id="source, early", marks=pytest.mark.slow),
        pytest.param("S3", Rule("reset", when=PART, after=40_000, of="request"), id="store, in an upload"),
        pytest.param("S3", Rule("reset", when=PART, times=9), id="store, nine uploads", marks=pytest.mark.slow),
        pytest.param("S3", Rule("reset", when=COMPLETE, of="request"), id="store, complete", marks=pytest.mark.slow),
        pytest.param("S3", Rule("reset", when=MANIFEST, of="request"), id="store, manifest", marks=pytest.mark.slow),
        pytest.param("NESSIE", Rule("reset", when=COMMIT, of="request"), id="catalog, commit"),
        pytest.param("NESSIE", Rule("reset", when=MERGE, of="request"), id="catalog, merge", marks=pytest.mark.slow),
    ],
)
def test_connection_reset(case: Case, server: str, rule: Rule, request: pytest.FixtureRequest, tell: Tell) -> None:
    fill(case)
    end = survive(case, server, rule)
    tell(f"{request.node.callspec.id}: {end}; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("black_hole")
@pytest.mark.parametrize(
    ("server", "rule"),
    [
        pytest.param("SHOP", Rule("black hole", after=700_000), id="source"),
        pytest.param("S3", Rule("black hole", when=PART, after=40_000, of="request"), id="store"),
        pytest.param("S3", Rule("black hole", when=MANIFEST, of="reply"), id="store, manifest"),
        pytest.param("NESSIE", Rule("black hole", when=COMMIT, of="reply"), id="catalog, commit"),
        pytest.param("NESSIE", Rule("black hole", when=MERGE, of="reply"), id="catalog, merge"),
    ],
)
def test_black_hole(case: Case, server: str, rule: Rule, request: pytest.FixtureRequest, tell: Tell) -> None:
    fill(case)
    end = survive(case, server, rule, seconds=280, LAKE_SOURCE_TIMEOUT_SECONDS="5")
    tell(f"{request.node.callspec.id}: {end}; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("slow_link")
def test_slow_link(case: Case, tell: Tell) -> None:
    fill(case, rows=6_000)
    run = case.new_run()
    with Proxy(case.port("SHOP"), bytes_per_second=125_000) as proxy:
        began = time.monotonic()
        case.run(run, LAKE_SOURCE_PORT=str(proxy.port))
        took = time.monotonic() - began
    tell(f"{took:.0f} s; {case.settle()}")


@pytest.mark.fault("reply_lost")
@pytest.mark.parametrize(
    ("server", "pattern"),
    [
        pytest.param("S3", MANIFEST, id="the manifest's PUT"),
        pytest.param("NESSIE", COMMIT, id="the table's commit"),
        pytest.param("NESSIE", MERGE, id="the merge into main", marks=pytest.mark.slow),
        pytest.param("NESSIE", rb"POST /api/v2/trees\?", id="the branch's creation", marks=pytest.mark.slow),
        pytest.param("S3", COMPLETE, id="the end of an upload", marks=pytest.mark.slow),
    ],
)
def test_reply_lost(case: Case, server: str, pattern: bytes, request: pytest.FixtureRequest, tell: Tell) -> None:
    fill(case)
    ends = [survive(case, server, Rule("lose reply", when=pattern))]
    if pattern != COMPLETE:
        change(case)
        ends.append(survive(case, server, Rule("lose reply", when=pattern)))
    tell(f"{request.node.callspec.id}: {' and '.join(dict.fromkeys(ends))}; {case.settle()}")


@pytest.mark.fault("upload_truncated")
@pytest.mark.parametrize("after", [600, pytest.param(60_000, marks=pytest.mark.slow)])
def test_upload_truncated(case: Case, after: int, tell: Tell) -> None:
    fill(case)
    end = survive(case, "S3", Rule("truncate", when=PART, after=after, of="request"))
    tell(f"after {after:,} bytes: {end}; {case.settle()}")
