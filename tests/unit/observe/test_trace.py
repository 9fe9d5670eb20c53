"""A trace as a tree: who stands below whom, what the whole waited for, and how a person sees it."""

from __future__ import annotations

import pytest

from lake.observe.traces.shown import MOST_SHOWN, WIDTH, lines, path, to_json
from lake.observe.traces.tree import Node, tree
from tests.unit.observe.played import span


def critical(root: Node) -> dict[str, float]:
    return {node.name: round(node.critical, 3) for node in root.walk() if node.is_critical}


RUN = [
    span("run", 0, 100),
    span("extract", 1, 30, "run"),
    span("curate", 32, 50, "run"),
    span("marts", 51, 60, "run"),
    span("audit", 51, 80, "run"),
    span("publish", 82, 99, "run"),
    span("orders", 2, 20, "extract"),
    span("items", 2, 29, "extract"),
]


def test_the_critical_path_goes_back_through_what_ended_last_before() -> None:
    root = tree(RUN)
    assert critical(root) == {
        "run": 1 + 2 + 1 + 2 + 1,  # before, between and after its tasks
        "extract": 1 + 1,
        "items": 27,
        "curate": 18,
        "audit": 29,
        "publish": 17,
    }
    assert sum(critical(root).values()) == pytest.approx(100)


def test_what_ends_a_moment_after_the_next_began_is_on_the_path_still() -> None:
    root = tree([span("run", 0, 10), span("a", 0, 5.05, "run"), span("b", 5, 10, "run"), span("c", 0, 7, "run")])
    assert critical(root) == {"run": 0, "a": 5, "b": 5}


def test_own_time_is_that_in_which_no_child_is_at_work() -> None:
    root = tree([span("run", 0, 10), span("a", 1, 5, "run"), span("b", 3, 6, "run"), span("c", 8, 12, "run")])
    assert (root.own, root.children[0].own) == (pytest.approx(3), 4)


def test_each_try_of_a_task_has_its_own_children() -> None:
    tries = [
        span(f"try {each}", 10 * each, 10 * each + 5, "run", id="task", **{"try": each}, status=status)
        for each, status in ((1, "error"), (2, "ok"))
    ]
    work = [span(f"work {each}", 10 * each + 1, 10 * each + 4, "task", **{"try": each}) for each in (1, 2)]
    root = tree([span("run", 0, 30), *tries, *work])
    assert [[each.name for each in node.children] for node in root.children] == [["work 1"], ["work 2"]]


def test_what_is_missing_is_made_up_and_nothing_is_left_aside() -> None:
    root = tree([span("worker.a", 1, 2, "lost"), span("b", 3, 4, "run"), span("c", 3, 5, "run")])
    assert root.is_missing and (root.start, root.end) == (0, 4)
    names = {node.name: [each.name for each in node.children] for node in root.walk() if node.is_missing}
    assert names["task_run.a (not told)"] == ["worker.a"]
    assert {node.name for node in root.walk() if not node.is_missing} == {"worker.a", "b", "c"}
    whole = tree([span("run", 0, 10), span("worker.a", 1, 2, "lost")])
    under_way = tree([span("task_run.a", 1, 2, "lost", dag="shop_lake"), span("task_run.b", 1, 2, "lost")])
    assert [node.name for node in under_way.walk()] == ["dag_run.shop_lake (not told)", "task_run.a", "task_run.b"]
    assert whole.name == "run" and [node.name for node in whole.walk()] == ["run", "task_run.a (not told)", "worker.a"]


def test_a_tree_reads_at_eighty_columns() -> None:
    told = [*lines(tree(RUN))]
    assert max(map(len, told)) <= WIDTH
    assert told[:4] == [
        "   start     took share      own   span (service)",
        "  +0.0 s  100.0 s  100%    7.0 s * run (airflow)",
        "  +1.0 s   29.0 s   29%    2.0 s *   extract",
        "  +2.0 s   18.0 s   18%   18.0 s       orders",
    ]
    assert [*path(tree(RUN))][:2] == ["critical path (*): 100.0 s, of which by themselves", "    29.0 s  29%  audit"]


def test_of_hundreds_of_children_some_are_shown_and_the_others_counted() -> None:
    many = [span(f"t{number:03}", number, number + 0.5 + number / 1000, "run") for number in range(300)]
    many[5] = {**many[5], "status": "error", "message": "LakeError: no\nmore"}
    root = tree([span("run", 0, 1000), *many, span("late", 900, 999, "run")])
    told = [*lines(root)]
    assert len(told) == 2 + MOST_SHOWN + 1 + sum("LakeError: no" in one for one in told)
    assert told[-1].strip() == "… 289 more, 3:10"[: len("… 289 more, ")] + told[-1].strip()[len("… 289 more, ") :]
    assert len([*lines(root, is_all=True)]) == 2 + 301 + 1


def test_long_names_errors_and_what_has_no_span() -> None:
    root = tree(
        [
            span("run", 0, 10, rest={"shoplake.left_out": 1950}),
            span("x" * 200, 0, 10, "run", status="error", message="y" * 500),
        ]
    )
    told = [*lines(root)]
    assert max(map(len, told)) <= WIDTH
    assert "y" * 20 in told[3] and "… 1950 that have no span of their own" in told[4]


def test_as_json() -> None:
    first, *_ = to_json(tree([span("run", 0, 10, run="r1", rest={"a": 5})]))
    assert first["attributes"] == {"run": "r1", "a": 5}
    assert (first["seconds"], first["critical_seconds"], first["is_critical"]) == (10, 10, True)
